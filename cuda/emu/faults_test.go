package emu

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// wrongNumbers is a fault that only the result shows.
const wrongNumbers Kind = -1

// plant is one textual edit of a right kernel: the nth occurrence of old
// becomes new.
type plant struct {
	name     string
	old, new string
	nth      int
	want     []Kind
}

func (p plant) in(t *testing.T, text string) string {
	t.Helper()
	at := 0
	for i := 0; ; i++ {
		k := strings.Index(text[at:], p.old)
		if k < 0 {
			t.Fatalf("%q does not stand %d times in the kernel", p.old, p.nth+1)
		}
		at += k
		if i == p.nth {
			return text[:at] + p.new + text[at+len(p.old):]
		}
		at += len(p.old)
	}
}

// check runs the right kernel, which must pass, and the planted ones, which
// must not. run gives the relative error of the result.
func check(t *testing.T, text string, plants []plant, run func(r *rig, ptx string) (float64, error)) {
	t.Helper()
	caught := func(text string) (kind Kind, err error) {
		r := newRig(t, Config{Limit: 1 << 15})
		e, err := run(r, text)
		var f *Fault
		switch {
		case errors.As(err, &f):
			return f.Kind, f
		case err != nil:
			t.Fatal(err)
		case !(e < 1e-5):
			return wrongNumbers, fmt.Errorf("relative error %g", e)
		}
		return 0, nil
	}
	if _, err := caught(text); err != nil {
		t.Fatalf("the right kernel: %v", err)
	}
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			kind, err := caught(p.in(t, text))
			if err == nil {
				t.Fatal("not caught")
			}
			for _, k := range p.want {
				if k == kind {
					t.Log(err)
					return
				}
			}
			t.Errorf("caught as something else: %v", err)
		})
	}
}

// TestFaultsInGemm plants faults in a product with a ring of cp.async stages,
// swizzled shared memory, ldmatrix and mma.sync.
func TestFaultsInGemm(t *testing.T) {
	check(t, gemmText(t), []plant{
		{"missing barrier", "\tbar.sync 0;\n", "", 0, []Kind{Race, Uninitialised}},
		{"waits for one group too few", "cp.async.wait_group 1", "cp.async.wait_group 2", 0, []Kind{Race}},
		{"group not committed", "\tcp.async.commit_group;\n", "", 2, []Kind{Race}},
		{"ring too short for the writer", "setp.eq.u32 %p1, %r16, 49152", "setp.eq.u32 %p1, %r16, 32768", 0, []Kind{Race}},
		{"ring too long for the writer", "setp.eq.u32 %p4, %r16, 49152", "setp.eq.u32 %p4, %r16, 65536", 0, []Kind{OutOfBounds}},
		{"swizzle of the writer", "xor.b32 %r10, %r10, %r9", "or.b32 %r10, %r10, %r9", 0, []Kind{Race, Uninitialised}},
		{"swizzle of the reader", "xor.b32 %r24, %r24, %r30", "add.u32 %r24, %r24, %r30", 0, []Kind{wrongNumbers, Uninitialised, Race}},
		{"one stage too many loaded", "setp.ge.u32 %p3", "setp.gt.u32 %p3", 0, []Kind{OutOfBounds}},
		{"fragments of B swapped", "{%r48,%r49}, {%f0", "{%r49,%r48}, {%f0", 0, []Kind{wrongNumbers}},
		{"fragments of A swapped", "{%r32,%r33,%r34,%r35}, {%r48", "{%r33,%r32,%r34,%r35}, {%r48", 0, []Kind{wrongNumbers}},
		{"fragment of another tile", "{%r36,%r37,%r38,%r39}, {%r50", "{%r32,%r33,%r34,%r35}, {%r50", 0, []Kind{wrongNumbers}},
		{"sum not zeroed", "\tmov.f32 %f5, 0f00000000;\n", "", 0, []Kind{Uninitialised}},
		{"sum begins at one", "mov.f32 %f5, 0f00000000", "mov.f32 %f5, 0f3F800000", 0, []Kind{wrongNumbers}},
		{"ldmatrix turned", "x4.shared.b16", "x4.trans.shared.b16", 0, []Kind{wrongNumbers}},
		{"ldmatrix of the next rows", "[%r65+1024]", "[%r65+1088]", 0, []Kind{wrongNumbers, Uninitialised, Race}},
		{"ldmatrix misaligned", "[%r65+1024]", "[%r65+1032]", 0, []Kind{Misaligned}},
		{"copy misaligned", "[%r17+2048]", "[%r17+2056]", 0, []Kind{Misaligned}},
		{"copy over its neighbour", "[%r17+2048]", "[%r17+0]", 0, []Kind{Race}},
		{"row stride", "mul.wide.u32 %d5, %r1, 64", "mul.wide.u32 %d5, %r1, 66", 0, []Kind{OutOfBounds, Misaligned}},
		{"step along k", "add.u64 %d4, %d4, 64", "add.u64 %d4, %d4, 32", 0, []Kind{wrongNumbers}},
		{"shared array too small", "smem[49152]", "smem[49136]", 0, []Kind{OutOfBounds}},
		{"mask of the row", "and.b32 %r28, %r20, 15", "and.b32 %r28, %r20, 31", 0, []Kind{wrongNumbers, Uninitialised, Race}},
		{"mask of the chunk", "and.b32 %r9, %r4, 3", "and.b32 %r9, %r4, 1", 0, []Kind{Race, wrongNumbers, Uninitialised}},
		{"warp's column", "shr.u32 %r23, %r21, 1", "shr.u32 %r23, %r21, 2", 0, []Kind{Race, wrongNumbers}},
		{"loop runs once more", "setp.lt.u32 %p2, %r19, %r18", "setp.le.u32 %p2, %r19, %r18", 0, []Kind{wrongNumbers, Race}},
		{"loop ends early", "shr.u32 %r18, %r0, 5", "shr.u32 %r18, %r0, 6", 0, []Kind{wrongNumbers}},
		{"loop without end", "add.u32 %r19, %r19, 1", "add.u32 %r19, %r19, 0", 0, []Kind{Endless, OutOfBounds}},
		{"a warp leaves before the barrier", "cp.async.wait_group 1;", "cp.async.wait_group 1;\n\tsetp.eq.u32 %p0, %r21, 3;\n\t@%p0 ret;", 0, []Kind{DivergentBarrier}},
		{"lanes skip the barrier", "\tbar.sync 0;\n", "\tsetp.lt.u32 %p0, %r20, 16;\n\t@%p0 bar.sync 0;\n", 0, []Kind{DivergentBarrier}},
		{"lanes skip the product", "\tmma.sync", "\tsetp.lt.u32 %p0, %r20, 31;\n\t@%p0 mma.sync", 0, []Kind{DivergentWarp}},
		{"result beyond the matrix", "mad.lo.u32 %r67, %r6, 128, %r67", "mad.lo.u32 %r67, %r6, 128, %r4", 0, []Kind{OutOfBounds, Race, wrongNumbers}},
	}, func(r *rig, ptx string) (float64, error) { return r.gemm(ptx, 128, 128, 160) })
}

