package cuda

import (
	"fmt"
	"os"
	"strconv"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/kernels"
)

func init() { RegisterDriver("cuda", driver.Open, true) }

// RegisterDriver makes the devices of another driver known to
// kernels.OpenDevice under a name: the emulator's as "emu". They are opened
// with the options of the environment. auto lets the name "auto" choose them.
func RegisterDriver(name string, open func() (driver.API, error), auto bool) {
	kernels.RegisterDevices(kernels.DeviceKind{
		Name: name,
		Auto: auto,
		List: func() ([]string, error) { return list(open) },
		Open: func(ordinal int) (kernels.Backend, error) {
			o, err := FromEnvironment()
			if err != nil {
				return nil, err
			}
			api, err := open()
			if err != nil {
				return nil, err
			}
			d, err := Open(api, ordinal, o)
			if err != nil {
				return nil, err
			}
			return d, nil
		},
	})
}

func list(open func() (driver.API, error)) ([]string, error) {
	api, err := open()
	if err != nil {
		return nil, err
	}
	n, err := api.DeviceCount()
	if err != nil {
		return nil, err
	}
	var texts []string
	for i := range n {
		info, err := Probe(api, i)
		text := info.String()
		if err != nil {
			text = err.Error()
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// FromEnvironment are the options that SECTILE_TF32, SECTILE_CUDA_DEBUG,
// SECTILE_CUDA_NAN and SECTILE_CUDA_GRAPHS ask for (0 or 1 each); warnings go
// to standard error.
func FromEnvironment() (Options, error) {
	o := Options{Warn: func(s string) { fmt.Fprintln(os.Stderr, s) }}
	graphs := true
	for _, v := range []struct {
		name string
		to   *bool
	}{{"SECTILE_TF32", &o.TF32}, {"SECTILE_CUDA_DEBUG", &o.Debug}, {"SECTILE_CUDA_NAN", &o.CheckNaN}, {"SECTILE_CUDA_GRAPHS", &graphs}} {
		s := os.Getenv(v.name)
		if s == "" {
			continue
		}
		b, err := strconv.ParseBool(s)
		if err != nil {
			return o, fmt.Errorf("%s=%s: give 0 or 1", v.name, s)
		}
		*v.to = b
	}
	o.NoGraphs = !graphs
	return o, nil
}
