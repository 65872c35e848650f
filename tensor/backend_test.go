package tensor

import (
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// hostOnly is what these tests need of a backend.
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

func (h hostOnly) Map(a *kernels.MapArgs)             { h.cpu.Map(a) }
func (h hostOnly) Broadcast(a *kernels.BroadcastArgs) { h.cpu.Broadcast(a) }
func (h hostOnly) Reduce(a *kernels.ReduceArgs)       { h.cpu.Reduce(a) }
func (h hostOnly) CopyRows(a *kernels.CopyRowsArgs)   { h.cpu.CopyRows(a) }
func (h hostOnly) Workspace(a any) int                { return 0 }

func (h hostOnly) Gemm(a *kernels.GemmArgs) {
	x, y, z := a.A.F32(), a.B.F32(), a.C.F32()
	for i := range a.M {
		for j := range a.N {
			var s float32
			for k := range a.K {
				if a.TransB {
					s += x[i*a.A.Ld+k] * y[j*a.B.Ld+k]
				} else {
					s += x[i*a.A.Ld+k] * y[k*a.B.Ld+j]
				}
			}
			z[i*a.C.Ld+j] = s
		}
	}
}
