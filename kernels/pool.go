package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// Pools, forward and backward, are one picture: a run of pixels of an image
// row, each made from a rectangle of source pixels that moves by a fixed step.
// Forward the rectangle is a window; backward it is the windows that cover an
// input pixel, so that a gradient is gathered, never scattered: input rows run
// in parallel and each sum has one order.

type poolState struct {
	poolRow  *poolRow
	poolJobs freelist[poolJob]
	poolRuns freelist[asm.PoolRun]
}

func (s *poolState) init(c *CPU) { s.poolRow = usable(c.pins, poolRows)[0] }

// poolFloats is about how much of the larger image one tile covers.
const poolFloats = 8 << 10

// poolJob is Pool or, with grad, PoolGrad. inv is 1/count of each window.
type poolJob struct {
	PoolArgs
	c      *CPU
	grad   bool
	oh, ow int
	rows   int // image rows of a tile
	inv    []float32
	past   bool // the result is stored past the caches
}

// Tile runs a few rows of the output (of the input for gradients).
func (j *poolJob) Tile(w *Worker, i int) {
	h := j.oh
	if j.grad {
		h = j.H
	}
	a := j.c.poolRuns.get()
	for r := i * j.rows; r < min((i+1)*j.rows, j.N*h); r++ {
		if j.grad {
			j.gradRow(a, r/h, r%h)
		} else {
			j.row(a, r/h, r%h)
		}
	}
	*a = asm.PoolRun{}
	j.c.poolRuns.put(a)
}

// goesPast reports whether the result is too large for the caches and can be
// stored past them, so that its lines need not come from memory first.
func (j *poolJob) goesPast() bool {
	lines := func(m Mem) bool { return uintptr(unsafe.Pointer(elem(m, 0)))%64 == 0 }
	if j.Kind != PoolMax || j.c.poolRow.MaxPast == nil || j.C%64 != 0 {
		return false
	}
	if j.grad {
		return !j.Accumulate && 4*j.N*j.H*j.W*j.C >= pastBytes && lines(j.X)
	}
	return 4*j.N*j.oh*j.ow*j.C >= pastBytes && lines(j.Y) && lines(j.Index)
}

// row makes output row oh of image n: pixels whose windows are cut alike by
// the border go into one run, so the interior is one call.
func (j *poolJob) row(a *asm.PoolRun, n, oh int) {
	h0, h1 := clip(oh*j.StrideH-j.PadH, j.KH, j.H)
	for ow := 0; ow < j.ow; {
		left := ow*j.StrideW - j.PadW
		w0, w1 := clip(left, j.KW, j.W)
		pixels := 1
		for ; ow+pixels < j.ow; pixels++ {
			l := left + pixels*j.StrideW
			if a0, a1 := clip(l, j.KW, j.W); a0-l != w0-left || a1-a0 != w1-w0 {
				break
			}
		}
		in := ((n*j.H+h0)*j.W + w0) * j.C
		out := ((n*j.oh+oh)*j.ow + ow) * j.C
		*a = asm.PoolRun{
			Pixels: pixels, C: j.C, Rows: h1 - h0, Cols: w1 - w0,
			Src: memAt(j.X, in), Dst: memAt(j.Y, out),
			SrcPixel: 4 * j.StrideW * j.C, SrcRow: 4 * j.W * j.C, SrcCol: 4 * j.C, DstPixel: 4 * j.C,
			Tap: (h0-oh*j.StrideH+j.PadH)*j.KW + w0 - left, TapRow: j.KW, TapCol: 1,
		}
		if j.Kind == PoolMax {
			a.Index = memAt(j.Index, out)
			if j.past {
				j.c.poolRow.MaxPast(a)
			} else {
				j.c.poolRow.Max(a)
			}
		} else {
			taps := j.KH * j.KW
			if j.Kind == PoolAvgValid {
				taps = a.Rows * a.Cols
			}
			a.Count = float32(taps)
			j.c.poolRow.Avg(a)
		}
		ow += pixels
	}
}

// clip is the part [from, to) of a window of k taps at left that lies in an
// image of n pixels.
func clip(left, k, n int) (from, to int) { return max(left, 0), min(left+k, n) }

// covering is the windows [from, to) of k taps, one every stride pixels from
// -pad on, n in all, that cover pixel i.
func covering(i, k, stride, pad, n int) (from, to int) {
	from = max(i+pad-k+stride, 0) / stride
	return from, max(min((i+pad)/stride+1, n), from)
}

