// Package golden reads the golden vectors for tests: safetensors files of
// inputs and float64 results made by testdata/golden/golden.py (described in
// the README beside it).
//
// Files are taken from the folder SECTILE_GOLDEN names, else from
// testdata/golden at the module's root. A missing folder, file or tensor, and
// a tensor of another dtype than asked for, fail the test: a golden test never
// skips. Tests that use this package carry Golden in their names.
package golden

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// File is one golden file, read whole. Its methods fail the test they were
// opened for.
type File struct {
	t       testing.TB
	path    string
	meta    map[string]string
	entries map[string]entry
	data    []byte
}

type entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// sizes are the bytes an element of each dtype takes.
var sizes = map[string]int{"F32": 4, "F64": 8, "I64": 8, "U8": 1}

// Open reads name.safetensors.
func Open(t testing.TB, name string) *File {
	t.Helper()
	path := filepath.Join(folder(t), name+".safetensors")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("golden: %v", err)
	}
	if len(b) < 8 || binary.LittleEndian.Uint64(b) > uint64(len(b)-8) {
		t.Fatalf("golden: %s: header does not fit in %d bytes", path, len(b))
	}
	end := 8 + int(binary.LittleEndian.Uint64(b))
	var header map[string]json.RawMessage
	if err := json.Unmarshal(b[8:end], &header); err != nil {
		t.Fatalf("golden: %s: header: %v", path, err)
	}
	f := &File{t: t, path: path, entries: map[string]entry{}, data: b[end:]}
	for k, raw := range header {
		if k == "__metadata__" {
			if err := json.Unmarshal(raw, &f.meta); err != nil {
				t.Fatalf("golden: %s: metadata: %v", path, err)
			}
			continue
		}
		var e entry
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatalf("golden: %s: %s: %v", path, k, err)
		}
		n := sizes[e.DType]
		for _, d := range e.Shape {
			n *= d
		}
		if n == 0 || e.Offsets[0] < 0 || e.Offsets[1]-e.Offsets[0] != n || e.Offsets[1] > len(f.data) {
			t.Fatalf("golden: %s: %s: %s %v does not fill bytes %v of %d", path, k, e.DType, e.Shape, e.Offsets, len(f.data))
		}
		f.entries[k] = e
	}
	return f
}

// folder is $SECTILE_GOLDEN, else testdata/golden beside the go.mod above the
// test's working directory.
func folder(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("SECTILE_GOLDEN"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("golden: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata", "golden")
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatalf("golden: no go.mod above the working directory; set SECTILE_GOLDEN")
		}
		dir = up
	}
}

// Names lists the file's tensors, sorted.
func (f *File) Names() []string {
	names := make([]string, 0, len(f.entries))
	for k := range f.entries {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// Has reports whether the file holds a tensor of this name.
func (f *File) Has(name string) bool {
	_, ok := f.entries[name]
	return ok
}

// Meta returns a text of the file's header (formula, hyper-parameters).
func (f *File) Meta(key string) string {
	f.t.Helper()
	s, ok := f.meta[key]
	if !ok {
		f.t.Fatalf("golden: %s has no metadata %q", f.path, key)
	}
	return s
}

// Shape returns a tensor's dimensions; a scalar's are [1].
func (f *File) Shape(name string) []int {
	f.t.Helper()
	return slices.Clone(f.find(name).Shape)
}

// F32 returns a float32 tensor, row-major.
func (f *File) F32(name string) []float32 {
	f.t.Helper()
	b := f.bytes(name, "F32")
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

// F64 returns a float64 tensor, row-major; a float32 tensor is widened.
func (f *File) F64(name string) []float64 {
	f.t.Helper()
	if f.find(name).DType == "F32" {
		narrow := f.F32(name)
		v := make([]float64, len(narrow))
		for i, x := range narrow {
			v[i] = float64(x)
		}
		return v
	}
	b := f.bytes(name, "F64")
	v := make([]float64, len(b)/8)
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return v
}

// Scalar returns the value of an F64 or F32 tensor of one element.
func (f *File) Scalar(name string) float64 {
	f.t.Helper()
	v := f.F64(name)
	if len(v) != 1 {
		f.t.Fatalf("golden: %s: %s has %d elements, not 1", f.path, name, len(v))
	}
	return v[0]
}

// I64 returns an int64 tensor, row-major.
func (f *File) I64(name string) []int64 {
	f.t.Helper()
	b := f.bytes(name, "I64")
	v := make([]int64, len(b)/8)
	for i := range v {
		v[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return v
}

// Ints is I64 as ints: labels and cluster ids as the API takes them.
func (f *File) Ints(name string) []int {
	f.t.Helper()
	wide := f.I64(name)
	v := make([]int, len(wide))
	for i, x := range wide {
		v[i] = int(x)
	}
	return v
}

// U8 returns a byte tensor, row-major.
func (f *File) U8(name string) []byte {
	f.t.Helper()
	return slices.Clone(f.bytes(name, "U8"))
}

func (f *File) find(name string) entry {
	f.t.Helper()
	e, ok := f.entries[name]
	if !ok {
		f.t.Fatalf("golden: %s has no tensor %q", f.path, name)
	}
	return e
}

func (f *File) bytes(name, dtype string) []byte {
	f.t.Helper()
	e := f.find(name)
	if e.DType != dtype {
		f.t.Fatalf("golden: %s: %s is %s, read as %s", f.path, name, e.DType, dtype)
	}
	return f.data[e.Offsets[0]:e.Offsets[1]]
}

// Close fails the test, and goes on, unless |got-want| <= atol + rtol*|want|
// holds element-wise (a NaN never passes, an infinity only its like). The message names the worst element
// and how many are out of bounds.
func Close[F float32 | float64](t testing.TB, what string, got []F, want []float64, atol, rtol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, want %d", what, len(got), len(want))
		return
	}
	bad, worst, excess := 0, 0, math.Inf(-1)
	for i, w := range want {
		g := float64(got[i])
		bound := atol + rtol*math.Abs(w)
		if d := math.Abs(g - w); g != w && (math.IsInf(w, 0) || !(d <= bound)) {
			bad++
			if over := d - bound; over > excess || math.IsNaN(over) {
				worst, excess = i, over
			}
		}
	}
	if bad > 0 {
		t.Errorf("%s: %d of %d out of bounds (atol %g, rtol %g); worst [%d]: got %.9g, want %.9g, off by %.3g",
			what, bad, len(want), atol, rtol, worst, got[worst], want[worst], math.Abs(float64(got[worst])-want[worst]))
	}
}

// Equal fails the test, and goes on, unless got and want hold the same values.
func Equal[E comparable](t testing.TB, what string, got, want []E) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, want %d", what, len(got), len(want))
		return
	}
	bad, first := 0, -1
	for i := range want {
		if got[i] != want[i] {
			if bad == 0 {
				first = i
			}
			bad++
		}
	}
	if bad > 0 {
		t.Errorf("%s: %d of %d differ; first [%d]: got %v, want %v", what, bad, len(want), first, got[first], want[first])
	}
}
