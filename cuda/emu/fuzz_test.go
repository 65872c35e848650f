package emu

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParse: any text is a module or an error that names a line of it.
func FuzzParse(f *testing.F) {
	f.Add(ptx(sumParams, sumKernel))
	f.Add(gemmText(f))
	for _, in := range instructions {
		f.Add(ptx("", in.op+";"))
	}
	for _, s := range []string{"", ".entry", ".entry k(){", "/*", "\"", ".version 7.0 .entry k(){ @", ".entry k(){ mov.u32 {}, [", ".entry k(){ ld.param.u32 %r1, [-", ".entry k(){.reg .b32 %r<9999999>;}", ".shared .b8 s[99999999999];", ".entry k(){ bra ; }", "x::y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("fuzz.ptx", text)
		if err == nil {
			if len(m.Order) == 0 {
				t.Error("a module without entries")
			}
			return
		}
		var p *ParseError
		if !errors.As(err, &p) || p.Line < 1 || p.Line > strings.Count(text, "\n")+1 || p.Msg == "" {
			t.Errorf("%v names no line", err)
		}
	})
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"frob.b32 %r0;", "unknown instruction frob"},
		{"add.u32 %r0, %r1;", "operands"},
		{"add.u32 %r0, %r1, %x;", "%x is not declared"},
		{"add.q32 %r0, %r1, %r1;", "not a type"},
		{"add.u32.hmm %r0, %r1, %r1;", ".hmm"},
		{"add.u64 %r0, %r1, %r1;", "32 bits, 64 are wanted"},
		{"add.f32 %r0, %r1, 1;", "not a constant of this type"},
		{"mul.u32 %r0, %r1, %r1;", ".lo, .hi or .wide"},
		{"fma.f32 %r0, %r1, %r1, %r1;", "rounding"},
		{"cvt.s32.f32 %r0, %r1;", ".rzi"},
		{"bra NOWHERE;", "no label NOWHERE"},
		{"ld.param.u32 %r0, [q];", "not a parameter"},
		{"ld.param.u64 %d0, [p+4];", "out of bounds"},
		{"ld.param.u32 %r0, [p+2];", "misaligned"},
		{"ld.global.u32 %r0, [%r1];", "32 bits cannot address"},
		{"ld.shared.v2.u32 {%r0}, [%r1];", "1 registers, 2"},
		{"mma.sync.aligned.m16n8k16.row.col.f32.tf32.tf32.f32 {%r0}, {%r0}, {%r0}, {%r0};", "mma m16n8k16 of tf32"},
		{"cp.async.cg.shared.global [%r0], [%d0], 8;", ".cg 16"},
		{".reg .b32 %r0;", "declared twice"},
		{"setp.lo.s32 %p0, %r0, %r1;", "unsigned comparison"},
		{"atom.global.add.b32 %r0, [%d0], %r1;", "add of this type"},
		{"@%r0 ret;", "not a predicate"},
		{"add.u32 5, %r1, %r1;", "cannot be a destination"},
		{"call foo;", "unknown instruction call"},
		{"L: L: ret;", "stands twice"},
	} {
		_, err := Parse("f.ptx", ptx(".param .u64 p", "\n.reg .b32 %r<3>; .reg .b64 %d<2>; .reg .pred %p<2>;\n"+c.body))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "f.ptx:8: ") {
			t.Errorf("%s: %v, want f.ptx:8 and %q", c.body, err, c.want)
		}
	}
}
