package emu

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
)

const prologue = `.reg .pred %p<8>; .reg .b32 %r<32>; .reg .f32 %f<16>; .reg .b64 %d<8>;
	ld.param.u64 %d0, [out];
	mov.u32 %r0, %tid.x;
	mul.wide.u32 %d1, %r0, 4;
	add.u64 %d1, %d1, %d0;
`

// perThread runs a body that leaves a word in %r1 for each of n threads.
func perThread(t *testing.T, n int, body string) []uint32 {
	t.Helper()
	r := newRig(t, Config{})
	f := r.kernel(ptx(".param .u64 out", prologue+body+"\nst.global.u32 [%d1], %r1;\nret;"))
	out := r.empty(4 * n)
	r.launch(f, 1, n, out)
	got := make([]uint32, n)
	r.read(got, out)
	return got
}

func TestWarp(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		body string
		want func(i uint32) uint32
	}{
		{"lanes part and join", 64, `
			and.b32 %r2, %r0, 3; setp.eq.u32 %p0, %r2, 0; @%p0 bra A; setp.eq.u32 %p1, %r2, 1; @%p1 bra B;
			mov.u32 %r1, 30; bra C; A: mov.u32 %r1, 10; bra C; B: mov.u32 %r1, 20;
			C: redux.sync.add.u32 %r3, %r1, -1; add.u32 %r1, %r1, %r3;`,
			func(i uint32) uint32 { return []uint32{10, 20, 30, 30}[i%4] + 8*90 }},
		{"lanes loop a different number of times", 32, `
			mov.u32 %r1, 0; mov.u32 %r2, 0; L: add.u32 %r1, %r1, %r2; add.u32 %r2, %r2, 1; setp.le.u32 %p0, %r2, %r0; @%p0 bra L;
			activemask.b32 %r4; setp.ne.u32 %p1, %r4, -1; @%p1 mov.u32 %r1, 7777;`,
			func(i uint32) uint32 { return i * (i + 1) / 2 }},
		{"indexed branch", 32, `
			and.b32 %r2, %r0, 1; T: .branchtargets X, Y; brx.idx %r2, T; X: mov.u32 %r1, 5; bra E; Y: mov.u32 %r1, 6; E:`,
			func(i uint32) uint32 { return 5 + i%2 }},
		{"half the lanes end", 32, `
			mov.u32 %r1, 1; st.global.u32 [%d1], %r1; setp.lt.u32 %p0, %r0, 16; @%p0 exit; mov.u32 %r1, 2; bar.warp.sync 0xffff0000;`,
			func(i uint32) uint32 { return 1 + i/16 }},
		{"shuffle up in segments of 8", 32, `shfl.sync.up.b32 %r1|%p0, %r0, 3, 0x1800, -1; @!%p0 mov.u32 %r1, 99;`,
			func(i uint32) uint32 {
				if i%8 < 3 {
					return 99
				}
				return i - 3
			}},
		{"shuffle down", 32, `shfl.sync.down.b32 %r1, %r0, 5, 31, -1;`, func(i uint32) uint32 {
			if i+5 > 31 {
				return i
			}
			return i + 5
		}},
		{"shuffle by index", 32, `xor.b32 %r2, %r0, 21; shfl.sync.idx.b32 %r1, %r0, %r2, 31, -1;`, func(i uint32) uint32 { return i ^ 21 }},
		{"votes", 32, `
			setp.lt.u32 %p0, %r0, 7; vote.sync.ballot.b32 %r1, %p0, -1; vote.sync.any.pred %p1, %p0, -1; @%p1 add.u32 %r1, %r1, 1000;
			vote.sync.all.pred %p2, %p0, -1; @%p2 add.u32 %r1, %r1, 1000; vote.sync.uni.pred %p3, !%p0, -1; @%p3 add.u32 %r1, %r1, 1000;`,
			func(uint32) uint32 { return 127 + 1000 }},
		{"match", 32, `and.b32 %r2, %r0, 3; match.any.sync.b32 %r1, %r2, -1; match.all.sync.b32 %r3|%p0, %r2, -1; @%p0 mov.u32 %r1, 0; add.u32 %r1, %r1, %r3;`,
			func(i uint32) uint32 { return 0x11111111 << (i % 4) }},
		{"redux", 32, `
			redux.sync.max.s32 %r2, %r0, -1; redux.sync.min.u32 %r3, %r0, -1; redux.sync.xor.b32 %r4, %r0, -1; redux.sync.or.b32 %r5, %r0, -1;
			mad.lo.u32 %r1, %r2, 1000, %r3; add.u32 %r1, %r1, %r4; add.u32 %r1, %r1, %r5;`, func(uint32) uint32 { return 31*1000 + 31 }},
		{"lane masks", 32, `
			mov.u32 %r2, %lanemask_lt; mov.u32 %r3, %lanemask_ge; xor.b32 %r1, %r2, %r3; mov.u32 %r4, %lanemask_eq; and.b32 %r1, %r1, %r4;`,
			func(i uint32) uint32 { return 1 << i }},
		{"local array", 32, `
			.local .align 4 .b8 a[16]; st.local.u32 [a+4], %r0; mov.u64 %d2, a; cvta.local.u64 %d2, %d2; ld.u32 %r1, [%d2+4];`,
			func(i uint32) uint32 { return i }},
		{"generic shared address", 64, `
			.shared .u32 s[64]; mov.u64 %d2, s; cvta.shared.u64 %d3, %d2; mul.wide.u32 %d4, %r0, 4; add.u64 %d3, %d3, %d4; st.u32 [%d3], %r0;
			bar.sync 0; xor.b32 %r2, %r0, 63; mov.u32 %r3, s; mad.lo.u32 %r3, %r2, 4, %r3; ld.shared.u32 %r1, [%r3];`,
			func(i uint32) uint32 { return i ^ 63 }},
		{"named barriers pass data between pairs of warps", 128, `
			.shared .u32 s[128]; shr.u32 %r2, %r0, 6; add.u32 %r2, %r2, 1; mov.u32 %r3, s; mad.lo.u32 %r4, %r0, 4, %r3; st.shared.u32 [%r4], %r0;
			bar.sync %r2, 64; xor.b32 %r5, %r0, 32; mad.lo.u32 %r4, %r5, 4, %r3; ld.shared.u32 %r1, [%r4];`,
			func(i uint32) uint32 { return i ^ 32 }},
		{"producer arrives, consumer waits", 64, `
			.shared .u32 s[32]; mov.u32 %r3, s; and.b32 %r4, %r0, 31; mad.lo.u32 %r4, %r4, 4, %r3; setp.ge.u32 %p0, %r0, 32; @%p0 bra C;
			st.shared.u32 [%r4], %r0; bar.arrive 1, 64; mov.u32 %r1, 9; bra E; C: bar.sync 1, 64; ld.shared.u32 %r1, [%r4]; E:`,
			func(i uint32) uint32 {
				if i < 32 {
					return 9
				}
				return i - 32
			}},
		{"reduction at a barrier", 64, `
			setp.lt.u32 %p0, %r0, 40; barrier.cta.red.popc.aligned.u32 %r1, 0, %p0; bar.red.and.pred %p1, 0, %p0; @%p1 mov.u32 %r1, 0; bar.red.or.pred %p2, 0, %p0; @%p2 add.u32 %r1, %r1, 1;`,
			func(uint32) uint32 { return 41 }},
		{"atomics in shared memory", 64, `
			.shared .u32 s[4]; setp.ge.u32 %p0, %r0, 4; mov.u32 %r3, s; mad.lo.u32 %r4, %r0, 4, %r3; mov.u32 %r5, 0; @!%p0 st.shared.u32 [%r4], %r5; bar.sync 0;
			red.shared.add.u32 [s], %r0; atom.shared.max.s32 %r6, [s+4], %r0; atom.shared.inc.u32 %r7, [s+8], 6; atom.shared.cas.b32 %r8, [s+12], 0, 77; bar.sync 0;
			ld.shared.v4.u32 {%r10,%r11,%r12,%r13}, [s]; mad.lo.u32 %r1, %r11, 10000, %r10; mad.lo.u32 %r1, %r12, 1000000, %r1; mad.lo.u32 %r1, %r13, 10000000, %r1;`,
			func(uint32) uint32 { return 2016 + 63*10000 + 64%7*1000000 + 77*10000000 }},
		{"clock goes on", 32, `mov.u32 %r2, %clock; mov.u32 %r3, %clock; setp.gt.u32 %p0, %r3, %r2; selp.u32 %r1, 1, 0, %p0;`, func(uint32) uint32 { return 1 }},
		{"bytes and halves", 32, `
			.shared .align 8 .b8 s[64]; mov.u32 %r3, s; mad.lo.u32 %r4, %r0, 2, %r3; add.u32 %r5, %r0, 250; st.shared.u16 [%r4], %r5; ld.shared.s8 %r1, [%r4];`,
			func(i uint32) uint32 { return uint32(int32(int8(250 + i))) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := strings.Replace(c.body, ".shared .u32 s[4]", ".shared .align 16 .u32 s[4]", 1)
			got := perThread(t, c.n, body)
			for i, g := range got {
				if w := c.want(uint32(i)); g != w {
					t.Fatalf("thread %d has %d, want %d; all: %v", i, g, w, got)
				}
			}
		})
	}
}

