package methods

import (
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// ProtoLogits are the similarities of queries q [N, D] to chosen prototypes,
// each over its own concentration: with ids [C] (Int32) and bias [C],
//
//	y_ij = q_i·c_id(j) / phi_id(j) + bias_j
//
// (PCL, arXiv 2005.04966, equation 11, its exponents). Centroids [K, D] and
// phi [K] carry no gradient. A bias of 0 keeps a column, a very negative one
// takes it out of the softmax, so that steps with fewer columns keep the
// plan's shapes.
func ProtoLogits(q, ids, bias *autograd.Var, centroids, phi *autograd.Param) *autograd.Var {
	return autograd.Apply[*protoLogits](q.Tape(), protoConfig{centroids, phi}, q, ids, bias)
}

type protoConfig struct{ Centroids, Phi *autograd.Param }

// protoLogits gathers g = c/phi, then y = q gᵀ + bias and dq = dy g.
type protoLogits struct {
	protoConfig
	n, d, c       int
	g, rows, phis autograd.Buf
	work, back    autograd.Buf
	gatherC       kernels.CopyRowsArgs
	gatherPhi     kernels.CopyRowsArgs
	div           kernels.BroadcastArgs
	fwd, dq       kernels.GemmArgs
}

func (o *protoLogits) Config() *protoConfig { return &o.protoConfig }
func (o *protoLogits) Name() string         { return fmt.Sprintf("ProtoLogits %dx%d", o.n, o.c) }

func (o *protoLogits) Plan(p *autograd.Plan) {
	q, ids, bias, k := p.In(0), p.In(1), p.In(2), o.Centroids.Value.Shape()
	if q.Rank != 2 || len(k) != 2 || k[1] != q.Dim[1] || o.Phi.Value.Len() != k[0] || ids.Rank != 1 || ids != bias {
		panic(tensor.Misuse("ProtoLogits", "queries [N,D], ids [C], bias [C], centroids [K,D], phi [K]", q.Slice(), ids.Slice(), bias.Slice(), k, o.Phi.Value.Shape()))
	}
	o.n, o.d, o.c = q.Dim[0], q.Dim[1], ids.Dim[0]
	p.Out(autograd.Dims(o.n, o.c))
	f := kernels.Float32
	o.g, o.rows, o.phis = p.Keep(f, o.c*o.d), p.Scratch(f, o.c*o.d), p.Scratch(f, o.c)
	o.fwd = kernels.GemmArgs{M: o.n, N: o.c, K: o.d, TransB: true, A: kernels.Mat{Ld: o.d}, B: kernels.Mat{Ld: o.d}, C: kernels.Mat{Ld: o.c}}
	o.work = p.WorkFor(&o.fwd)
	if p.Wants(0) {
		o.dq = kernels.GemmArgs{M: o.n, N: o.d, K: o.c, A: kernels.Mat{Ld: o.c}, B: kernels.Mat{Ld: o.d}, C: kernels.Mat{Ld: o.d}, Accumulate: true}
		o.back = p.BackWorkFor(&o.dq)
	}
}

func (o *protoLogits) Forward(c *autograd.Ctx) {
	b, g, rows, phis := c.Backend(), c.Buf(o.g), c.Buf(o.rows), c.Buf(o.phis)
	o.gatherC = kernels.CopyRowsArgs{Rows: o.c, C: o.d, Dst: kernels.Mat{Mem: rows, Ld: o.d}, Src: kernels.Mat{Mem: o.Centroids.Value.Mem(), Ld: o.d}, SrcIndex: c.In(1)}
	b.CopyRows(&o.gatherC)
	o.gatherPhi = kernels.CopyRowsArgs{Rows: o.c, C: 1, Dst: kernels.Mat{Mem: phis, Ld: 1}, Src: kernels.Mat{Mem: o.Phi.Value.Mem(), Ld: 1}, SrcIndex: c.In(1)}
	b.CopyRows(&o.gatherPhi)
	o.div = kernels.BroadcastArgs{Op: kernels.MapDiv, Dims: [4]int{1, 1, o.c, o.d}, SA: [4]int{0, 0, o.d, 1}, SB: [4]int{0, 0, 1, 0}, Dst: g, A: rows, B: phis}
	b.Broadcast(&o.div)
	o.fwd.A.Mem, o.fwd.B.Mem, o.fwd.C.Mem, o.fwd.Epi.Bias, o.fwd.Work = c.In(0), g, c.Out(0), c.In(2), c.Buf(o.work)
	b.Gemm(&o.fwd)
}

func (o *protoLogits) Backward(c *autograd.Ctx) {
	if dq, acc, ok := c.GradIn(0); ok {
		o.dq.A.Mem, o.dq.B.Mem, o.dq.C.Mem, o.dq.Work, o.dq.Accumulate = c.GradOut(0), c.Buf(o.g), dq, c.Buf(o.back), acc
		c.Backend().Gemm(&o.dq)
	}
}

// Cost counts the product with the prototypes.
func (o *protoLogits) Cost(backward bool) (flop, bytes float64) {
	return 2 * float64(o.n) * float64(o.c) * float64(o.d), 4 * (float64(o.n)*float64(o.c+o.d) + 3*float64(o.c)*float64(o.d))
}
