package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// ToBFloat16 rounds Float32 src to BFloat16 dst, to nearest even. No op of
// kernels.Backend calls it yet.
func (d *Device) ToBFloat16(dst, src kernels.Mem) {
	check("ToBFloat16", dst, kernels.BFloat16, src.Len)
	check("ToBFloat16", src, kernels.Float32, dst.Len)
	d.cast(ptx.CastToBF16, dst, src)
}

// FromBFloat16 widens BFloat16 src to Float32 dst. No op of kernels.Backend
// calls it yet.
func (d *Device) FromBFloat16(dst, src kernels.Mem) {
	check("FromBFloat16", dst, kernels.Float32, src.Len)
	check("FromBFloat16", src, kernels.BFloat16, dst.Len)
	d.cast(ptx.CastFromBF16, dst, src)
}

func (d *Device) cast(k *ptx.Kernel, dst, src kernels.Mem) {
	l := d.op(k)
	l.mem(dst)
	l.mem(src)
	l.u64(dst.Len)
	l.i32(vectors(0, nil, dst, src))
	l.run(d.fill(ceil(dst.Len, chunkSize)), 1, 1, 0)
}