// TestRules breaks one rule at a time, with two warps.
func TestRules(t *testing.T) {
	shared := `.shared .align 16 .u32 s[64]; mov.u32 %r3, s; mad.lo.u32 %r4, %r0, 4, %r3; mov.u32 %r1, 0;`
	for _, c := range []struct {
		name, body string
		want       Kind
		text       string // part of the report
	}{
		{"race inside a warp", shared + `st.shared.u32 [%r4], %r0; xor.b32 %r5, %r0, 1; mad.lo.u32 %r5, %r5, 4, %r3; ld.shared.u32 %r1, [%r5];`, Race, "of the same warp"},
		{"write after read inside a warp", shared + `st.shared.u32 [%r4], %r0; bar.sync 0; ld.shared.u32 %r1, [%r4]; xor.b32 %r5, %r0, 1; mad.lo.u32 %r5, %r5, 4, %r3; st.shared.u32 [%r5], %r0;`, Race, "read by thread"},
		{"broadcast read, then one lane writes", shared + `st.shared.u32 [%r4], %r0; bar.sync 0; setp.ge.u32 %p0, %r0, 32; @%p0 bra E; ld.shared.u32 %r1, [s]; setp.eq.u32 %p0, %r0, 31; @%p0 st.shared.u32 [s], %r0; E:`, Race, "another lane"},
		{"barrier of the other pair of warps", shared + `st.shared.u32 [%r4], %r0; shr.u32 %r6, %r0, 5; bar.sync %r6, 32; xor.b32 %r5, %r0, 32; mad.lo.u32 %r5, %r5, 4, %r3; ld.shared.u32 %r1, [%r5];`, Uninitialised, ""},
		{"write after read between warps", shared + `st.shared.u32 [%r4], %r0; bar.sync 0; xor.b32 %r5, %r0, 32; mad.lo.u32 %r5, %r5, 4, %r3; ld.shared.u32 %r1, [%r5]; st.shared.u32 [%r4], %r1;`, Race, "no barrier between"},
		{"write after both warps read", shared + `st.shared.u32 [%r4], %r0; bar.sync 0; and.b32 %r5, %r0, 31; setp.eq.u32 %p1, %r5, 31; @%p1 ld.shared.u32 %r1, [s]; setp.eq.u32 %p0, %r0, 31; @%p0 st.shared.u32 [s], %r0;`, Race, "was read by thread (63,0,0)"},
		{"producer stores after it arrived", shared + `and.b32 %r5, %r0, 31; mad.lo.u32 %r4, %r5, 4, %r3; setp.ge.u32 %p0, %r0, 32; @%p0 bra C; st.shared.u32 [%r4], %r0; bar.arrive 1, 64; st.shared.u32 [%r4], 9; bra E; C: bar.sync 1, 64; ld.shared.u32 %r1, [%r4]; E:`, Race, "was written by thread"},
		{"overrun into the next array", `.shared .u32 a[64]; .shared .u32 b[64]; mov.u32 %r3, a; mov.u32 %r6, b; mad.lo.u32 %r4, %r0, 4, %r3; mov.u32 %r1, 0; st.shared.u32 [%r4+4], %r0;`, OutOfBounds, "4 bytes outside of a"},
		{"reads a word of which half is written", `mov.u32 %r1, 7; st.global.u16 [%d1], %r1; ld.global.u32 %r1, [%d1];`, Uninitialised, "nobody has written"},
		{"lanes store different values", shared + `st.shared.u32 [s], %r0;`, Race, "written by"},
		{"plain store beside atomics", shared + `setp.ne.u32 %p0, %r0, 0; @!%p0 st.shared.u32 [s], 0; bar.sync 0; atom.shared.add.u32 %r2, [s], 1; setp.eq.u32 %p0, %r0, 40; @%p0 st.shared.u32 [s], 5;`, Race, ""},
		{"non-atomic counter", shared + `setp.ne.u32 %p0, %r0, 0; @!%p0 st.shared.u32 [s], 0; bar.sync 0; ld.shared.u32 %r2, [s]; add.u32 %r2, %r2, 1; st.shared.u32 [s], %r2;`, Race, ""},
		{"race in global memory", `xor.b32 %r5, %r0, 33; mul.wide.u32 %d2, %r5, 4; add.u64 %d2, %d2, %d0; st.global.u32 [%d2], %r0; mov.u32 %r1, 3;`, Race, "no barrier between"},
		{"reads by .nc what the kernel wrote", `st.global.u32 [%d1], %r0; bar.sync 0; ld.global.nc.u32 %r1, [%d1];`, Race, "as if it never changed"},
		{"reads global memory nobody wrote", `ld.global.u32 %r1, [%d1];`, Uninitialised, "allocation 1 (256 bytes"},
		{"reads local memory nobody wrote", `.local .u32 a[4]; st.local.u32 [a], 1; ld.local.u32 %r1, [a+4];`, Uninitialised, "local"},
		{"local array overrun", `.local .u32 a[4]; st.local.u32 [a+16], 1; mov.u32 %r1, 0;`, OutOfBounds, "local"},
		{"predicate never set", `@%p3 mov.u32 %r1, 1; mov.u32 %r1, 2;`, Uninitialised, "%p3"},
		{"before the start", `mov.u32 %r1, 1; sub.u64 %d1, %d1, 64;`, OutOfBounds, "before the start"},
		{"null", `mov.u32 %r1, 1; mov.u64 %d1, 0;`, OutOfBounds, "no allocation"},
		{"misaligned vector", `ld.global.v2.u32 {%r1, %r2}, [%d0+4];`, Misaligned, "8 bytes"},
		{"division by zero", `div.u32 %r1, 7, %r0;`, BadInstruction, "division by zero"},
		{"shuffle without half the lanes", `setp.lt.u32 %p0, %r0, 48; @%p0 shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;`, DivergentWarp, "names lane 16"},
		{"shuffle from a lane that is not there", `mov.u32 %r1, 0; setp.lt.u32 %p0, %r0, 16; @!%p0 bra E; shfl.sync.idx.b32 %r1, %r0, 20, 31, 0xffff; E:`, DivergentWarp, "does not take part"},
		{"sync of lanes that have ended", `mov.u32 %r1, 0; setp.lt.u32 %p0, %r0, 16; @%p0 exit; bar.warp.sync -1;`, DivergentWarp, "has ended"},
		{"trap", `mov.u32 %r1, 0; trap;`, Trap, ""},
		{"barrier number", `mov.u32 %r1, 16; bar.sync %r1;`, BadInstruction, "barrier 16"},
		{"barrier with a half warp", `mov.u32 %r1, 1; bar.sync 1, 48;`, BadInstruction, "multiple of 32"},
		{"barrier with two counts", `mov.u32 %r1, 1; setp.lt.u32 %p0, %r0, 32; @%p0 bar.sync 1, 64; @%p0 bra E; bar.sync 1; E:`, -1, ""},
		{"barrier nobody else reaches", `mov.u32 %r1, 1; setp.lt.u32 %p0, %r0, 32; @%p0 bra E; bar.sync 2, 64; E:`, DivergentBarrier, "no other can come"},
		{"branch said to be uniform", `mov.u32 %r1, 1; setp.lt.u32 %p0, %r0, 8; @%p0 bra.uni E; E:`, DivergentWarp, "another way"},
		{"cp.async read before its wait", `.shared .align 16 .b8 s[512]; st.global.u32 [%d1], %r0; bar.sync 0; mov.u32 %r3, s; mad.lo.u32 %r4, %r0, 4, %r3; cp.async.ca.shared.global [%r4], [%d1], 4; cp.async.commit_group; ld.shared.u32 %r1, [%r4];`, Race, "not been waited for"},
		{"source size too large", `.shared .align 16 .b8 s[512]; mov.u32 %r3, s; mov.u32 %r5, 8; cp.async.ca.shared.global [%r3], [%d1], 4, %r5;`, BadInstruction, "source size 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{})
			f := r.kernel(ptx(".param .u64 out", prologue+c.body+"\nst.global.u32 [%d1], %r1;\nret;"))
			err := r.try(f, x(1), x(64), 0, r.empty(256))
			if c.want < 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var f1 *Fault
			if !asFault(err, &f1) || f1.Kind != c.want || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("have %v, want a fault %q with %q", err, c.want, c.text)
			}
			if f1.Line == 0 || f1.Kernel != "k" || f1.Text == "" {
				t.Errorf("the report names no place: %+v", f1)
			}
			if !driver.IsCode(err, f1.Kind.code()) {
				t.Errorf("not a driver error: %v", err)
			}
			if again := r.CtxSynchronize(); again == nil {
				t.Error("the context lives on after a fault")
			}
		})
	}
}

