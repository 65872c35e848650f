package cuda

import (
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/kernels"
)

func TestRegister(t *testing.T) {
	f := newFake()
	RegisterDriver("fake", func() (driver.API, error) { return f, nil }, false)
	b, _, err := kernels.OpenDevice("fake:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.(*Device).Close()
	names := func() (all []string) {
		for _, d := range kernels.Devices() {
			all = append(all, d.Name+" "+d.Text)
		}
		return all
	}
	if n := names(); !slices.ContainsFunc(n, func(s string) bool {
		return strings.HasPrefix(s, "fake:0 Fake, compute capability 9.0") && strings.HasSuffix(s, "driver for CUDA 12.4")
	}) {
		t.Errorf("%q", n)
	}
	f.major = 7
	if _, _, err := kernels.OpenDevice("fake"); err == nil || !strings.HasPrefix(err.Error(), "compute capability 7.0 < 8.0 (Fake)") {
		t.Errorf("%v", err)
	}
	if n := names(); !slices.ContainsFunc(n, func(s string) bool { return strings.HasPrefix(s, "fake:0 compute capability 7.0 < 8.0") }) {
		t.Errorf("%q", n)
	}
}

func TestFromEnvironment(t *testing.T) {
	t.Setenv("SECTILE_TF32", "1")
	t.Setenv("SECTILE_CUDA_DEBUG", "true")
	t.Setenv("SECTILE_CUDA_GRAPHS", "0")
	o, err := FromEnvironment()
	if err != nil || !o.TF32 || !o.Debug || o.CheckNaN || !o.NoGraphs {
		t.Errorf("%+v %v", o, err)
	}
	t.Setenv("SECTILE_CUDA_NAN", "yes")
	if _, err := FromEnvironment(); err == nil || err.Error() != "SECTILE_CUDA_NAN=yes: give 0 or 1" {
		t.Errorf("%v", err)
	}
}
