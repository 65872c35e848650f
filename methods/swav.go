package methods

import (
	"context"
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// SwAV is "Unsupervised Learning of Visual Features by Contrasting Cluster
// Assignments" (Caron, Misra, Mairal, Goyal, Bojanowski, Joulin; arXiv
// 2006.09882). Letters: V crops of N images make embeddings z [V N, D]; C
// [K, D] are prototypes; S = z Cᵀ scores; Q codes; A assigning crops.
//
// Each crop predicts the code of another crop of its image:
//
//	loss = 1/A sum_a 1/(V-1) sum_{v != a} 1/N sum_n -sum_k Q_a[n,k] log softmax(S_v[n]/tau)_k
//
// (section 3.1, equations 1 and 2; section 3.2, equation 6). It starts near
// ln K.
//
// Differs: the paper's multi-crop loss (equation 6) sums over pairs, the code
// and this average. Prototype rows are made unit at the start of a step and
// keep whatever norm the update gives them until the next. While frozen they
// get no gradient at all: no weight decay, no momentum. Equal crops pass the
// trunk together, so its batch statistics are those of one resolution, while
// the head sees all crops at once.
type SwAV struct {
	SwAVConfig
	encoder Encoder
	head    nn.Module
	c       *nn.Linear        // prototypes.weight [K, D], without bias
	queues  []*autograd.Param // [L, D] for each assigning crop; nil: none
	fill    int               // rows of a queue that hold embeddings
	phase   phase
	pairs   autograd.SoftConfig

	crops MultiCrop
	rows  [2]*autograd.Var // a queue's scores and a crop's
	q     []*autograd.Var  // codes of each assigning crop

	observed observed
}

// observe shows the step to a Monitor.
func (m *SwAV) observe() observed {
	m.observed.images = m.Batch
	m.observed.remedies = "a smaller epsilon (0.03), fewer prototypes, prototypes frozen for longer, a later queue, a larger batch, a lower learning rate"
	return m.observed
}

// phase tells apart steps that record different ops.
type phase struct{ frozen, filling, active bool }

// kinds are the names of the phases' plans.
var kinds = map[phase]string{
	{}:                            "swav",
	{filling: true}:               "swav, queue filling",
	{filling: true, active: true}: "swav, queue active",
	{frozen: true}:                "swav, frozen",
	{frozen: true, filling: true}: "swav, frozen, queue filling",
	{frozen: true, filling: true, active: true}: "swav, frozen, queue active",
}

// NewSwAV puts head and prototypes on an encoder. Their weights are drawn from
// rng as torch.nn.Linear's are. The error lists what is wrong with the
// settings.
func NewSwAV(b kernels.Backend, encoder Encoder, cfg SwAVConfig, rng *tensor.RNG) (*SwAV, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &SwAV{SwAVConfig: cfg, encoder: encoder, q: make([]*autograd.Var, len(cfg.Assign))}
	m.head = nn.SwAVHead(b, "projection_head", encoder.Features(), cfg.Hidden, cfg.Dim, rng)
	m.c = nn.NewLinear(b, "prototypes", cfg.Dim, cfg.Prototypes, rng)
	m.c.Bias = nil
	if l := cfg.queueRows(); l > 0 {
		for _, a := range cfg.Assign {
			m.queues = append(m.queues, autograd.NewState(b, fmt.Sprintf("queue.%d", a), l, cfg.Dim))
		}
	}
	v, n := cfg.views(), cfg.Batch
	m.pairs = autograd.SoftConfig{Rows: n, T: float32(cfg.Temperature), Weight: 1 / float32(len(cfg.Assign)*(v-1)*n)}
	for i, a := range cfg.Assign {
		for crop := range v {
			if crop != a {
				m.pairs.Pairs[m.pairs.N] = autograd.SoftPair{X: crop * n, Q: i * n}
				m.pairs.N++
			}
		}
	}
	return m, nil
}

// Loss records a step on the views of a batch, one Var for each resolution
// (see MultiCrop).
func (m *SwAV) Loss(p *nn.Pass, views []*autograd.Var) *autograd.Var {
	features := m.crops.Forward(p, m.encoder, views).Keep()
	z, _, Q, loss := m.swap(p.Tape, m.head.Forward(p, features))
	m.observed = observed{features: features, embeddings: z.Keep(), codes: Q.Keep()}
	return loss
}

// swap is SwAV's step from raw embeddings z0 [V N, D] on: scores, codes and
// loss.
func (m *SwAV) swap(t *autograd.Tape, z0 *autograd.Var) (z, S, Q, loss *autograd.Var) {
	UnitRows(t, m.c.Weight)
	C, N := t.Use(m.c.Weight), m.Batch

	z = autograd.Normalize(z0)
	S = autograd.MatMulT(z, C)
	for i, a := range m.Assign {
		x, last := S, (a+1)*N
		first := last - N
		if m.phase.active {
			m.rows = [2]*autograd.Var{autograd.MatMulT(t.Use(m.queues[i]), C), autograd.Rows(S, first, last)}
			x = autograd.Concat(m.rows[:]...)
			first, last = 0, x.Shape().Dim[0]
		}
		m.q[i] = Codes(x, CodesConfig{m.Sinkhorn, first, last, N, m.Group})
	}
	Q = m.q[0]
	if len(m.q) > 1 {
		Q = autograd.Concat(m.q...)
	}
	loss = autograd.SoftCrossEntropy(S, Q, m.pairs)

	if m.phase.filling {
		for i, a := range m.Assign {
			Enqueue(z, m.queues[i], a*N, N)
		}
	}
	return z, S, Q, loss
}

// EpochStart has nothing to do: SwAV's codes are computed online.
func (m *SwAV) EpochStart(ctx context.Context, epoch int) error { return nil }

// BeforeStep freezes or frees the prototypes and says whether queues are
// written (from epoch QueueStart on) and read (once full).
func (m *SwAV) BeforeStep(at Step) (kind string) {
	m.phase = phase{frozen: at.Iteration < m.Freeze, filling: m.queues != nil && at.Epoch >= m.QueueStart}
	m.phase.active = m.phase.filling && m.fill >= m.queueRows()
	m.c.Weight.Frozen = m.phase.frozen
	return kinds[m.phase]
}

// AfterStep counts what the step put into the queues.
func (m *SwAV) AfterStep() {
	if m.phase.filling {
		m.fill = min(m.fill+m.Batch, m.queueRows())
	}
}

// Loaded finds how far the queues are filled: embeddings are unit rows, so a
// queue is full when its last row is not zero.
func (m *SwAV) Loaded() error {
	m.fill = 0
	if m.queues == nil {
		return nil
	}
	rows := make([]float32, m.queueRows()*m.Dim)
	if err := m.queues[0].Value.CopyTo(rows); err != nil {
		return err
	}
	f := Features{rows, m.Dim}
	for m.fill < f.N() && sqNorm(f.Row(m.fill)) > 0 {
		m.fill++
	}
	return nil
}

// Encoder is what the run is for.
func (m *SwAV) Encoder() Encoder { return m.encoder }

// State lists the encoder's tensors, projection_head.*, prototypes.weight and
// queue.A for each assigning crop A.
func (m *SwAV) State() []*autograd.Param {
	s := append(m.encoder.State(), m.head.State()...)
	return append(append(s, m.c.State()...), m.queues...)
}