// TestRaceBetweenBlocks: whatever the goroutines do, the report is the same.
func TestRaceBetweenBlocks(t *testing.T) {
	body := prologue + `
		mov.u32 %r1, %ctaid.x; mul.lo.u32 %r2, %r1, 3; and.b32 %r2, %r2, 31; mul.wide.u32 %d2, %r2, 128; add.u64 %d1, %d1, %d2;
		st.global.u32 [%d1], %r1; ret;`
	reports := map[string]bool{}
	for _, workers := range []int{1, 2, 4, 4, 4} {
		r := newRig(t, Config{Workers: workers})
		err := r.try(r.kernel(ptx(".param .u64 out", body)), x(64), x(32), 0, r.empty(4096))
		var f *Fault
		if !asFault(err, &f) || f.Kind != Race || !strings.Contains(f.Detail, "of block") {
			t.Fatal(err)
		}
		reports[err.Error()] = true
	}
	if len(reports) != 1 {
		t.Errorf("different reports: %v", reports)
	}
}

// TestReadersAreRemembered: another block's read counts although this block
// has read since, and its barrier orders nothing of the other block.
func TestReadersAreRemembered(t *testing.T) {
	r := newRig(t, Config{Workers: 1})
	out := r.buffer(make([]uint32, 64))
	err := r.try(r.kernel(ptx(".param .u64 out", prologue+`ld.global.u32 %r1, [%d0]; bar.sync 0; mov.u32 %r2, %ctaid.x;
		mad.lo.u32 %r2, %r2, 64, %r0; setp.eq.u32 %p0, %r2, 127; @%p0 st.global.u32 [%d0], %r0; ret;`)), x(2), x(64), 0, out)
	var f *Fault
	if !asFault(err, &f) || f.Kind != Race || !strings.Contains(f.Detail, "of block (0,0,0)") {
		t.Error(err)
	}
}

