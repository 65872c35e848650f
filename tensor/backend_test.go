package tensor

import (
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// hostOnly is a backend of memory and the plainest elementwise loops, for
// tests of what needs no kernels.
type hostOnly struct {
	kernels.Backend
	cpu *kernels.CPU
}

func backend(t testing.TB) kernels.Backend {
	c, err := kernels.Default()
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := any(c).(kernels.Backend); ok {
		return b
	}
	return hostOnly{cpu: c}
}

func (h hostOnly) Name() string                                      { return "host" }
func (h hostOnly) Alloc(t kernels.DType, n int) (kernels.Mem, error) { return h.cpu.Alloc(t, n) }
func (h hostOnly) Free(m kernels.Mem)                                { h.cpu.Free(m) }
func (h hostOnly) Upload(d kernels.Mem, s []float32)                 { h.cpu.Upload(d, s) }
func (h hostOnly) Download(d []float32, s kernels.Mem) error         { return h.cpu.Download(d, s) }
func (h hostOnly) UploadInts(d kernels.Mem, s []int32)               { h.cpu.UploadInts(d, s) }
func (h hostOnly) Copy(d, s kernels.Mem)                             { h.cpu.Copy(d, s) }

func (h hostOnly) Map(a *kernels.MapArgs) {
	for i := range a.Dst.F32() {
		a.Dst.F32()[i] = a.S
	}
}
