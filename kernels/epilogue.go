package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// rowHelpers is what happens to rows before and after a product: the
// prologues, and the passes of an epilogue over a block of m x n of C. The
// formulas stand in asm/epilogue_amd64.go; m and n are at least 1, any n.
type rowHelpers struct {
	copy   func(m, n int, dst *float32, ldd int, src *float32, lds int)
	past   func(m, n int, dst *float32, ldd int, src *float32, lds int) // copy past the caches, whole lines; nil: none
	stats  func(m, n int, c *float32, ldc int, shift, sum, sq *float32)
	add    func(m, n int, c *float32, ldc int, x *float32, ldx int)
	finish func(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)
	affine func(m, n int, dst *float32, ldd int, x *float32, ldx int, scale, shift *float32, relu bool)
	bnBack func(m, n int, dst *float32, ldd int, dy *float32, lddy int, x, mask *float32, ld int, scale, shift, a, b, c *float32)
}

var (
	rowsAVX512 = rowHelpers{copyRowsAVX512, asm.CopyRowsPastAVX512, asm.StatsRowsAVX512, asm.AddRowsAVX512, asm.FinishRowsAVX512, asm.AffineRowsAVX512, asm.BNBackRowsAVX512}
	rowsAVX2   = rowHelpers{copyRowsAVX2, nil, asm.StatsRowsAVX2, asm.AddRowsAVX2, asm.FinishRowsAVX2, asm.AffineRowsAVX2, asm.BNBackRowsAVX2}
	rowsGo     = rowHelpers{goCopyRows, nil, goStatsRows, goAddRows, goFinishRows, goAffineRows, goBNBackRows}
)

// floats is n elements from p, nil for a nil p.
func floats(p *float32, n int) []float32 {
	if p == nil {
		return nil
	}
	return unsafe.Slice(p, n)
}

// elem is the address of element off of m, nil when m was not given.
func elem(m Mem, off int) *float32 {
	if m.Host == nil {
		return nil
	}
	return (*float32)(unsafe.Add(m.Host, off*4))
}

// advance is p moved by n elements; nil stays nil.
func advance(p *float32, n int) *float32 {
	if p == nil {
		return nil
	}
	return (*float32)(unsafe.Add(unsafe.Pointer(p), n*4))
}

// relu32 is the contract's ReLU: v > 0 ? v : 0, NaN stays.
func relu32(v float32) float32 {
	if v <= 0 {
		return 0
	}
	return v
}

func goStatsRows(m, n int, c *float32, ldc int, shift, sum, sq *float32) {
	sh, s, q := floats(shift, n), floats(sum, n), floats(sq, n)
	clear(s)
	clear(q)
	for i := range m {
		for j, d := range floats(advance(c, i*ldc), n) {
			if sh != nil {
				d -= sh[j]
			}
			s[j] += d
			q[j] = float32(d*d) + q[j]
		}
	}
}

func goCopyRows(m, n int, dst *float32, ldd int, src *float32, lds int) {
	for i := range m {
		copy(floats(advance(dst, i*ldd), n), floats(advance(src, i*lds), n))
	}
}

// copyRowsAVX512 and copyRowsAVX2 copy short rows together: a call of copy for
// each would cost more than the row. Long ones are copied one after the other,
// since a stripe of columns touches a page for every row.
func copyRowsAVX512(m, n int, dst *float32, ldd int, src *float32, lds int) {
	if n <= 64 {
		asm.CopyRowsAVX512(m, n, dst, ldd, src, lds)
		return
	}
	goCopyRows(m, n, dst, ldd, src, lds)
}

func copyRowsAVX2(m, n int, dst *float32, ldd int, src *float32, lds int) {
	if n <= 32 {
		asm.CopyRowsAVX2(m, n, dst, ldd, src, lds)
		return
	}
	goCopyRows(m, n, dst, ldd, src, lds)
}

func goAddRows(m, n int, c *float32, ldc int, x *float32, ldx int) {
	for i := range m {
		to := floats(advance(c, i*ldc), n)
		for j, v := range floats(advance(x, i*ldx), n) {
			to[j] += v
		}
	}
}