// TestBlocksBeginAnew: a register that the block before wrote is unwritten.
func TestBlocksBeginAnew(t *testing.T) {
	r := newRig(t, Config{Workers: 1})
	err := r.try(r.kernel(ptx("", `.reg .b32 %r<3>; .reg .pred %p; mov.u32 %r0, %ctaid.x; setp.eq.u32 %p, %r0, 0; @%p mov.u32 %r1, 5; add.u32 %r2, %r1, 1; ret;`)), x(2), x(32), 0)
	var f *Fault
	if !asFault(err, &f) || f.Kind != Uninitialised || f.Block.X != 1 {
		t.Error(err)
	}
}

// TestFailedLaunchIsUndone: the second run, which makes the report, finds
// memory as the first one found it.
func TestFailedLaunchIsUndone(t *testing.T) {
	r := newRig(t, Config{Workers: 4})
	err := r.try(r.kernel(ptx(".param .u64 out", prologue+`mov.u32 %r1, %ctaid.x; mul.wide.u32 %d2, %r1, 4; add.u64 %d0, %d0, %d2;
		ld.global.u32 %r2, [%d0]; add.u32 %r3, %r2, 1; st.global.u32 [%d0], %r3; setp.eq.u32 %p0, %r2, 0; @!%p0 bra AGAIN; trap; ret;
		AGAIN: div.u32 %r4, 1, 0; ret;`)), x(4), x(1), 0, r.buffer(make([]uint32, 4)))
	var f *Fault
	if !asFault(err, &f) || f.Kind != Trap || f.Block.X != 0 {
		t.Error(err)
	}
}

