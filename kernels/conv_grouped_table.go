package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// groupedRow is one implementation of the kernels over channels for groups of
// few; their loops stand in asm/grouped_amd64.go.
type groupedRow struct {
	Kernel
	Lanes int  // of a vector
	Whole bool // blocks are whole vectors, of as many channels in source and destination
	Past  bool // Run has a mode that stores past the caches
	Run   func(pixels, cin, cout, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int, lanes *asm.GroupLanes)
	Grad  func(segs int, seg *uintptr, cdy, cx, dyStep, xStep int, dst *float32, ldj, ldt int, load bool, dyAhead, xAhead int, lanes *asm.GroupLanes, j int)
}

// groupedTaps and groupedOutputs are what a call of Grad takes.
const groupedTaps, groupedOutputs = 3, 4

// groupedTable is the family "grouped".
var groupedTable = register([]groupedRow{
	{
		Kernel: Kernel{Op: "grouped", Name: "avx512", Needs: asm.AVX2 | asm.AVX512}, Lanes: 16, Past: true,
		Run: asm.GroupedAVX512, Grad: asm.GroupedGradAVX512,
	},
	{
		Kernel: Kernel{Op: "grouped", Name: "avx2", Needs: asm.AVX2}, Lanes: 8, Whole: true,
		Run: asm.GroupedAVX2, Grad: asm.GroupedGradAVX2,
	},
	{
		Kernel: Kernel{Op: "grouped", Name: "go"}, Lanes: 16,
		Run: goGrouped, Grad: goGroupedGrad,
	},
})

// fits reports whether the row takes a shape that groupedFits.
func (r *groupedRow) fits(s *ConvShape) bool {
	return !r.Whole || s.C == s.OC && r.Lanes%(s.C/s.Groups) == 0 && s.C%r.Lanes == 0
}

// groupLanes lays groups of sc source and dc destination channels side by side.
func (r *groupedRow) groupLanes(l *asm.GroupLanes, sc, dc int) {
	n := r.Lanes / max(sc, dc)
	*l = asm.GroupLanes{In: n * sc, Out: n * dc, Depth: sc}
	for i := range sc {
		for o := range l.Out {
			l.Index[i][o] = int32(o/dc*sc + i)
		}
	}
}

// goGrouped and goGroupedGrad are the portable kernels. Where the others fuse,
// products and sums round separately here (see goRow4x4).
func goGrouped(pixels, _, cout, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int, lanes *asm.GroupLanes) {
	for p := range pixels {
		for o, to := 0, floats(advance(dst, p*step), cout); o < cout; o++ {
			at := at + o/lanes.Out*lanes.In + p*src
			var s float32
			for t, x := range unsafe.Slice(tap, taps) {
				for i := range lanes.Depth {
					v := *(*float32)(unsafe.Add(x, 4*(at+int(lanes.Index[i][o%lanes.Out]))))
					s = float32(v**advance(w, (t*lanes.Depth+i)*ldw+o)) + s
				}
			}
			if mode == storeAdd {
				s += to[o]
			}
			to[o] = s
		}
	}
}

func goGroupedGrad(segs int, seg *uintptr, _, cx, dyStep, xStep int, dst *float32, ldj, ldt int, load bool, _, _ int, lanes *asm.GroupLanes, j int) {
	words := unsafe.Slice((*unsafe.Pointer)(unsafe.Pointer(seg)), segs*(groupedTaps+2))
	for c := range cx {
		var s [groupedTaps][groupedOutputs]float32
		for at := words; len(at) > 0; at = at[groupedTaps+2:] {
			for p := range int(uintptr(at[0])) {
				for i := range groupedOutputs {
					k := c/lanes.Out*lanes.In + int(lanes.Index[j+i][c%lanes.Out])
					dy := *(*float32)(unsafe.Add(at[1], 4*(p*dyStep+k)))
					for t := range groupedTaps {
						s[t][i] = float32(dy**(*float32)(unsafe.Add(at[2+t], 4*(p*xStep+c)))) + s[t][i]
					}
				}
			}
		}
		for t := range s {
			for i, v := range s[t] {
				to := advance(dst, t*ldt+i*ldj+c)
				if load {
					v += *to
				}
				*to = v
			}
		}
	}
}
