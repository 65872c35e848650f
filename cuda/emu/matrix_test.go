package emu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestProducts runs each mma shape on random matrices that its fragments are
// filled from by the manual's formulas, written here on their own.
func TestProducts(t *testing.T) {
	for name, p := range products {
		t.Run(name, func(t *testing.T) {
			shape, kind, _ := strings.Cut(name, ".")
			rng := rand.New(rand.NewPCG(3, uint64(p.k)))
			r := newRig(t, Config{})
			regs := func(s string, n int) string {
				var l []string
				for i := range n {
					l = append(l, fmt.Sprintf("%%%s%d", s, i))
				}
				return "{" + strings.Join(l, ",") + "}"
			}
			var b strings.Builder
			b.WriteString(".reg .b32 %a<4>, %b<4>, %t; .reg .f32 %c<4>, %d<4>; .reg .b64 %p<5>; mov.u32 %t, %tid.x; mul.wide.u32 %p4, %t, 16;\n")
			for i, s := range []string{"a", "b", "c", "d"} {
				fmt.Fprintf(&b, "ld.param.u64 %%p%d, [%s]; add.u64 %%p%d, %%p%d, %%p4;\n", i, s, i, i)
			}
			b.WriteString("ld.global.v4.b32 " + regs("a", 4) + ", [%p0]; ld.global.v4.b32 " + regs("b", 4) + ", [%p1]; ld.global.v4.f32 " + regs("c", 4) + ", [%p2];\n")
			fmt.Fprintf(&b, "mma.sync.aligned.%s.row.col.f32.%s.%s.f32 %s, %s, %s, %s;\n", shape, kind, kind, regs("d", 4), regs("a", p.na), regs("b", p.nb), regs("c", 4))
			b.WriteString("st.global.v4.f32 [%p3], " + regs("d", 4) + "; ret;")
			f := r.kernel(ptx(".param .u64 a, .param .u64 b, .param .u64 c, .param .u64 d", b.String()))

			tt := types[kind]
			var a [16][16]float64
			var bm [16][8]float64
			var fa, fb [32][4]uint32
			var fc [32][4]float32
			value := func() float64 { return tt.format().round(rng.NormFloat64(), "rn") }
			for lane := range 32 {
				g, q := lane/4, lane%4
				for e := range p.na * p.per {
					// a0,a1: row g; a2,a3: row g+8; a4..: k+8 (16-bit). tf32: a0 row g,
					// a1 row g+8, a2 row g column+4, a3 row g+8 column+4.
					i := e / p.per
					row := g
					if i%2 == 1 {
						row += 8
					}
					col := q*p.per + e%p.per
					if i >= 2 {
						col += p.k / 2
					}
					v := value()
					a[row][col] = v
					fa[lane][i] |= uint32(tt.pack(v)) << (16 * (e % p.per))
				}
				for e := range p.nb * p.per {
					i := e / p.per
					row := q*p.per + e%p.per
					if i == 1 {
						row += p.k / 2
					}
					v := value()
					bm[row][g] = v
					fb[lane][i] |= uint32(tt.pack(v)) << (16 * (e % p.per))
				}
				for i := range 4 {
					fc[lane][i] = float32(rng.NormFloat64())
					if kind == "tf32" { // the low 13 bits count for nothing
						fa[lane][i] |= rng.Uint32() & 0x1fff
						fb[lane][i] |= rng.Uint32() & 0x1fff
					}
				}
			}
			out := r.empty(512)
			r.launch(f, 1, 32, r.buffer(fa), r.buffer(fb), r.buffer(fc), out)
			var got [32][4]float32
			r.read(&got, out)
			for lane := range 32 {
				for i := range 4 {
					row, col := lane/4+i/2*8, lane%4*2+i%2
					want := float64(fc[lane][i])
					for k := range p.k {
						want += a[row][k] * bm[k][col]
					}
					if d := math.Abs(float64(got[lane][i]) - want); d > 1e-6*(1+math.Abs(want)) {
						t.Fatalf("element (%d,%d) is %v, want %v", row, col, got[lane][i], want)
					}
				}
			}
		})
	}
}

// TestLoadMatrix loads one, two and four matrices, plain and turned.
func TestLoadMatrix(t *testing.T) {
	for _, n := range []int{1, 2, 4} {
		for _, trans := range []bool{false, true} {
			mod, list := "", "{%m0}"
			if trans {
				mod = ".trans"
			}
			if n == 2 {
				list = "{%m0,%m1}"
			} else if n == 4 {
				list = "{%m0,%m1,%m2,%m3}"
			}
			body := `.reg .b32 %r<8>, %m<4>; .reg .b64 %d<3>; .reg .b16 %h; .shared .align 16 .b16 s[256];
				mov.u32 %r0, %tid.x; mov.u32 %m0, 0; mov.u32 %m1, 0; mov.u32 %m2, 0; mov.u32 %m3, 0; mov.u32 %r1, s; mov.u32 %r2, %r0;
			L:	mad.lo.u32 %r3, %r2, 2, %r1; st.shared.u16 [%r3], %r2; add.u32 %r2, %r2, 32; .reg .pred %p; setp.lt.u32 %p, %r2, 256; @%p bra L;
				bar.warp.sync -1; mad.lo.u32 %r4, %r0, 16, %r1;
				ldmatrix.sync.aligned.m8n8.x` + fmt.Sprint(n) + mod + `.shared.b16 ` + list + `, [%r4];
				ld.param.u64 %d0, [out]; mul.wide.u32 %d1, %r0, 16; add.u64 %d0, %d0, %d1; st.global.v4.b32 [%d0], {%m0,%m1,%m2,%m3}; ret;`
			r := newRig(t, Config{})
			out := r.empty(512)
			r.launch(r.kernel(ptx(".param .u64 out", body)), 1, 32, out)
			var got [32][4][2]uint16
			r.read(&got, out)
			for lane := range 32 {
				for i := range n {
					for e := range 2 {
						row, col := lane/4, lane%4*2+e
						if trans {
							row, col = col, row
						}
						if g, w := got[lane][i][e], uint16(i*64+row*8+col); g != w {
							t.Fatalf("x%d%s: lane %d register %d half %d is %d, want %d", n, mod, lane, i, e, g, w)
						}
					}
				}
			}
		}
	}
}