// TestBlocksShareWork: many blocks on several goroutines, atomics across them.
func TestBlocksShareWork(t *testing.T) {
	r := newRig(t, Config{Workers: 4})
	f := r.kernel(ptx(".param .u64 out", prologue+`
		mov.u32 %r1, %ctaid.y; mov.u32 %r2, %nctaid.x; mov.u32 %r3, %ctaid.x; mad.lo.u32 %r1, %r1, %r2, %r3; red.global.add.u32 [%d1], %r1; atom.global.add.f32 %f0, [%d0+512], 0f3f800000; ret;`))
	out := r.empty(516)
	r.ok(r.MemsetD8Async(out, 0, 516, r.s))
	r.ok(r.try(f, driver.Dim3{X: 8, Y: 9, Z: 1}, x(128), 0, out))
	got := make([]uint32, 129)
	r.read(got, out)
	if !slices.Equal(got[:128], slices.Repeat([]uint32{71 * 72 / 2}, 128)) || f32(uint64(got[128])) != 72*128 {
		t.Error(got)
	}
}

func TestThreadsInThreeDimensions(t *testing.T) {
	r := newRig(t, Config{})
	f := r.kernel(ptx(".param .u64 out", `.reg .b32 %r<16>; .reg .b64 %d<3>;
		mov.u32 %r0, %tid.x; mov.u32 %r1, %tid.y; mov.u32 %r2, %tid.z; mov.u32 %r3, %ntid.x; mov.u32 %r4, %ntid.y;
		mad.lo.u32 %r5, %r2, %r4, %r1; mad.lo.u32 %r5, %r5, %r3, %r0; mov.u32 %r6, %laneid; mov.u32 %r7, %warpid; mad.lo.u32 %r6, %r7, 32, %r6;
		ld.param.u64 %d0, [out]; mul.wide.u32 %d1, %r5, 4; add.u64 %d0, %d0, %d1; st.global.u32 [%d0], %r6; ret;`))
	out := r.empty(4 * 5 * 3 * 7)
	r.ok(r.try(f, x(1), driver.Dim3{X: 5, Y: 3, Z: 7}, 0, out))
	got := make([]uint32, 105)
	r.read(got, out)
	for i, g := range got {
		if int(g) != i {
			t.Fatal(got)
		}
	}
}

func ExampleDriver_Counters() {
	d := New(1)
	fmt.Println(d.Name(), d.Counters("gemm").Launches)
	// Output: emu 0
}