// gradRow makes row ih of dX of image n: pixels StrideW apart see the same
// taps of successive windows.
func (j *poolJob) gradRow(a *asm.PoolRun, n, ih int) {
	h0, h1 := covering(ih, j.KH, j.StrideH, j.PadH, j.oh)
	for phase := range min(j.StrideW, j.W) {
		for iw := phase; iw < j.W; {
			w0, w1 := covering(iw, j.KW, j.StrideW, j.PadW, j.ow)
			pixels := 1
			for i := iw + j.StrideW; i < j.W; i += j.StrideW {
				if a0, a1 := covering(i, j.KW, j.StrideW, j.PadW, j.ow); a0 != w0+pixels || a1-a0 != w1-w0 {
					break
				}
				pixels++
			}
			out := ((n*j.oh+h0)*j.ow + w0) * j.C
			*a = asm.PoolRun{
				Pixels: pixels, C: j.C, Rows: h1 - h0, Cols: w1 - w0,
				Dst:      memAt(j.X, ((n*j.H+ih)*j.W+iw)*j.C),
				SrcPixel: 4 * j.C, SrcRow: 4 * j.ow * j.C, SrcCol: 4 * j.C, DstPixel: 4 * j.StrideW * j.C,
				Acc: j.Accumulate,
			}
			covered := a.Rows > 0 && a.Cols > 0
			if !covered {
				a.Rows = 0 // and out may lie beyond dY
			} else {
				a.Src = memAt(j.Y, out)
			}
			if j.Kind == PoolMax {
				if covered {
					a.Index = memAt(j.Index, out)
				}
				a.Tap = (ih+j.PadH-h0*j.StrideH)*j.KW + iw + j.PadW - w0*j.StrideW
				a.TapRow, a.TapCol = -j.StrideH*j.KW, -j.StrideW
				if j.past {
					j.c.poolRow.MaxGradPast(a)
				} else {
					j.c.poolRow.MaxGrad(a)
				}
			} else {
				if covered {
					a.Inv = unsafe.Pointer(&j.inv[h0*j.ow+w0])
				}
				a.InvPixel, a.InvRow, a.InvCol = 4, 4*j.ow, 4
				j.c.poolRow.AvgGrad(a)
			}
			iw += pixels * j.StrideW
		}
	}
}

// windows fills inv with 1/count of each window of an image.
func (j *poolJob) windows() {
	j.inv = j.inv[:0]
	for oh := range j.oh {
		h0, h1 := clip(oh*j.StrideH-j.PadH, j.KH, j.H)
		for ow := range j.ow {
			w0, w1 := clip(ow*j.StrideW-j.PadW, j.KW, j.W)
			taps := j.KH * j.KW
			if j.Kind == PoolAvgValid {
				taps = (h1 - h0) * (w1 - w0)
			}
			j.inv = append(j.inv, 1/float32(taps))
		}
	}
}

func (c *CPU) pool(op string, a *PoolArgs, grad bool) {
	in, out := a.N*a.H*a.W*a.C, a.N*a.OH()*a.OW()*a.C
	needMem(op, "X", a.X, Float32, in)
	needMem(op, "Y", a.Y, Float32, out)
	if a.Kind == PoolMax {
		needMem(op, "Index", a.Index, Int32, out)
	}
	if a.PadH >= a.KH || a.PadW >= a.KW {
		panic(&ArgError{op, "padding must be smaller than the window"})
	}
	j := c.poolJobs.get()
	*j = poolJob{PoolArgs: *a, c: c, grad: grad, oh: a.OH(), ow: a.OW(), inv: j.inv}
	j.past = j.goesPast()
	h := j.oh
	if grad {
		h = a.H
		if a.Kind != PoolMax {
			j.windows()
		}
	}
	if h > 0 {
		j.rows = max(poolFloats*h*a.N/max(in, out, 1), 1)
		c.team.Do((a.N*h+j.rows-1)/j.rows, streamCost(4*(in+out)), j)
	}
	*j = poolJob{inv: j.inv}
	c.poolJobs.put(j)
}

// Pool computes Y, and Index for PoolMax.
func (c *CPU) Pool(a *PoolArgs) { c.pool("Pool", a, false) }

// PoolGrad computes dX from dY.
func (c *CPU) PoolGrad(a *PoolArgs) { c.pool("PoolGrad", a, true) }
