package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// Random fills dst with Philox4x32-10 numbers: Float32 memory with uniform
// ones in [0, 1), Int32 memory with 32 random bits each. Elements 4i ... 4i+3
// are the function of the counter (i, step, stream) and the key seed, so that
// any grid and any order give the same. step may change from step to step. No
// op of kernels.Backend calls it yet.
func (d *Device) Random(dst kernels.Mem, seed uint64, stream uint32, step int) {
	if dst.Type != kernels.Float32 {
		need("Random", "dst", dst, kernels.Int32, dst.Len)
	}
	l := d.op(ptx.Philox)
	l.mem(dst)
	l.u64(dst.Len)
	l.i32(int(int32(seed)))
	l.i32(int(int32(seed >> 32)))
	l.stepI32(step)
	l.i32(int(int32(stream)))
	l.i32(flag(dst.Type == kernels.Float32))
	l.i32(vectors(0, nil, dst))
	l.run(d.fill(ceil(dst.Len, chunkSize)), 1, 1, 0)
}
