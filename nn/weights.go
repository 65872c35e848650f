package nn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/tensor"
)

// Report says how a file's tensors and a module's fit together, by name.
type Report struct {
	Loaded     []string
	Missing    []string // wanted, not in the file
	Unexpected []string // in the file, not wanted
	WrongShape []string // in both, with the two shapes
}

// String is the four counts, and the first names of what does not fit.
func (r Report) String() string {
	s := fmt.Sprintf("%d fit", len(r.Loaded))
	for _, l := range []struct {
		what  string
		names []string
	}{{"missing", r.Missing}, {"unexpected", r.Unexpected}, {"of another shape", r.WrongShape}} {
		s += fmt.Sprintf(", %d %s", len(l.names), l.what)
		if n := len(l.names); n > 3 {
			s += " (" + strings.Join(l.names[:3], ", ") + ", ...)"
		} else if n > 0 {
			s += " (" + strings.Join(l.names, ", ") + ")"
		}
	}
	return s
}

// Err is nil when everything fits.
func (r Report) Err() error {
	if len(r.Missing)+len(r.Unexpected)+len(r.WrongShape) == 0 {
		return nil
	}
	return fmt.Errorf("%s", r)
}

// LoadWeights reads a safetensors file into state: each tensor from the one
// whose name is prefix + its own. Files of PyTorch's names and layout
// (torchvision's, the authors', ours) fit. Tensors that are missing or of
// another shape keep their values, so read the report: r.Err() where all must
// fit. It is an error when nothing fits; where another prefix would do (as
// "module." or "encoder_q."), the error names it.
func LoadWeights(path, prefix string, state []*autograd.Param) (r Report, err error) {
	f, err := tensor.OpenSafetensors(path)
	if err != nil {
		return r, fmt.Errorf("nn: load weights: %w", err)
	}
	defer f.Close()
	r = match(f, prefix, state)
	if len(r.Loaded) == 0 {
		return r, fmt.Errorf("nn: load weights: %s: no tensor fits with prefix %q: %s%s", path, prefix, r, hint(f, state))
	}
	var fit []*autograd.Param
	for _, p := range state {
		if slices.Contains(r.Loaded, p.Name) {
			fit = append(fit, p)
		}
	}
	if err := readAll(f, prefix, fit); err != nil {
		return r, fmt.Errorf("nn: load weights: %w", err)
	}
	return r, nil
}

// match compares the names that begin with prefix, and the shapes.
func match(f *tensor.File, prefix string, state []*autograd.Param) Report {
	var r Report
	wanted := map[string]bool{}
	for _, p := range state {
		wanted[prefix+p.Name] = true
		info, ok := f.Info(prefix + p.Name)
		shape := torchShape(p.Value.Shape())
		switch {
		case !ok:
			r.Missing = append(r.Missing, p.Name)
		case !slices.Equal(info.Shape, shape):
			r.WrongShape = append(r.WrongShape, fmt.Sprintf("%s %v, here %v", p.Name, info.Shape, shape))
		default:
			r.Loaded = append(r.Loaded, p.Name)
		}
	}
	for _, name := range f.Names() {
		if !wanted[name] && !strings.HasSuffix(name, tracked) {
			r.Unexpected = append(r.Unexpected, name)
		}
	}
	return r
}

// hint looks for the prefix with which most tensors would have a name.
func hint(f *tensor.File, state []*autograd.Param) string {
	count := map[string]int{}
	best := ""
	for _, name := range f.Names() {
		for _, p := range state {
			if prefix, ok := strings.CutSuffix(name, p.Name); ok {
				count[prefix]++
				if n := count[prefix]; n > count[best] || n == count[best] && len(prefix) < len(best) {
					best = prefix
				}
			}
		}
	}
	if count[best] == 0 {
		return ""
	}
	return fmt.Sprintf("; with prefix %q %d names fit", best, count[best])
}

// torchShape is the shape that PyTorch gives a tensor: [OC,C,KH,KW] for our
// convolution weights [OC,KH,KW,C], the only tensors with four axes, and their
// moments; else the same.
func torchShape(s []int) []int {
	if len(s) != 4 {
		return s
	}
	return []int{s[0], s[3], s[1], s[2]}
}

// toTorch is a tensor of our shape s in PyTorch's order, fromTorch the way
// back. Tensors without four axes are returned as they are.
func toTorch(v []float32, s []int) []float32 {
	if len(s) != 4 {
		return v
	}
	return swapAxes(v, s[0], s[1]*s[2], s[3])
}

func fromTorch(v []float32, s []int) []float32 {
	if len(s) != 4 {
		return v
	}
	return swapAxes(v, s[0], s[3], s[1]*s[2])
}

// swapAxes turns [n,a,b] into [n,b,a].
func swapAxes(v []float32, n, a, b int) []float32 {
	w := make([]float32, len(v))
	for k := range n {
		from, to := v[k*a*b:], w[k*a*b:]
		for i := range a {
			for j := range b {
				to[j*a+i] = from[i*b+j]
			}
		}
	}
	return w
}
