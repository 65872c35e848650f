package tensor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

func TestSafetensorsRoundTrip(t *testing.T) {
	b := Default()
	big := make([]float32, 40_000) // more than one buffer
	for i := range big {
		big[i] = float32(i) - 0.5
	}
	path := filepath.Join(t.TempDir(), "state.safetensors")
	in := []Named{
		{Name: "w", Data: From(b, big, 200, 200)},
		{Name: "scalar", Data: From(b, []float32{3})},
		{Name: "none", Data: New(b, 0, 7)},
		{Name: "moment", Data: []float64{math.Pi, math.Inf(1)}},
		{Name: "step", Data: []int64{math.MinInt64}, Shape: []int{}},
		{Name: "labels", Data: []int32{-1, 5}, Shape: []int{2, 1}},
		{Name: "rng", Data: []byte("pcg:7")},
		{Name: "half", Data: []float32{1, 1 + 1.0/256, 1 + 3.0/256, float32(math.NaN())}, As: BF16},
	}
	meta := map[string]string{"method": "swav", "note": "<ü>"}
	if err := WriteSafetensors(path, in, meta); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(path)
	slices.Reverse(in)
	if err := WriteSafetensors(path, in, meta); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(first, again) {
		t.Error("the order of arguments changes the file")
	}
	if left, _ := filepath.Glob(path + ".tmp*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	f, err := OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	checkHeader(t, f, meta)
	w := make([]float32, len(big))
	if err := f.ReadFloat32("w", w); err != nil || !slices.Equal(w, big) {
		t.Errorf("w differs: %v", err)
	}
	m := make([]float64, 2)
	if err := f.ReadFloat64("moment", m); err != nil || m[0] != math.Pi || !math.IsInf(m[1], 1) {
		t.Errorf("moment %v: %v", m, err)
	}
	n := make([]int64, 1)
	if err := f.ReadInts("step", n); err != nil || n[0] != math.MinInt64 {
		t.Errorf("step %v: %v", n, err)
	}
	n = make([]int64, 2)
	if err := f.ReadInts("labels", n); err != nil || !slices.Equal(n, []int64{-1, 5}) {
		t.Errorf("labels %v: %v", n, err)
	}
	r := make([]byte, 5)
	if err := f.ReadBytes("rng", r); err != nil || string(r) != "pcg:7" {
		t.Errorf("rng %q: %v", r, err)
	}
	h := make([]float32, 4) // ties go to the even neighbour
	if err := f.ReadFloat32("half", h); err != nil || h[0] != 1 || h[1] != 1 || h[2] != 1+4.0/256 || h[3] == h[3] {
		t.Errorf("half %v: %v", h, err)
	}
}

func checkHeader(t *testing.T, f *File, meta map[string]string) {
	t.Helper()
	if want := []string{"half", "labels", "moment", "none", "rng", "scalar", "step", "w"}; !slices.Equal(f.Names(), want) {
		t.Errorf("names %v", f.Names())
	}
	if !maps.Equal(f.Metadata(), meta) {
		t.Errorf("metadata %v", f.Metadata())
	}
	if i, ok := f.Info("w"); !ok || i.Type != F32 || !slices.Equal(i.Shape, []int{200, 200}) {
		t.Errorf("w: %+v", i)
	}
	if i, _ := f.Info("scalar"); len(i.Shape) != 0 || i.Len() != 1 {
		t.Errorf("scalar: %+v", i)
	}
}

func TestSafetensorsReadMistakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := WriteSafetensors(path, []Named{{Name: "a", Data: []float32{1, 2}}, {Name: "n", Data: []int32{1}}}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for want, err := range map[string]error{
		`tensor "b": is not in the file`:                     f.ReadFloat32("b", nil),
		`tensor "a": has shape [2], 3 elements are wanted`:   f.ReadFloat32("a", make([]float32, 3)),
		`tensor "n": has type I32, a tensor of float type`:   f.ReadFloat32("n", make([]float32, 1)),
		`tensor "a": has type F32, a tensor of integer type`: f.ReadInts("a", make([]int64, 2)),
	} {
		if err == nil || !strings.Contains(err.Error(), path+": "+want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for name, n := range map[string]Named{
		"twice":     {Name: "a", Data: []float32{1}},
		"reserved":  {Name: "__metadata__", Data: []float32{1}},
		"not UTF-8": {Name: "\xff", Data: []float32{1}},
		"shape":     {Name: "b", Data: []float32{1}, Shape: []int{2}},
		"type":      {Name: "b", Data: []uint16{1}},
		"rounded":   {Name: "b", Data: []int32{1}, As: BF16},
		"ints":      {Name: "b", Data: Ints(Default(), []int32{1}, 1)},
	} {
		if err := WriteSafetensors(path, []Named{{Name: "a", Data: []float32{2}}, n}, nil); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	x := make([]float32, 2)
	if err := f.ReadFloat32("a", x); err != nil || x[1] != 2 {
		t.Errorf("a refused write touched the file: %v %v", x, err)
	}
}

// file builds a safetensors file from a header and n bytes of values.
func file(header string, n int) []byte {
	return append(append(le.AppendUint64(nil, uint64(len(header))), header...), make([]byte, n)...)
}

func TestSafetensorsDamage(t *testing.T) {
	const ok = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	for _, c := range []struct {
		want string
		data []byte
	}{
		{"3 bytes are no safetensors file", []byte("abc")},
		{"a header of 9 bytes does not fit in 2", append(le.AppendUint64(nil, 9), "{}"...)},
		{"does not fit", append(le.AppendUint64(nil, math.MaxUint64), "{}"...)},
		{"does not begin with an object", file("[]", 0)},
		{"header: ", file("{", 0)},
		{"header: ", file(`{"a"`, 0)},
		{"header: ", file(`{"a":1}`, 0)},
		{"header: ", file(`{"__metadata__":{"a":1}}`, 0)},
		{"after its end", file(`{} {}`, 0)},
		{`tensor "a": is in the header twice`, file("{"+ok+","+ok+"}", 8)},
		{`lies at bytes 0 to 8 of 4`, file("{"+ok+"}", 4)},
		{`12 bytes of values, the header speaks of 8`, file("{"+ok+"}", 12)},
		{`"b": overlaps another: it begins at byte 4`, file("{"+ok+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8)},
		{`"b": bytes 8 to 12 before it`, file("{"+ok+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`, 16)},
		{`has 8 bytes for shape [3] of F32`, file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8)},
		{`has 9 bytes for shape [2] of F32`, file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}`, 9)},
		{`impossible shape [-1,-2]`, file(`{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}`, 8)},
		{`impossible shape`, file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0)},
		{`lies at bytes 8 to 0`, file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8)},
		{`lies at bytes -8 to 0`, file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}`, 8)},
		{`and 1 offsets`, file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}}`, 8)},
		{`cannot unmarshal`, file(`{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}`, 8)},
	} {
		_, err := ReadSafetensors("x", bytes.NewReader(c.data), int64(len(c.data)))
		var fe *FileError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) || fe.Remedy == "" {
			t.Errorf("%.100q: %v, want %q", c.data, err, c.want)
		}
	}
	// A type unknown here can be listed, not read.
	data := file(`{"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]}}`, 3)
	f, err := ReadSafetensors("x", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.ReadFloat32("a", make([]float32, 3)); err == nil || !strings.Contains(err.Error(), "F8_E4M3") {
		t.Errorf("F8_E4M3: %v", err)
	}
}

