package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// depthwiseRow is one implementation of the kernels over channels that have one
// channel a group; their loops stand in asm/depthwise_amd64.go.
type depthwiseRow struct {
	Kernel
	Multiple int  // what channels are a multiple of
	Past     bool // Run has a mode that stores past the caches
	Run      func(pixels, c, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int)
	Grad     func(segs int, seg *uintptr, c, dyStep, xStep int, dst *float32, ldd int, load bool, dyAhead, xAhead int)
}

// depthwiseTaps is the taps that a call of Grad takes.
const depthwiseTaps = 9

// depthwiseTable is the family "depthwise".
var depthwiseTable = register([]depthwiseRow{
	{
		Kernel: Kernel{Op: "depthwise", Name: "avx512", Needs: asm.AVX2 | asm.AVX512}, Multiple: 1, Past: true,
		Run: asm.DepthwiseAVX512, Grad: asm.DepthwiseGradAVX512,
	},
	{
		Kernel: Kernel{Op: "depthwise", Name: "avx2", Needs: asm.AVX2}, Multiple: 8,
		Run: asm.DepthwiseAVX2, Grad: asm.DepthwiseGradAVX2,
	},
	{
		Kernel: Kernel{Op: "depthwise", Name: "go"}, Multiple: 1,
		Run: goDepthwise, Grad: goDepthwiseGrad,
	},
})

// goDepthwise and goDepthwiseGrad are the portable kernels. Where the others
// fuse, products and sums round separately here (see goRow4x4).
func goDepthwise(pixels, c, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int) {
	for p := range pixels {
		to := floats(advance(dst, p*step), c)
		for i := range to {
			var s float32
			for t, x := range unsafe.Slice(tap, taps) {
				s = float32(*(*float32)(unsafe.Add(x, 4*(p*src+at+i)))**advance(w, t*ldw+i)) + s
			}
			if mode == storeAdd {
				s += to[i]
			}
			to[i] = s
		}
	}
}

func goDepthwiseGrad(segs int, seg *uintptr, c, dyStep, xStep int, dst *float32, ldd int, load bool, _, _ int) {
	words := unsafe.Slice((*unsafe.Pointer)(unsafe.Pointer(seg)), segs*(depthwiseTaps+2))
	for i := range c {
		var s [depthwiseTaps]float32
		for at := words; len(at) > 0; at = at[depthwiseTaps+2:] {
			for p := range int(uintptr(at[0])) {
				dy := *(*float32)(unsafe.Add(at[1], 4*(p*dyStep+i)))
				for t := range s {
					s[t] = float32(dy**(*float32)(unsafe.Add(at[2+t], 4*(p*xStep+i)))) + s[t]
				}
			}
		}
		for t, v := range s {
			if load {
				v += *advance(dst, t*ldd+i)
			}
			*advance(dst, t*ldd+i) = v
		}
	}
}
