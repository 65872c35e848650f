package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The portable rows of batch norm: the assembly's loops with float32(x*y)+z in
// place of a fused multiply-add.

// floatsAt is n float32 at p + off bytes, nil for a nil p.
func floatsAt(p unsafe.Pointer, off, n int) []float32 {
	if p == nil {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Add(p, off)), n)
}

func normStatsGo(a *asm.NormSums) {
	for _, u := range a.Unit[:a.N] {
		var sum, sq [16]float32
		s, q := sum[:a.Lanes], sq[:a.Lanes]
		shift := floatsAt(a.Coef, u.Coef, a.Lanes)
		for r := range a.Rows {
			x := floatsAt(a.X, u.X+r*a.Ld, a.Lanes)
			for c := range s {
				d := x[c] - shift[c]
				s[c] += d
				q[c] = float32(d*d) + q[c]
			}
		}
		copy(floatsAt(a.Part, u.Part, a.Lanes), s)
		copy(floatsAt(a.Part, u.Part+a.Second, a.Lanes), q)
	}
}

func normReduceGo(a *asm.NormSums) {
	for k, u := range a.Unit[:a.N] {
		var sum, sq [16]float32
		s, q := sum[:a.Lanes], sq[:a.Lanes]
		mean := floatsAt(a.Coef, u.Coef, a.Lanes)
		for r := range a.Rows {
			at := u.X + r*a.Ld
			x, dy := floatsAt(a.X, at, a.Lanes), floatsAt(a.DY, at, a.Lanes)
			mask, resid := floatsAt(a.Mask, at, a.Lanes), floatsAt(a.Resid, at, a.Lanes)
			for c := range s {
				g := dy[c]
				if mask != nil && !(mask[c] > 0) || mask == nil && a.Gate != nil && !(float32(x[c]*a.Gate[k][0][c])+a.Gate[k][1][c] > 0) {
					g = 0
				}
				s[c] += g
				q[c] = float32(g*(x[c]-mean[c])) + q[c]
				if resid == nil {
					continue
				}
				if a.Acc {
					g += resid[c]
				}
				resid[c] = g
			}
		}
		copy(floatsAt(a.Part, u.Part, a.Lanes), s)
		copy(floatsAt(a.Part, u.Part+a.Second, a.Lanes), q)
	}
}

func normApplyGo(a *asm.NormSpan) {
	scale, shift := floatsAt(a.A, 0, a.N), floatsAt(a.C, 0, a.N)
	for r := range a.Rows {
		at := 4 * r * a.N
		x, y, res := floatsAt(a.X, at, a.N), floatsAt(a.Y, at, a.N), floatsAt(a.Resid, at, a.N)
		for i := range y {
			v := float32(x[i]*scale[i]) + shift[i]
			if res != nil {
				v += res[i]
			}
			if a.ReLU && v <= 0 {
				v = 0
			}
			y[i] = v
		}
	}
}

func normBackwardGo(a *asm.NormSpan) {
	ca, cb, cc := floatsAt(a.A, 0, a.N), floatsAt(a.B, 0, a.N), floatsAt(a.C, 0, a.N)
	scale, shift := floatsAt(a.Scale, 0, a.N), floatsAt(a.Shift, 0, a.N)
	for r := range a.Rows {
		at := 4 * r * a.N
		x, dy, mask, dx := floatsAt(a.X, at, a.N), floatsAt(a.DY, at, a.N), floatsAt(a.Mask, at, a.N), floatsAt(a.Y, at, a.N)
		for i := range dx {
			g := dy[i]
			if mask != nil && !(mask[i] > 0) || mask == nil && scale != nil && !(float32(x[i]*scale[i])+shift[i] > 0) {
				g = 0
			}
			v := float32(ca[i]*g) + (float32(cb[i]*x[i]) + cc[i])
			if a.Acc {
				v += dx[i]
			}
			dx[i] = v
		}
	}
}
