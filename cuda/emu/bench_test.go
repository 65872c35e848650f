package emu

import (
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// Warp instructions a second on one core; for the record, not for the tests.
func benchmark(b *testing.B, text string, grid driver.Dim3, args func(r *rig) []any) {
	r := newRig(b, Config{Workers: 1})
	f := r.kernel(text)
	a := args(r)
	name := r.Driver.funcs[f].e.Name
	b.ResetTimer()
	for range b.N {
		r.ok(r.try(f, grid, x(r.threads(f)), 0, a...))
	}
	c := r.Counters(name)
	b.ReportMetric(float64(c.Instructions)/b.Elapsed().Seconds()/1e6, "Minstr/s")
}

func (r *rig) threads(f driver.Function) int {
	n, err := r.FuncGetAttribute(driver.FuncMaxThreads, f)
	r.ok(err)
	return min(n, 256)
}

func BenchmarkGemmTensor(b *testing.B) {
	benchmark(b, gemmText(b), x(1), func(r *rig) []any {
		const k = 256
		m := make([]uint16, 128*k)
		return []any{r.buffer(m), r.buffer(m), r.empty(4 * 128 * 128), uint32(k), uint32(k), uint32(k), uint32(128)}
	})
}

func BenchmarkBlockSum(b *testing.B) {
	benchmark(b, strings.Replace(ptx(sumParams, sumKernel), ".align 4", ".align 16", 1), x(1), func(r *rig) []any {
		return []any{r.buffer(make([]float32, 1<<16)), r.empty(4), uint32(1 << 16)}
	})
}

// fmaKernel is arithmetic alone: 32 registers of sums.
func BenchmarkMultiplyAdd(b *testing.B) {
	body := `
	.reg .f32 %f<34>;
	.reg .b32 %r<2>;
	.reg .pred %p;
	mov.u32 %r0, 0;
	mov.f32 %f32, 0f3f9e0652;
	mov.f32 %f33, 0f3f2aaaab;
`
	for i := range 32 {
		body += "mov.f32 %f" + itoa(i) + ", 0f00000000;\n"
	}
	body += "L:\n"
	for i := range 32 {
		body += "fma.rn.f32 %f" + itoa(i) + ", %f32, %f33, %f" + itoa(i) + ";\n"
	}
	body += "add.u32 %r0, %r0, 1; setp.lt.u32 %p, %r0, 1000; @%p bra L; ret;"
	benchmark(b, ptx("", body), x(1), func(*rig) []any { return nil })
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + itoa(i%10)
}
