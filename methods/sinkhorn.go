package methods

import (
	"fmt"
	"math"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Sinkhorn turns scores S [B, K] into codes Q [B, K]: of all matrices whose
// rows sum to 1 and whose columns carry equal mass B/K, the one that maximises
// Tr(QᵀS) + Epsilon H(Q) (Cuturi, arXiv 1306.0895; SwAV, arXiv 2006.09882,
// section 3.1, equations 3 to 5), after a few rounds of scaling.
//
// Scaling is done on logarithms. With L = S/Epsilon, u over samples and v over
// prototypes, starting at u = 0, each round is
//
//	v_k = log sum_b exp(L_bk - u_b)
//	u_b = log sum_k exp(L_bk - v_k)
//
// and Q = exp(L - u - v). Rows sum to 1 because they are scaled last; columns
// are equal up to what that last scaling moved.
//
// Differs: the authors exponentiate first and divide by sums, which overflows
// float32 beyond S/Epsilon = 88; their divisions by K, by B and by the total
// cancel and are left out.
type Sinkhorn struct {
	Epsilon    float64 `json:"epsilon"`    // entropy weight: 0.05; 0.03 against early collapse
	Iterations int     `json:"iterations"` // rounds: 3
}

// DefaultSinkhorn is SwAV's setting: epsilon 0.05, 3 rounds.
func DefaultSinkhorn() Sinkhorn { return Sinkhorn{Epsilon: 0.05, Iterations: 3} }

// Validate reports the first setting that is out of range.
func (s Sinkhorn) Validate() error {
	if !(s.Epsilon > 0) || math.IsInf(s.Epsilon, 0) {
		return fmt.Errorf("methods: Sinkhorn epsilon is %v: it divides the scores, so it is more than 0 (0.05 in the paper)", s.Epsilon)
	}
	if s.Iterations < 1 {
		return fmt.Errorf("methods: Sinkhorn iterations are %d: at least 1 (3 in the paper)", s.Iterations)
	}
	return nil
}

// Assign returns the codes of scores [B, K], row-major, in float64. The
// batch is that of all ranks of group, each of which brings its rows and gets
// their codes; the error is the group's. It is the text to read; steps run
// Codes.
func (s Sinkhorn) Assign(scores []float64, k int, group dist.Group) ([]float64, error) {
	b := len(scores) / k
	l := make([]float64, len(scores))
	for i, x := range scores {
		l[i] = x / s.Epsilon
	}
	u, v, sum := make([]float64, b), make([]float64, k), make([]float64, k)
	for range s.Iterations {
		for j := range k {
			v[j] = math.Inf(-1)
			for i := range b {
				v[j] = max(v[j], l[i*k+j]-u[i])
			}
		}
		if err := group.AllReduceMax(v); err != nil {
			return nil, err
		}
		for j := range k {
			sum[j] = 0
			for i := range b {
				sum[j] += math.Exp(l[i*k+j] - u[i] - v[j])
			}
		}
		if err := group.AllReduceSum(sum); err != nil {
			return nil, err
		}
		for j := range k {
			v[j] += math.Log(sum[j])
		}
		for i := range b {
			most, total := math.Inf(-1), 0.0
			for j := range k {
				most = max(most, l[i*k+j]-v[j])
			}
			for j := range k {
				total += math.Exp(l[i*k+j] - v[j] - most)
			}
			u[i] = most + math.Log(total)
		}
	}
	for i := range l {
		l[i] = math.Exp(l[i] - u[i/k] - v[i%k])
	}
	return l, nil
}

// CodesConfig says which rows of the scores are balanced against each other
// and which codes are wanted.
type CodesConfig struct {
	Sinkhorn
	From, To int        // rows of the scores
	Last     int        // codes of the last so many of them are returned
	Group    dist.Group // whose ranks' rows make the batch; nil: this rank's
}

// Codes are the codes [Last, K] of rows From to To of scores [M, K], as a
// constant: no gradient passes (SwAV, section 3.1: "online").
func Codes(scores *autograd.Var, cfg CodesConfig) *autograd.Var {
	if cfg.Group != nil && cfg.Group.Size() == 1 {
		cfg.Group = nil
	}
	return autograd.Apply[*codes](scores.Tape(), cfg, scores)
}

// codes runs Sinkhorn on a backend. A group's column sums go by way of the
// host: the largest L - u of all ranks first, then the sums of exp below it.
type codes struct {
	CodesConfig
	k        int
	u, v     autograd.Buf
	top      autograd.Buf // group: the columns' maxima
	lse      kernels.LSEArgs
	log      kernels.MapArgs
	q        kernels.SinkhornCodesArgs
	host     []float32
	exchange []float64
}

func (o *codes) Config() *CodesConfig { return &o.CodesConfig }
func (o *codes) Name() string         { return fmt.Sprintf("Sinkhorn %dx%d", o.To-o.From, o.k) }

func (o *codes) Plan(p *autograd.Plan) {
	s := p.In(0)
	if s.Rank != 2 || o.From < 0 || o.To > s.Dim[0] || o.Last < 1 || o.Last > o.To-o.From {
		panic(tensor.Misuse("Codes", fmt.Sprintf("the last %d of rows [%d,%d) of [M,K]", o.Last, o.From, o.To), s.Slice()))
	}
	o.k = s.Dim[1]
	p.OutFixed(kernels.Float32, autograd.Dims(o.Last, o.k))
	o.u, o.v = p.Scratch(kernels.Float32, o.To-o.From), p.Scratch(kernels.Float32, o.k)
	if o.Group != nil {
		o.top = p.Scratch(kernels.Float32, o.k)
		o.host, o.exchange = make([]float32, o.k), make([]float64, o.k)
	}
}

func (o *codes) Forward(c *autograd.Ctx) {
	b, n := o.To-o.From, o.k
	x := kernels.Mat{Mem: c.In(0).At(o.From*n, b*n), Ld: n}
	u, v := c.Buf(o.u), c.Buf(o.v)
	all := kernels.LSEArgs{Rows: b, C: n, X: x, Scale: float32(1 / o.Epsilon)}
	for i := range o.Iterations {
		o.lse = all
		if i > 0 {
			o.lse.U = u
		}
		if err := o.columns(c, v); err != nil {
			c.Fail(err)
			return
		}
		o.lse = all
		o.lse.V, o.lse.Out = v, u
		c.Backend().LSE(&o.lse)
	}
	last := b - o.Last
	x.Mem = x.At(last*n, o.Last*n)
	o.q = kernels.SinkhornCodesArgs{Rows: o.Last, C: n, X: x, Scale: all.Scale, U: u.At(last, o.Last), V: v, Q: kernels.Mat{Mem: c.Out(0), Ld: n}}
	c.Backend().SinkhornCodes(&o.q)
}

// columns sets v to the log-sum-exps of o.lse's columns over all ranks.
func (o *codes) columns(c *autograd.Ctx, v kernels.Mem) error {
	a, b := &o.lse, c.Backend()
	a.ByCol, a.Out = true, v
	if o.Group == nil {
		b.LSE(a)
		return nil
	}
	top := c.Buf(o.top)
	a.Phase, a.Out = 1, top
	b.LSE(a)
	if err := o.reduce(b, top, o.Group.AllReduceMax); err != nil {
		return err
	}
	a.Phase, a.Max, a.Out = 2, top, v
	b.LSE(a)
	if err := o.reduce(b, v, o.Group.AllReduceSum); err != nil {
		return err
	}
	o.log = kernels.MapArgs{Op: kernels.MapLog, N: o.k, Dst: v, A: v}
	b.Map(&o.log)
	o.log = kernels.MapArgs{Op: kernels.MapAdd, N: o.k, Dst: v, A: v, B: top}
	b.Map(&o.log)
	return nil
}

// reduce combines x over the ranks.
func (o *codes) reduce(b kernels.Backend, x kernels.Mem, combine func([]float64) error) error {
	if err := b.Download(o.host, x); err != nil {
		return err
	}
	for i, y := range o.host {
		o.exchange[i] = float64(y)
	}
	if err := combine(o.exchange); err != nil {
		return err
	}
	for i, y := range o.exchange {
		o.host[i] = float32(y)
	}
	b.Upload(x, o.host)
	return nil
}

// Backward is never called: codes carry no gradient.
func (o *codes) Backward(c *autograd.Ctx) {}