func goFinishRows(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool) {
	b := floats(bias, n)
	for i := range m {
		to, r := floats(advance(c, i*ldc), n), floats(advance(res, i*ldres), n)
		for j, v := range to {
			if b != nil {
				v += b[j]
			}
			if r != nil {
				v += r[j]
			}
			if relu {
				v = relu32(v)
			}
			to[j] = v
		}
	}
}

func goAffineRows(m, n int, dst *float32, ldd int, x *float32, ldx int, scale, shift *float32, relu bool) {
	s, t := floats(scale, n), floats(shift, n)
	for i := range m {
		to := floats(advance(dst, i*ldd), n)
		for j, v := range floats(advance(x, i*ldx), n) {
			v = float32(v*s[j]) + t[j]
			if relu {
				v = relu32(v)
			}
			to[j] = v
		}
	}
}

func goBNBackRows(m, n int, dst *float32, ldd int, dy *float32, lddy int, x, mask *float32, ld int, scale, shift, a, b, c *float32) {
	s, t := floats(scale, n), floats(shift, n)
	ca, cb, cc := floats(a, n), floats(b, n), floats(c, n)
	for i := range m {
		to, d, mk := floats(advance(dst, i*ldd), n), floats(advance(dy, i*lddy), n), floats(advance(mask, i*ld), n)
		for j, v := range floats(advance(x, i*ld), n) {
			g := d[j]
			if mk != nil && !(mk[j] > 0) || mk == nil && s != nil && !(float32(v*s[j])+t[j] > 0) {
				g = 0
			}
			to[j] = float32(ca[j]*g) + (float32(cb[j]*v) + cc[j])
		}
	}
}

// prologueRows writes elements k0..k0+n-1 of rows r..r+m-1 of an operand into
// dst as the prologue makes them. width is the operand's last axis, src row
// r's element k0.
func (h *rowHelpers) prologueRows(p *Prologue, r, m, k0, n, width int, dst *float32, ldd int, src *float32, lds int) {
	for {
		set, run := k0, m
		if p.Group > 0 {
			set += r / p.Group * width
			run = min(m, p.Group-r%p.Group)
		}
		switch p.Kind {
		case ProAffine:
			h.affine(run, n, dst, ldd, src, lds, elem(p.Scale, set), elem(p.Shift, set), p.ReLU)
		case ProBNBackward:
			at := r*width + k0
			h.bnBack(run, n, dst, ldd, src, lds, elem(p.X, at), elem(p.Mask, at), width, elem(p.Scale, set), elem(p.Shift, set), elem(p.A, set), elem(p.B, set), elem(p.C, set))
		default:
			h.copy(run, n, dst, ldd, src, lds)
		}
		if r, m = r+run, m-run; m == 0 {
			return // no address past the last row
		}
		dst, src = advance(dst, run*ldd), advance(src, run*lds)
	}
}

// empty reports whether there is nothing to do.
func (e *Epilogue) empty() bool {
	return e.Stats.Part.IsNil() && e.Bias.IsNil() && e.Residual.IsNil() && !e.ReLU
}

// epilogueBlock finishes the block of m rows and n columns of C at (i, j):
// statistics of chunk number chunk, bias, residual, ReLU. cols is C's width.
func (h *rowHelpers) epilogueBlock(e *Epilogue, i, j, m, n, chunk, cols int, c *float32, ldc int) {
	if !e.Stats.Part.IsNil() {
		at := 2*chunk*cols + j
		h.stats(m, n, c, ldc, elem(e.Stats.Shift, j), elem(e.Stats.Part, at), elem(e.Stats.Part, at+cols))
	}
	if e.Bias.IsNil() && e.Residual.IsNil() && !e.ReLU {
		return
	}
	h.finish(m, n, c, ldc, elem(e.Bias, j), elem(e.Residual.Mem, i*e.Residual.Ld+j), e.Residual.Ld, e.ReLU)
}
