package methods

import (
	"context"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// MoCo is "Momentum Contrast for Unsupervised Visual Representation Learning"
// (He, Fan, Wu, Xie, Girshick; arXiv 1911.05722), v1, and v2 (Chen, Fan,
// Girshick, He; arXiv 2003.04297) by its settings. Letters: two views of N
// images make queries q and keys k [N, D]; n_1..n_L are the queue's rows.
//
//	loss = 1/N sum_i -log exp(q_i·k_i/tau) / (exp(q_i·k_i/tau) + sum_j exp(q_i·n_j/tau))
//
// (equation 1). Keys come from an encoder that follows the query's weights by
// momentum (equation 2), carry no gradient, and join the queue after the step.
// It starts near ln(1+L).
//
// Differs: shuffling over devices (section 3.3 "shuffling BN") becomes batch
// statistics of Groups parts of the key batch: what a key shares statistics
// with says nothing about what its query does, whose statistics are the whole
// batch's, so the encoders cannot cheat by them. Running statistics move once
// a step. With several ranks part g of all ranks shares statistics.
type MoCo struct {
	MoCoConfig
	query, key branch
	ema        *nn.EMA
	queue      *Ring

	keys     nn.Pass
	gather   *Gather
	zeros    []int32 // the class of every query
	observed observed
}

// NewMoCo puts heads and a queue on two encoders that are built alike; key is
// made equal to query and a constant. Weights and queue are drawn from rng.
// Names become encoder_q.* and encoder_k.*, the heads' encoder_q.fc.*. The
// error lists what is wrong with the settings.
func NewMoCo(b kernels.Backend, query, key Encoder, cfg MoCoConfig, rng *tensor.RNG) (*MoCo, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &MoCo{MoCoConfig: cfg, zeros: make([]int32, cfg.Batch)}
	side := func(e Encoder, prefix string) branch {
		x := branch{e, cfg.Head.New(b, "fc", e.Features(), cfg.Hidden, cfg.Dim, rng), cfg.Dim}
		nn.Prefix(x, prefix)
		return x
	}
	m.query, m.key = side(query, "encoder_q."), side(key, "encoder_k.")
	m.ema = nn.NewEMA(b, m.key, m.query)
	m.queue = NewRing(b, "queue", cfg.Queue, cfg.Dim, rng)
	m.gather = NewGather(cfg.Group)
	return m, nil
}

// Loss records a step on the views of a batch: views[0] [2N, H, W, C], queries'
// first.
func (m *MoCo) Loss(p *nn.Pass, views []*autograd.Var) *autograd.Var {
	_, k, _, loss := m.contrast(m.embed(p, views[0]))
	m.enqueue(k)
	return loss
}

// embed is the raw embeddings of queries and of keys.
func (m *MoCo) embed(p *nn.Pass, x *autograd.Var) (q0, k0 *autograd.Var) {
	n := m.Batch
	m.observed.features = m.query.encoder.Forward(p, autograd.Rows(x, 0, n)).Keep()
	q0 = m.query.head.Forward(p, m.observed.features)

	follow(p.Tape, m.ema, m.Momentum)
	m.keys = nn.Pass{Tape: p.Tape, Train: p.Train, Groups: m.Groups, Sync: p.Sync}
	k0 = m.key.encoder.Forward(&m.keys, autograd.Rows(x, n, 2*n))
	return q0, m.key.head.Forward(&m.keys, k0)
}

// contrast is MoCo's step from raw embeddings on: unit queries and keys, logits
// and loss.
func (m *MoCo) contrast(q0, k0 *autograd.Var) (q, k, logits, loss *autograd.Var) {
	t := q0.Tape()
	q = autograd.Normalize(q0).Keep()
	k = autograd.Normalize(k0.Detach())
	logits = InfoNCE(q, k, t.Use(m.queue.Rows), m.Temperature)
	loss = autograd.CrossEntropy(logits, t.Ints(m.zeros))
	m.observed.embeddings = q
	return q, k, logits, loss
}

// enqueue records that the keys of all ranks join the queue.
func (m *MoCo) enqueue(k *autograd.Var) { m.queue.Enqueue(m.gather.Rows(k)) }

// observe shows the step to a Monitor.
func (m *MoCo) observe() observed {
	m.observed.images = m.Batch
	m.observed.remedies = "a longer queue, a momentum nearer 1, more groups of key statistics, a lower learning rate or a longer warm-up"
	return m.observed
}

// EpochStart has nothing to do.
func (m *MoCo) EpochStart(ctx context.Context, epoch int) error { return nil }

// BeforeStep has nothing to prepare: all steps are of one kind.
func (m *MoCo) BeforeStep(at Step) (kind string) { return "moco" }

// AfterStep has nothing to do.
func (m *MoCo) AfterStep() {}

// State lists encoder_q.*, encoder_k.*, queue and queue_ptr.
func (m *MoCo) State() []*autograd.Param {
	return append(append(m.query.State(), m.key.State()...), m.queue.State()...)
}

// Loaded takes up the queue's pointer.
func (m *MoCo) Loaded() error { return m.queue.Loaded() }

// Encoder is the query's.
func (m *MoCo) Encoder() Encoder { return m.query.encoder }
