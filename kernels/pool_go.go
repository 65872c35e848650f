package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The portable rows of the pools. They run tap by tap over whole pixels, so
// that the inner loop is over channels.

func poolMaxGo(a *asm.PoolRun) {
	for p := range a.Pixels {
		y := floatsAt(a.Dst, p*a.DstPixel, a.C)
		index := unsafe.Slice((*int32)(unsafe.Add(a.Index, p*a.DstPixel)), a.C)
		copy(y, floatsAt(a.Src, p*a.SrcPixel, a.C))
		for c := range index {
			index[c] = int32(a.Tap)
		}
		for i := range a.Rows {
			for k := range a.Cols {
				x := floatsAt(a.Src, p*a.SrcPixel+i*a.SrcRow+k*a.SrcCol, a.C)
				tap := int32(a.Tap + i*a.TapRow + k*a.TapCol)
				for c, v := range x {
					if !(v <= y[c]) && y[c] == y[c] {
						y[c], index[c] = v, tap
					}
				}
			}
		}
	}
}

func poolAvgGo(a *asm.PoolRun) {
	for p := range a.Pixels {
		y := floatsAt(a.Dst, p*a.DstPixel, a.C)
		clear(y)
		for i := range a.Rows {
			for k := range a.Cols {
				x := floatsAt(a.Src, p*a.SrcPixel+i*a.SrcRow+k*a.SrcCol, a.C)
				for c, v := range x {
					y[c] += v
				}
			}
		}
		for c := range y {
			y[c] /= a.Count
		}
	}
}

func poolMaxGradGo(a *asm.PoolRun) { poolGradGo(a, true) }

func poolAvgGradGo(a *asm.PoolRun) { poolGradGo(a, false) }

// poolGradGo sums 16 channels at a time over the windows of each pixel.
func poolGradGo(a *asm.PoolRun, isMax bool) {
	for p := range a.Pixels {
		dx := floatsAt(a.Dst, p*a.DstPixel, a.C)
		for c := 0; c < a.C; c += 16 {
			var s [16]float32
			n := min(16, a.C-c)
			for i := range a.Rows {
				for k := range a.Cols {
					at := 4*c + p*a.SrcPixel + i*a.SrcRow + k*a.SrcCol
					dy := floatsAt(a.Src, at, n)
					if !isMax {
						inv := floatsAt(a.Inv, p*a.InvPixel+i*a.InvRow+k*a.InvCol, 1)[0]
						for l, v := range dy {
							s[l] += float32(v * inv)
						}
						continue
					}
					index := unsafe.Slice((*int32)(unsafe.Add(a.Index, at)), n)
					tap := int32(a.Tap + i*a.TapRow + k*a.TapCol)
					for l, v := range dy {
						if index[l] == tap {
							s[l] += v
						}
					}
				}
			}
			for l := range n {
				if a.Acc {
					s[l] += dx[c+l]
				}
				dx[c+l] = s[l]
			}
		}
	}
}