// TestAsyncCopy: sizes, zero fill, and groups that land one after the other.
func TestAsyncCopy(t *testing.T) {
	for _, size := range []int{4, 8, 16} {
		body := fmt.Sprintf(`.reg .b32 %%r<8>; .reg .b64 %%d<4>; .reg .f32 %%f<4>; .shared .align 16 .b8 s[1024];
			ld.param.u64 %%d0, [in]; ld.param.u64 %%d1, [out]; mov.u32 %%r0, %%tid.x; mul.wide.u32 %%d2, %%r0, %[1]d; add.u64 %%d0, %%d0, %%d2; add.u64 %%d1, %%d1, %%d2;
			mov.u32 %%r1, s; mad.lo.u32 %%r2, %%r0, %[1]d, %%r1; and.b32 %%r3, %%r0, 3; mul.lo.u32 %%r3, %%r3, 4; min.u32 %%r3, %%r3, %[1]d;
			cp.async.ca.shared.global [%%r2], [%%d0], %[1]d, %%r3; cp.async.commit_group;
			cp.async.ca.shared.global [%%r2+512], [%%d0], %[1]d; cp.async.commit_group;
			cp.async.wait_group 1; ld.shared.b32 %%r4, [%%r2]; cp.async.wait_all; ld.shared.b32 %%r5, [%%r2+%[2]d];
			st.global.b32 [%%d1], %%r4; st.global.b32 [%%d1+%[3]d], %%r5; ret;`, size, 512+size-4, size-4)
		if size == 4 {
			body = strings.Replace(body, "st.global.b32 [%d1], %r4;", "", 1)
		}
		r := newRig(t, Config{})
		in := make([]uint32, 32*size/4)
		for i := range in {
			in[i] = uint32(i + 1)
		}
		out := r.buffer(in)
		r.launch(r.kernel(ptx(".param .u64 in, .param .u64 out", body)), 1, 32, r.buffer(in), out)
		got := make([]uint32, len(in))
		r.read(got, out)
		for lane := range 32 {
			w := size / 4
			first, last := got[lane*w], got[lane*w+w-1]
			want := uint32(lane*w + 1)
			if lane%4 == 0 {
				want = 0 // no byte of the source was read
			}
			if last != in[lane*w+w-1] || size > 4 && first != want {
				t.Fatalf("%d bytes, lane %d: %d and %d of %v", size, lane, first, last, in[lane*w:lane*w+w])
			}
		}
	}
}

// TestBankConflicts counts passes of known patterns.
func TestBankConflicts(t *testing.T) {
	for _, c := range []struct {
		stride    int
		access    string
		passes    int64
		conflicts int64
	}{{4, "f32 %f0", 1, 0}, {8, "f32 %f0", 2, 1}, {128, "f32 %f0", 32, 31}, {0, "f32 %f0", 1, 0}, {132, "f32 %f0", 1, 0}, {16, "v4.f32 {%f0,%f1,%f2,%f3}", 4, 0}, {8, "v2.f32 {%f0,%f1}", 2, 0}, {16, "v2.f32 {%f0,%f1}", 4, 2}} {
		kind, reg, _ := strings.Cut(c.access, " ")
		body := fmt.Sprintf(`.reg .b32 %%r<4>; .reg .f32 %%f<4>; .shared .align 16 .b8 s[4608]; mov.u32 %%r0, %%tid.x; mov.u32 %%r1, s; mad.lo.u32 %%r2, %%r0, %d, %%r1;
			mov.f32 %%f0, 0f00000000; mov.f32 %%f1, %%f0; mov.f32 %%f2, %%f0; mov.f32 %%f3, %%f0; st.shared.%s [%%r2], %s; ret;`, c.stride, kind, reg)
		r := newRig(t, Config{})
		r.launch(r.kernel(ptx("", body)), 1, 32)
		n := r.Counters("k")
		if n.SharedWavefronts != c.passes || n.BankConflicts != c.conflicts || n.SharedAccesses != 1 || n.Instructions != 9 {
			t.Errorf("stride %d, %s: %d passes, %d conflicts, want %d, %d (%+v)", c.stride, kind, n.SharedWavefronts, n.BankConflicts, c.passes, c.conflicts, n)
		}
	}
}
