package tensor

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestNPYRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	long := make([]int, 30_000) // its header needs format 2
	for i := range long {
		long[i] = 1
	}
	for _, c := range []struct {
		data  any
		shape []int
	}{
		{[]float32{1, -2.5, 3, 4, 5, 6}, []int{2, 3}},
		{[]float64{1e300, 0.1}, []int{2}},
		{[]int32{-5, 6}, []int{2, 1}},
		{[]int64{1 << 60}, []int{1}},
		{[]byte{0, 255, 7, 8}, []int{2, 2}},
		{[]float32{}, []int{0, 4}},
		{[]float32{7}, long},
	} {
		if err := WriteNPY(path, c.data, c.shape...); err != nil {
			t.Fatal(err)
		}
		data, shape, err := ReadNPY(path)
		if err != nil || !reflect.DeepEqual(data, c.data) || !slices.Equal(shape, c.shape) {
			t.Errorf("%T %.60v: got %T %.60v %v", c.data, c.shape, data, shape, err)
		}
		b, _ := os.ReadFile(path)
		if i := bytes.IndexByte(b, '\n'); (i+1)%64 != 0 {
			t.Errorf("values start at byte %d", i+1)
		}
	}
	if err := WriteNPY(path, From(Default(), []float32{3})); err != nil {
		t.Fatal(err)
	}
	if data, shape, err := ReadNPY(path); err != nil || len(shape) != 0 || data.([]float32)[0] != 3 {
		t.Errorf("scalar: %v %v %v", data, shape, err)
	}
	if err := WriteNPY(path, []float32{1, 2}, 3); err == nil {
		t.Error("2 values were written as shape [3]")
	}
}

// npyFile is a format-1 file around a header and n bytes of values.
func npyFile(header string, n int) []byte {
	b := append([]byte(npyMagic), 1, 0)
	return append(append(le.AppendUint16(b, uint16(len(header))), header...), make([]byte, n)...)
}

func TestNPYDamage(t *testing.T) {
	for _, c := range []struct {
		want string
		data []byte
	}{
		{"is no .npy file", []byte("PK\x03\x04 and more bytes")},
		{"is no .npy file", []byte(npyMagic)},
		{"format version 9", append([]byte(npyMagic), 9, 0, 1, 0, 0, 0)},
		{"a header of 65535 bytes does not fit", append([]byte(npyMagic), 1, 0, 255, 255, 0, 0)},
		{"a header of 4294967295 bytes does not fit", append([]byte(npyMagic), 2, 0, 255, 255, 255, 255)},
		{"no plain descr", npyFile(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }`, 4)},
		{"Fortran order", npyFile(`{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }`, 4)},
		{`has type ">f4"`, npyFile(`{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }`, 4)},
		{"has 4 bytes for shape (2,)", npyFile(`{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }`, 4)},
		{"has 5 bytes for shape (1,)", npyFile(`{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }`, 5)},
		{"bytes for shape (99999999999", npyFile(`{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999999,), }`, 4)},
		{"bytes for shape (4294967296", npyFile(`{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }`, 0)},
		{"bytes for shape (1,,1)", npyFile(`{'descr': '<f4', 'fortran_order': False, 'shape': (1,,1), }`, 4)},
	} {
		_, _, err := readNPY("x.npy", bytes.NewReader(c.data), int64(len(c.data)))
		if err == nil || !strings.Contains(err.Error(), "x.npy: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: %v, want %q", c.data, err, c.want)
		}
	}
}

func FuzzNPY(f *testing.F) {
	f.Add(npyFile(`{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }`, 8))
	f.Add(npyFile(`{"shape": (), "descr": "|u1", "fortran_order": False}`, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		values, shape, err := readNPY("fuzz", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		n, ok := count(shape)
		if v := reflect.ValueOf(values); !ok || v.Len() != n || n > len(data) {
			t.Fatalf("%d values of shape %v in %d bytes", v.Len(), shape, len(data))
		}
	})
}