func TestFaultsInBlockSum(t *testing.T) {
	text := strings.Replace(ptx(sumParams, sumKernel), ".shared .align 4", ".shared .align 16", 1)
	check(t, text, []plant{
		{"missing barrier", "\tbar.sync 0;\n", "", 0, []Kind{Race, Uninitialised}},
		{"off by one in the tail", "setp.ge.u32 %p0", "setp.gt.u32 %p0", 0, []Kind{OutOfBounds}},
		{"sum not zeroed", "\tmov.f32 %f0, 0f00000000;\n", "", 0, []Kind{Uninitialised}},
		{"mask names half the warp", "31, -1;", "31, 0xffff;", 0, []Kind{DivergentWarp}},
		{"shuffle of the wrong lane", "shfl.sync.bfly", "shfl.sync.up", 0, []Kind{wrongNumbers}},
		{"shuffle clamped too low", "%r3, 31, -1", "%r3, 15, -1", 0, []Kind{wrongNumbers}},
		{"fold begins too low", "mov.u32 %r3, 16", "mov.u32 %r3, 8", 0, []Kind{wrongNumbers}},
		{"shared array too small", "part[8]", "part[7]", 0, []Kind{OutOfBounds}},
		{"misaligned vector load", "[part+16]", "[part+12]", 0, []Kind{Misaligned}},
		{"shared word nobody wrote", "setp.ne.u32 %p2, %r4, 0;", "setp.ne.u32 %p2, %r1, 0;", 0, []Kind{Uninitialised}},
		{"stride of the loop", "add.u32 %r2, %r2, 256", "add.u32 %r2, %r2, 128", 0, []Kind{wrongNumbers}},
		{"threads leave before the barrier", "\tbar.sync 0;\n", "\t@%p2 bra END;\n\tbar.sync 0;\n", 0, []Kind{DivergentBarrier}},
		{"every thread stores the result", "\t@%p3 bra END;\n", "", 0, []Kind{Race}},
		{"address register never set", "\tmov.u32 %r7, part;\n", "", 0, []Kind{Uninitialised}},
		{"address of the wrong space", "\tmov.u32 %r7, part;\n", "\tmov.u32 %r7, 0;\n", 0, []Kind{OutOfBounds}},
		{"element size", "mul.wide.u32 %d2, %r2, 4", "mul.wide.u32 %d2, %r2, 8", 0, []Kind{OutOfBounds}},
		{"element size of bytes", "mul.wide.u32 %d2, %r2, 4", "mul.wide.u32 %d2, %r2, 1", 0, []Kind{Misaligned}},
		{"result at the input", "ld.param.u64 %d1, [out]", "ld.param.u64 %d1, [in]", 0, []Kind{Race, wrongNumbers, Uninitialised}},
		{"loop without end", "add.u32 %r2, %r2, 256", "add.u32 %r2, %r2, 0", 0, []Kind{Endless}},
		{"wide address cut", "add.u64 %d2, %d2, %d0", "add.u64 %d2, %d2, 0", 0, []Kind{OutOfBounds}},
	}, sumRun)
}

func sumRun(r *rig, ptx string) (float64, error) {
	f := r.kernel(ptx)
	in := make([]float32, 1000)
	var want float64
	for i := range in {
		in[i] = float32(i % 17)
		want += float64(in[i])
	}
	out := r.empty(4)
	if err := r.try(f, x(1), x(256), 0, r.buffer(in), out, uint32(len(in))); err != nil {
		return 0, err
	}
	got := make([]float32, 1)
	r.read(got, out)
	return math.Abs(float64(got[0])-want) / want, nil
}
