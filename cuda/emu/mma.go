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
	k      int // depth; M is 16, N is 8
	per    int // elements in a register
	na, nb int // registers of A and B
	kind   byte
}

var products = map[string]product{
	"m16n8k4.tf32":  {4, 1, 2, 1, 't'},
	"m16n8k8.tf32":  {8, 1, 4, 2, 't'},
	"m16n8k8.bf16":  {8, 2, 2, 1, 'g'},
	"m16n8k16.bf16": {16, 2, 4, 2, 'g'},
	"m16n8k8.f16":   {8, 2, 2, 1, 'f'},
	"m16n8k16.f16":  {16, 2, 4, 2, 'f'},
}

// spread writes the elements of a register. Of a tf32 the low 13 bits count
// for nothing, as in the hardware.
func (p *product) spread(to []float64, u uint32) {
	switch p.kind {
	case 't':
		to[0] = float64(math.Float32frombits(u &^ 0x1fff))
	case 'g':
		to[0] = float64(math.Float32frombits(u << 16))
		to[1] = float64(math.Float32frombits(u >> 16 << 16))
	default:
		to[0], to[1] = half(uint16(u)), half(uint16(u>>16))
	}
}

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
			for l := range x {
				p.spread(a[l/4+8*(i%2)][l%4*p.per+4*p.per*(i/2):], uint32(x[l]))
			}
		}
		for i, r := range rb {
			x := w.src(r, full)
			for l := range x {
				p.spread(b[l/4][l%4*p.per+4*p.per*i:], uint32(x[l]))
			}
		}
		c0, c1, c2, c3 := w.src(rc[0], full), w.src(rc[1], full), w.src(rc[2], full), w.src(rc[3], full)
		var z [4]vec
		for l := range 32 {
			x, y := a[l/4][:p.k], a[l/4+8][:p.k]
			u, v := b[l%4*2][:p.k], b[l%4*2+1][:p.k]
			s0, s1, s2, s3 := float64(f32(c0[l])), float64(f32(c1[l])), float64(f32(c2[l])), float64(f32(c3[l]))
			for k := range x {
				s0 += x[k] * u[k]
				s1 += x[k] * v[k]
				s2 += y[k] * u[k]
				s3 += y[k] * v[k]
			}
			z[0][l], z[1][l], z[2][l], z[3][l] = bits32(float32(s0)), bits32(float32(s1)), bits32(float32(s2)), bits32(float32(s3))
		}
		for i, r := range out {
			*w.dst(r, full) = z[i]
		}
		w.b.n.Matrix++
	}
}
