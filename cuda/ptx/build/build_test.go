package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommittedText prints every kernel again and compares with the files that
// are embedded; no file of a family may be left over from an older printing.
func TestCommittedText(t *testing.T) {
	want := files()
	for name, text := range want {
		b, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(b) != text {
			t.Errorf("%s is not what build prints: run go generate ./cuda/ptx", name)
		}
	}
	for _, pattern := range []string{"gemm_*.ptx", "conv_*.ptx"} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if want[filepath.Base(f)] == "" {
				t.Errorf("%s is printed by nobody", f)
			}
		}
	}
}

// TestBuilder shows the text of each kind of operand, and that a name is
// declared once.
func TestBuilder(t *testing.T) {
	k := NewKernel("sample", 32)
	k.Params = []Param{{"u64", "x"}, {"u32", "n"}}
	k.Shared = []Shared{{"smem", 64, 16}}
	v, p, i := k.Regs("f32", "v", 2), k.Pred("p"), k.B32("i")
	done := k.Label("DONE")
	k.Note("a comment")
	k.I("setp.lt.u32", p, i, k.Param("n"))
	k.Unless(p, "bra", done)
	k.If(p, "ld.global.v2.f32", v, At{k.Param("x"), 8})
	k.Here(done)
	k.I("ret")
	want := `.visible .entry sample(
	.param .u64 x,
	.param .u32 n
)
.maxntid 32, 1, 1
{
	.reg .f32 %v<2>;
	.reg .pred %p;
	.reg .b32 %i;
	.reg .b32 %n;
	.reg .b64 %x;
	.shared .align 16 .b8 smem[64];
	ld.param.u32 %n, [n];
	ld.param.u64 %x, [x];
	// a comment
	setp.lt.u32 %p, %i, %n;
	@!%p bra DONE_1;
	@%p ld.global.v2.f32 {%v0,%v1}, [%x+8];
DONE_1:
	ret;
}
`
	if got := k.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "twice") {
			t.Errorf("a second %%i: %v", r)
		}
	}()
	k.B32("i")
}