func TestFromHalf(t *testing.T) {
	for h, want := range map[uint16]float32{
		0: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 1: 0x1p-24, 0x83ff: -1023 * 0x1p-24, 0x7c00: float32(math.Inf(1)),
	} {
		if got := fromHalf(h); got != want {
			t.Errorf("%#x: %v, want %v", h, got, want)
		}
	}
	if v := fromHalf(0x7e00); v == v {
		t.Error("NaN is a number")
	}
}

// TestSafetensorsGolden reads files that Python's writer made.
func TestSafetensorsGolden(t *testing.T) {
	g := golden.Open(t, "sinkhorn")
	folder := cmp.Or(os.Getenv("SECTILE_GOLDEN"), filepath.Join("..", "testdata", "golden"))
	f, err := OpenSafetensors(filepath.Join(folder, "sinkhorn.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		i, _ := f.Info(name)
		if i.Type != F64 {
			continue
		}
		got := make([]float64, i.Len())
		if err := f.ReadFloat64(name, got); err != nil {
			t.Fatal(err)
		}
		if want := g.F64(name); !slices.Equal(got, want) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestWriteFileKeepsTheOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	put := func(s string, err error) error {
		return WriteFile(path, func(w io.Writer) error {
			fmt.Fprint(w, s)
			return err
		})
	}
	if err := put("old", nil); err != nil {
		t.Fatal(err)
	}
	if err := put("half of the new", errors.New("disk full")); err == nil {
		t.Error("no error")
	}
	if b, _ := os.ReadFile(path); string(b) != "old" {
		t.Errorf("the file holds %q", b)
	}
	if all, _ := filepath.Glob(path + "*"); len(all) != 1 {
		t.Errorf("left behind: %v", all)
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(file(`{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}`, 16))
	f.Add(file(`{"a":{"dtype":"BF16","shape":[0,3],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadSafetensors("fuzz", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for _, name := range s.Names() {
			i, _ := s.Info(name)
			if i.Type.Size() == 0 {
				continue
			}
			if i.Len()*i.Type.Size() > len(data) {
				t.Fatalf("%q claims %d elements of %s in %d bytes", name, i.Len(), i.Type, len(data))
			}
			asFloat := s.ReadFloat32(name, make([]float32, i.Len()))
			asInt := s.ReadInts(name, make([]int64, i.Len()))
			if (asFloat == nil) == (asInt == nil) {
				t.Fatalf("%q of %s: %v, %v", name, i.Type, asFloat, asInt)
			}
		}
	})
}
