package methods

import (
	"context"
	"errors"
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// PCL is "Prototypical Contrastive Learning of Unsupervised Representations"
// (Li, Zhou, Xiong, Hoi; arXiv 2005.04966): MoCo, and from a warm-up on an EM
// algorithm. The E-step (estep.go) clusters the key encoder's embeddings of all
// images M times; a step then pulls each query q_i to the prototype c_s(i) of
// its image's cluster s(i):
//
//	proto^m_i = -log exp(q_i·c_s(i)/phi_s(i)) / sum_j exp(q_i·c_j/phi_j)
//	loss      = mean_i inst_i + 1/M sum_m mean_i proto^m_i
//
// (section 3.2, ProtoNCE, equation 11), inst MoCo's loss, phi the clusters'
// Concentration, j over the columns of a Denominator.
//
// Differs: the paper's denominator is the own prototype and r drawn ones, the
// code's (and that of SampledPrototypes) all N of the batch, with repeats, and
// r drawn from the ids up to the highest assigned. Too few of these are an
// error in the code; here all there are get taken. The code draws from a set of
// unseeded order, here from an ordered list by a stream of Seed.
type PCL struct {
	PCLConfig
	// Features computes the unit embeddings of the rank's images, in order, by
	// the key encoder in evaluation mode. RunConfig.New sets it.
	Features func(ctx context.Context, keys Encoder) (Features, error)
	// Report is told of each clustering that an E-step made; nil: nobody is.
	Report func(EStep)

	moco   *MoCo
	sets   []*prototypes
	images []int // of the batch
	at     Step
	ready  bool // there are prototypes
	active bool // this step uses them
	inst   *autograd.Var
	protos []*autograd.Var
}

// prototypes are one clustering: K unit centroids, their concentrations and
// what they were made of.
type prototypes struct {
	centroids, phi *autograd.Param // [K, D], [K]
	assign         *autograd.Param // [n], the cluster of each of the rank's images
	size           *autograd.Param // [K], members over all ranks
	of             []int32         // assign, on the host
	members        []int           // size, on the host
	last           int32           // the highest id with a member
	own            []int32         // the clusters of the batch's images
	columns        *columns
}

// NewPCL makes the method from two encoders that are built alike (see NewMoCo).
// Features is for the caller to set. The error lists what is wrong with the
// settings.
func NewPCL(b kernels.Backend, query, key Encoder, cfg PCLConfig, rng *tensor.RNG) (*PCL, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	moco, err := NewMoCo(b, query, key, cfg.MoCoConfig, rng)
	if err != nil {
		return nil, err
	}
	m := &PCL{PCLConfig: cfg, moco: moco, images: make([]int, cfg.Batch), protos: make([]*autograd.Var, len(cfg.Clusters))}
	for i, k := range cfg.Clusters {
		name := fmt.Sprintf("prototypes.%d.", i)
		m.sets = append(m.sets, &prototypes{
			centroids: autograd.NewState(b, name+"centroids", k, cfg.Dim),
			phi:       autograd.NewState(b, name+"phi", k),
			assign:    autograd.NewState(b, name+"assign", cfg.Images),
			size:      autograd.NewState(b, name+"size", k),
			of:        make([]int32, cfg.Images),
			members:   make([]int, k),
			own:       make([]int32, cfg.Batch),
			columns:   newColumns(cfg.Denominator, cfg.Batch, cfg.Negatives, k),
		})
	}
	return m, nil
}

// Loss records a step on the views of a batch: views[0] [2N, H, W, C], queries'
// first.
func (m *PCL) Loss(p *nn.Pass, views []*autograd.Var) *autograd.Var {
	return m.loss(m.moco.embed(p, views[0]))
}

// loss is PCL's step from raw embeddings on.
func (m *PCL) loss(q0, k0 *autograd.Var) *autograd.Var {
	q, k, _, inst := m.moco.contrast(q0, k0)
	m.moco.enqueue(k)
	m.inst = inst
	if !m.active {
		return inst
	}
	for i, s := range m.sets {
		m.choose(i, s)
		m.protos[i] = s.loss(q)
	}
	return m.total()
}

// total is inst + 1/M sum over m of protos.
func (m *PCL) total() *autograd.Var {
	sum := m.protos[0]
	for _, p := range m.protos[1:] {
		sum = autograd.Add(sum, p)
	}
	return autograd.Add(m.inst, autograd.Scale(sum, 1/float32(len(m.protos))))
}

// choose fills the columns of clustering i for the batch.
func (m *PCL) choose(i int, s *prototypes) {
	for b, image := range m.images {
		s.own[b] = s.of[image]
	}
	if m.Denominator == EveryPrototype {
		s.columns.every(s.own)
		return
	}
	rank := 0
	if m.Group != nil {
		rank = m.Group.Rank()
	}
	stream := data.NewStream(m.Seed, NegativePurpose, m.at.Iteration, i, rank)
	s.columns.sample(s.own, m.Denominator == DistinctPrototypes, s.last, &stream)
}

// loss is the mean of proto_i over the batch.
func (s *prototypes) loss(q *autograd.Var) *autograd.Var {
	t, c := q.Tape(), s.columns
	y := ProtoLogits(q, t.Ints(c.ids), t.Input(autograd.Dims(len(c.bias)), c.bias), s.centroids, s.phi)
	return autograd.CrossEntropy(y, t.Ints(c.labels))
}

// observe shows the step, and the largest clustering, to a Monitor.
func (m *PCL) observe() observed {
	o := m.moco.observe()
	o.remedies = "fewer clusters, a longer warm-up without prototypes, a longer queue, a momentum nearer 1, a lower learning rate"
	if m.ready {
		for _, s := range m.sets {
			if len(s.members) > len(o.sizes) {
				o.sizes = s.members
			}
		}
	}
	return o
}

// EpochStart does the E-step where one is due: at the end of the warm-up and
// every Every epochs from there on.
func (m *PCL) EpochStart(ctx context.Context, epoch int) error {
	if epoch < m.Warmup || (epoch-m.Warmup)%m.Every != 0 {
		return nil
	}
	return m.eStep(ctx, epoch)
}

// Indexes names the batch's images, by their number in the source.
func (m *PCL) Indexes(images []int) { copy(m.images, images) }

// BeforeStep says whether the step has prototypes.
func (m *PCL) BeforeStep(at Step) (kind string) {
	m.at, m.active = at, m.ready && at.Epoch >= m.Warmup
	if m.active {
		return "pcl"
	}
	return "pcl, warm-up"
}

// AfterStep has nothing to do.
func (m *PCL) AfterStep() {}

// State lists MoCo's tensors and, for each clustering I, prototypes.I.centroids,
// .phi, .assign and .size.
func (m *PCL) State() []*autograd.Param {
	all := m.moco.State()
	for _, s := range m.sets {
		all = append(all, s.centroids, s.phi, s.assign, s.size)
	}
	return all
}

// Loaded takes up queue and prototypes; phi is 0 where no E-step was done.
func (m *PCL) Loaded() error {
	if err := m.moco.Loaded(); err != nil {
		return err
	}
	m.ready = false
	for i, s := range m.sets {
		ready, err := s.loaded()
		if err != nil {
			return err
		}
		if i > 0 && ready != m.ready {
			return errors.New("methods: the checkpoint has prototypes of some clusterings only")
		}
		m.ready = ready
	}
	return nil
}

func (s *prototypes) loaded() (ready bool, err error) {
	of, size, phi := make([]float32, len(s.of)), make([]float32, s.size.Value.Len()), make([]float32, s.phi.Value.Len())
	if err := errors.Join(s.assign.Value.CopyTo(of), s.size.Value.CopyTo(size), s.phi.Value.CopyTo(phi)); err != nil {
		return false, err
	}
	for i, c := range of {
		if s.of[i] = int32(c); s.of[i] < 0 || int(s.of[i]) >= len(size) {
			return false, fmt.Errorf("methods: %s[%d] is %v, there are %d clusters", s.assign.Name, i, c, len(size))
		}
	}
	s.last = 0
	for c, n := range size {
		if s.members[c] = int(n); n > 0 {
			s.last = int32(c)
		}
	}
	return phi[0] > 0, nil
}

// Encoder is the query's.
func (m *PCL) Encoder() Encoder { return m.moco.Encoder() }
