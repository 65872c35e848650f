package data

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// goldenFile is one safetensors file of the golden vectors.
type goldenFile struct {
	name    string
	entries map[string]struct {
		DType   string
		Shape   []int
		Offsets [2]int `json:"data_offsets"`
	}
	values []byte
}

// openGolden reads NAME.safetensors from $SECTILE_GOLDEN, or from
// testdata/golden at the root of the module. A missing file fails the test.
func openGolden(t *testing.T, name string) *goldenFile {
	t.Helper()
	dir := os.Getenv("SECTILE_GOLDEN")
	if dir == "" {
		dir = filepath.Join("..", "testdata", "golden")
	}
	file, err := os.ReadFile(filepath.Join(dir, name+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	end := 8 + binary.LittleEndian.Uint64(file)
	g := &goldenFile{name: name, values: file[end:]}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(file[8:end], &raw); err != nil {
		t.Fatal(err)
	}
	delete(raw, "__metadata__")
	rest, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(rest, &g.entries); err != nil {
		t.Fatal(err)
	}
	return g
}

// bytes returns a tensor's shape and memory; a missing one fails the test.
func (g *goldenFile) bytes(t *testing.T, tensor, dtype string) ([]int, []byte) {
	t.Helper()
	e, ok := g.entries[tensor]
	if !ok || e.DType != dtype {
		t.Fatalf("%s: tensor %q of type %s is missing", g.name, tensor, dtype)
	}
	return e.Shape, g.values[e.Offsets[0]:e.Offsets[1]]
}

// image reads a U8 tensor [H,W,C].
func (g *goldenFile) image(t *testing.T, tensor string) *Image {
	t.Helper()
	shape, b := g.bytes(t, tensor, "U8")
	return &Image{shape[0], shape[1], shape[2], append([]uint8(nil), b...)}
}

// floats reads an F64 or F32 tensor.
func (g *goldenFile) floats(t *testing.T, tensor, dtype string) []float64 {
	t.Helper()
	_, b := g.bytes(t, tensor, dtype)
	var v []float64
	for len(b) > 0 {
		if dtype == "F32" {
			v, b = append(v, float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))), b[4:]
		} else {
			v, b = append(v, math.Float64frombits(binary.LittleEndian.Uint64(b))), b[8:]
		}
	}
	return v
}

// ints reads an I64 tensor.
func (g *goldenFile) ints(t *testing.T, tensor string) []int {
	t.Helper()
	_, b := g.bytes(t, tensor, "I64")
	var v []int
	for ; len(b) > 0; b = b[8:] {
		v = append(v, int(int64(binary.LittleEndian.Uint64(b))))
	}
	return v
}
