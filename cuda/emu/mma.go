package emu

import (
	"encoding/binary"
	"math"
)

// loadMatrix decodes ldmatrix: lanes 8i to 8i+7 give the rows of 16 bytes of
// matrix i; lane l gets elements 2(l%4) and 2(l%4)+1 of row l/4, or of column
// l/4 with .trans.
func loadMatrix(d *decoder) {
	d.want("the form", "sync")
	d.want("the form", "aligned")
	d.want("the shape", "m8n8")
	n := map[string]int{"x1": 1, "x2": 2, "x4": 4}[d.want("the count", "x1", "x2", "x4")]
	trans := d.flag("trans")
	space := d.oneOf("shared", "shared::cta")
	if space != "" {
		space = "shared"
	}
	d.typed("b16")
	d.operands(2, 2)
	out := d.fragment(0, n, maskType, true)
	base, off := d.addr(1, space)
	d.unit("shared", 16)
	lanes := uint32(1)<<(8*n) - 1
	if n == 4 {
		lanes = full
	}
	d.in.run = func(w *warp, act uint32) {
		w.allLanes(act)
		x := w.src(base, lanes)
		var rows [32][16]byte
		for l := range 8 * n {
			a := x[l] + off
			copy(rows[l][:], w.at(space, l, a, 16, reads))
			if w.addr[l] = a; space == "" {
				w.addr[l] -= sharedWindow
			}
		}
		w.release()
		for i, r := range out {
			z := w.dst(r, full)
			for l := range z {
				g, t := l/4, l%4
				if trans {
					lo := binary.LittleEndian.Uint16(rows[8*i+2*t][2*g:])
					hi := binary.LittleEndian.Uint16(rows[8*i+2*t+1][2*g:])
					z[l] = uint64(lo) | uint64(hi)<<16
				} else {
					z[l] = uint64(binary.LittleEndian.Uint32(rows[8*i+g][4*t:]))
				}
			}
		}
		w.countShared(lanes, 16)
	}
}

// moveMatrix decodes movmatrix: an 8 by 8 matrix of 16-bit elements turned.
func moveMatrix(d *decoder) {
	for _, s := range []string{"sync", "aligned", "m8n8", "trans"} {
		d.want("the form", s)
	}
	d.typed("b16")
	d.operands(2, 2)
	o, a := d.dst(0, maskType), d.src(1, maskType)
	d.in.run = func(w *warp, act uint32) {
		w.allLanes(act)
		x := *w.src(a, act)
		z := w.dst(o, act)
		element := func(row, col int) uint64 { return x[row*4+col/2] >> (16 * (col % 2)) & 0xffff }
		for l := range z {
			g, t := l/4, l%4
			z[l] = element(2*t, g) | element(2*t+1, g)<<16
		}
	}
}

// product is the shape of an mma instruction.
type product struct {
	k       int // depth; M is 16, N is 8
	per     int // elements in a register
	na, nb  int // registers of A and B
	element func(u uint32, i int) float64
}

var products = map[string]product{
	"m16n8k4.tf32":  {4, 1, 2, 1, elementTF32},
	"m16n8k8.tf32":  {8, 1, 4, 2, elementTF32},
	"m16n8k8.bf16":  {8, 2, 2, 1, elementBF16},
	"m16n8k16.bf16": {16, 2, 4, 2, elementBF16},
	"m16n8k8.f16":   {8, 2, 2, 1, elementF16},
	"m16n8k16.f16":  {16, 2, 4, 2, elementF16},
}

// elementTF32 ignores the low 13 bits, as the hardware does.
func elementTF32(u uint32, _ int) float64 { return float64(math.Float32frombits(u &^ 0x1fff)) }
func elementBF16(u uint32, i int) float64 {
	return float64(math.Float32frombits(u >> (16 * i) << 16))
}
func elementF16(u uint32, i int) float64 { return half(uint16(u >> (16 * i))) }

// matrixProduct decodes mma.sync with float32 sums: D = A B + C.
//
// With g = lane/4 and t = lane%4, and p elements to a register: register i of A
// holds row g + 8(i%2), columns p t + 4p (i/2) and on; register i of B holds
// column g, rows p t + 4p i and on; register i of C and D holds row g + 8(i/2),
// column 2t + i%2. The sum of the exact products and C is rounded once, to
// nearest; hardware adds in an order and rounding of its own.
func matrixProduct(d *decoder) {
	d.want("the form", "sync")
	d.want("the form", "aligned")
	shape := d.want("the shape", "m16n8k4", "m16n8k8", "m16n8k16")
	d.want("the layout of A", "row")
	d.want("the layout of B", "col")
	d.typed("f32")
	in := d.want("the type", "tf32", "bf16", "f16")
	d.want("the type of B", in)
	d.typed("f32")
	p, ok := products[shape+"."+in]
	if !ok {
		d.fail("mma %s of %s", shape, in)
	}
	d.operands(4, 4)
	f := types["f32"]
	out := d.fragment(0, 4, f, true)
	ra, rb := d.fragment(1, p.na, maskType, false), d.fragment(2, p.nb, maskType, false)
	rc := d.fragment(3, 4, f, false)
	d.in.run = func(w *warp, act uint32) {
		w.allLanes(act)
		var a [16][16]float64
		var b [8][16]float64
		for i, r := range ra {
			x := w.src(r, full)
			for l, u := range x {
				row, col := l/4+8*(i%2), l%4*p.per+4*p.per*(i/2)
				for e := range p.per {
					a[row][col+e] = p.element(uint32(u), e)
				}
			}
		}
		for i, r := range rb {
			x := w.src(r, full)
			for l, u := range x {
				for e := range p.per {
					b[l/4][l%4*p.per+4*p.per*i+e] = p.element(uint32(u), e)
				}
			}
		}
		var z [4]vec
		for i, r := range rc {
			c := w.src(r, full)
			for l := range c {
				x, y := &a[l/4+8*(i/2)], &b[l%4*2+i%2]
				s := float64(f32(c[l]))
				for k := range p.k {
					s += x[k] * y[k]
				}
				z[i][l] = bits32(float32(s))
			}
		}
		for i, r := range out {
			*w.dst(r, full) = z[i]
		}
		w.b.n.Matrix++
	}
}
