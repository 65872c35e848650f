package emu

import (
	"strings"
	"testing"
)

// ptx wraps a body into a module of one kernel, k.
func ptx(params, body string) string {
	return ".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k(" + params + ")\n{\n" + body + "\n}\n"
}

const sumKernel = `
	.reg .pred %p<4>;
	.reg .b32 %r<16>;
	.reg .f32 %f<8>;
	.reg .b64 %d<8>;
	.shared .align 4 .f32 part[8];
	ld.param.u64 %d0, [in];
	ld.param.u64 %d1, [out];
	ld.param.u32 %r0, [n];
	mov.u32 %r1, %tid.x;
	mov.f32 %f0, 0f00000000;
	mov.u32 %r2, %r1;
LOOP:
	setp.ge.u32 %p0, %r2, %r0;
	@%p0 bra DONE;
	mul.wide.u32 %d2, %r2, 4;
	add.u64 %d2, %d2, %d0;
	ld.global.nc.f32 %f1, [%d2];
	add.f32 %f0, %f0, %f1;
	add.u32 %r2, %r2, 256;
	bra LOOP;
DONE:
	mov.u32 %r3, 16;
FOLD:
	shfl.sync.bfly.b32 %f1, %f0, %r3, 31, -1;
	add.f32 %f0, %f0, %f1;
	shr.u32 %r3, %r3, 1;
	setp.ne.u32 %p1, %r3, 0;
	@%p1 bra FOLD;
	and.b32 %r4, %r1, 31;
	shr.u32 %r5, %r1, 5;
	setp.ne.u32 %p2, %r4, 0;
	shl.b32 %r6, %r5, 2;
	mov.u32 %r7, part;
	add.u32 %r6, %r6, %r7;
	@!%p2 st.shared.f32 [%r6], %f0;
	bar.sync 0;
	setp.ne.u32 %p3, %r1, 0;
	@%p3 bra END;
	ld.shared.v4.f32 {%f1,%f2,%f3,%f4}, [part];
	add.f32 %f0, %f1, %f2;
	add.f32 %f0, %f0, %f3;
	add.f32 %f0, %f0, %f4;
	ld.shared.v4.f32 {%f1,%f2,%f3,%f4}, [part+16];
	add.f32 %f0, %f0, %f1;
	add.f32 %f0, %f0, %f2;
	add.f32 %f0, %f0, %f3;
	add.f32 %f0, %f0, %f4;
	st.global.f32 [%d1], %f0;
END:
	ret;`

const sumParams = ".param .u64 in, .param .u64 out, .param .u32 n"

func TestBlockSum(t *testing.T) {
	r := newRig(t, Config{})
	f := r.kernel(strings.Replace(ptx(sumParams, sumKernel), ".shared .align 4", ".shared .align 16", 1))
	in := make([]float32, 1000)
	var want float32
	for i := range in {
		in[i] = float32(i % 17)
		want += in[i]
	}
	out := r.empty(4)
	r.launch(f, 1, 256, r.buffer(in), out, uint32(len(in)))
	got := make([]float32, 1)
	r.read(got, out)
	if got[0] != want {
		t.Fatalf("sum is %v, want %v", got[0], want)
	}
}
