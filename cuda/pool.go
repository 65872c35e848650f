package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// Pool computes Y, and Index for PoolMax.
func (d *Device) Pool(a *kernels.PoolArgs) {
	out := a.N * a.OH() * a.OW()
	poolNeeds("Pool", a, out)
	if out == 0 || a.C == 0 {
		return
	}
	t := d.tile(out, a.C, 1)
	l := d.op(ptx.PoolAvg)
	if a.Kind == kernels.PoolMax {
		l = d.op(ptx.PoolMax)
	}
	l.mem(a.X)
	l.mem(a.Y)
	if a.Kind == kernels.PoolMax {
		l.mem(a.Index)
	}
	l.i32(out)
	l.window(a)
	l.i32(t.lg)
	l.i32(vectors(a.C, nil, a.X, a.Y, a.Index))
	if a.Kind != kernels.PoolMax {
		l.i32(flag(a.Kind == kernels.PoolAvgValid))
	}
	l.run(t.x, t.y, 1, 0)
}

// PoolGrad computes dX from dY: every input pixel gathers from the windows
// that hold it.
func (d *Device) PoolGrad(a *kernels.PoolArgs) {
	in := a.N * a.H * a.W
	poolNeeds("PoolGrad", a, a.N*a.OH()*a.OW())
	if in == 0 || a.C == 0 {
		return
	}
	t := d.tile(in, a.C, 1)
	l := d.op(ptx.PoolAvgGrad)
	if a.Kind == kernels.PoolMax {
		l = d.op(ptx.PoolMaxGrad)
	}
	l.mem(a.X)
	l.mem(a.Y)
	if a.Kind == kernels.PoolMax {
		l.mem(a.Index)
	}
	l.i32(in)
	l.window(a)
	l.i32(t.lg)
	l.i32(vectors(a.C, nil, a.X, a.Y, a.Index))
	l.i32(flag(a.Accumulate))
	if a.Kind != kernels.PoolMax {
		l.i32(flag(a.Kind == kernels.PoolAvgValid))
	}
	l.run(t.x, t.y, 1, 0)
}

func poolNeeds(op string, a *kernels.PoolArgs, out int) {
	floats(op, a.N*a.H*a.W*a.C, a.X)
	floats(op, out*a.C, a.Y)
	if a.Kind == kernels.PoolMax {
		need(op, "Index", a.Index, kernels.Int32, out*a.C)
	}
}

// window is the geometry of a pool, from C to PW.
func (l *launch) window(a *kernels.PoolArgs) {
	for _, v := range []int{a.C, a.H, a.W, a.OH(), a.OW(), a.KH, a.KW, a.StrideH, a.StrideW, a.PadH, a.PadW} {
		l.i32(v)
	}
}
