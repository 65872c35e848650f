package methods

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// UnitRows scales every row of parameter w [K, D] to unit length, in place and
// without gradient, before the ops that are recorded after it. Its result is
// the norms [K] that the rows had.
func UnitRows(t *autograd.Tape, w *autograd.Param) *autograd.Var {
	return autograd.Apply[*unitRows](t, unitRowsConfig{w})
}

type unitRowsConfig struct{ W *autograd.Param }

type unitRows struct {
	unitRowsConfig
	args kernels.RowNormalizeArgs
}

func (o *unitRows) Config() *unitRowsConfig { return &o.unitRowsConfig }
func (o *unitRows) Name() string            { return "UnitRows " + o.W.Name }

func (o *unitRows) Plan(p *autograd.Plan) {
	s := o.W.Value.Shape()
	if len(s) != 2 {
		panic(tensor.Misuse("UnitRows", "a matrix", s))
	}
	p.OutFixed(kernels.Float32, autograd.Dims(s[0]))
	o.args = kernels.RowNormalizeArgs{Rows: s[0], C: s[1]}
}

func (o *unitRows) Forward(c *autograd.Ctx) {
	w := c.State(o.W)
	o.args.X, o.args.Y, o.args.Norm = w, w, c.Out(0)
	c.Backend().RowNormalize(&o.args)
}

// Backward is never called: the norms carry no gradient.
func (o *unitRows) Backward(c *autograd.Ctx) {}
