package tensor

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const npyMagic = "\x93NUMPY"

// npyTypes are NumPy's names of the types that we read and write.
var npyTypes = map[string]Stored{"<f8": F64, "<f4": F32, "<i8": I64, "<i4": I32, "|u1": U8}

// The header is a Python dict literal of three keys in any order.
var (
	npyDescr   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([^'"]*)['"]`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9L,\s]*)\)`)
)

// ReadNPY reads an array that numpy.save wrote: format 1, 2 or 3, C order,
// little-endian float32, float64, int32, int64 or uint8. values is a
// []float32, []float64, []int32, []int64 or []byte, row-major. The error is a
// *FileError.
//
// Source: numpy.lib.format, "Format Version 1.0" to "3.0".
func ReadNPY(path string) (values any, shape []int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, &FileError{File: path, Problem: "cannot be opened", Err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, &FileError{File: path, Problem: "cannot be opened", Err: err}
	}
	return readNPY(path, f, info.Size())
}

// WriteNPY writes data, a *Tensor or a slice of float32, float64, int32, int64
// or bytes, to path by WriteFile: format 1, or 2 where the header is long. No
// shape means a *Tensor's own, or one axis.
func WriteNPY(path string, data any, shape ...int) error {
	entries, err := layOut([]Named{{Name: "array", Shape: shape, Data: data}})
	if err != nil {
		return err
	}
	e := entries[0]
	return WriteFile(path, func(w io.Writer) error { return writeEntries(w, npyHeader(e.As, e.Shape), entries) })
}

func readNPY(name string, r io.ReaderAt, size int64) (values any, shape []int, err error) {
	fail := func(remedy, format string, args ...any) error {
		return &FileError{File: name, Problem: fmt.Sprintf(format, args...), Remedy: remedy}
	}
	start := make([]byte, min(size, 12))
	if err := readAt(r, start, 0); err != nil {
		return nil, nil, &FileError{File: name, Problem: "cannot be read", Err: err}
	}
	if len(start) < 12 || !bytes.HasPrefix(start, []byte(npyMagic)) {
		return nil, nil, fail("write it with numpy.save", "is no .npy file")
	}
	at, n := int64(12), int64(le.Uint32(start[8:]))
	switch start[6] {
	case 1:
		at, n = 10, int64(le.Uint16(start[8:]))
	case 2, 3:
	default:
		return nil, nil, fail("write it with numpy.save", "has format version %d, 1 to 3 are known", start[6])
	}
	if n > size-at {
		return nil, nil, fail(damaged, "a header of %d bytes does not fit in %d", n, size-at)
	}
	header := make([]byte, n)
	if err := readAt(r, header, at); err != nil {
		return nil, nil, &FileError{File: name, Problem: "cannot be read", Err: err}
	}
	at += n
	descr, fortran, dims := npyDescr.FindSubmatch(header), npyFortran.FindSubmatch(header), npyShape.FindSubmatch(header)
	if descr == nil || fortran == nil || dims == nil {
		return nil, nil, fail("simple arrays only", "header %.200q has no plain descr, fortran_order and shape", header)
	}
	if string(fortran[1]) == "True" {
		return nil, nil, fail("save numpy.ascontiguousarray(a)", "is in Fortran order (fortran_order True)")
	}
	t, ok := npyTypes[string(descr[1])]
	if !ok {
		return nil, nil, fail("convert it with a.astype", "has type %.20q; float32, float64, int32, int64 and uint8 (little-endian) are read", descr[1])
	}
	shape, ok = npyDims(string(dims[1]))
	count, fits := count(shape)
	if !ok || !fits || int64(count) != (size-at)/int64(t.Size()) || (size-at)%int64(t.Size()) != 0 {
		return nil, nil, fail(damaged, "has %d bytes for shape (%.200s) of %s", size-at, dims[1], t)
	}
	f := &File{name: name, r: r, values: at, infos: map[string]Info{"": {Type: t, Shape: shape, end: size - at}}}
	values, err = f.readAs(t, count)
	return values, shape, err
}

// readAs reads the only tensor of a file as a slice of its own type.
func (f *File) readAs(t Stored, n int) (any, error) {
	switch t {
	case F32:
		v := make([]float32, n)
		return v, f.ReadFloat32("", v)
	case F64:
		v := make([]float64, n)
		return v, f.ReadFloat64("", v)
	case U8:
		v := make([]byte, n)
		return v, f.ReadBytes("", v)
	case I64:
		v := make([]int64, n)
		return v, f.ReadInts("", v)
	}
	v := make([]int32, n)
	return v, read(f, "", v, "int32", func(dst []int32, s Stored, raw []byte) bool {
		for i := range dst {
			dst[i] = int32(le.Uint32(raw[4*i:]))
		}
		return true
	})
}

// npyDims reads "3, 4", "3," (one axis) or "" (a scalar). Python 2 wrote 3L.
func npyDims(s string) (shape []int, ok bool) {
	s = strings.TrimSuffix(strings.TrimSpace(s), ",")
	if s == "" {
		return nil, true
	}
	for d := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(d), "L"))
		if err != nil {
			return nil, false
		}
		shape = append(shape, n)
	}
	return shape, true
}

// npyHeader is the file up to its first value, a multiple of 64 bytes.
func npyHeader(t Stored, shape []int) []byte {
	var descr string
	for name, s := range npyTypes {
		if s == t {
			descr = name
		}
	}
	dims := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
	if len(shape) == 1 {
		dims += ","
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, dims)
	prefix := 10
	if len(dict)+64 > 1<<16 {
		prefix = 12
	}
	pad := (64 - (prefix+len(dict)+1)%64) % 64
	n := len(dict) + pad + 1
	h := slices.Concat([]byte(npyMagic), []byte{1, 0}, le.AppendUint16(nil, uint16(n)))
	if prefix == 12 {
		h = slices.Concat([]byte(npyMagic), []byte{2, 0}, le.AppendUint32(nil, uint32(n)))
	}
	return append(append(h, dict...), strings.Repeat(" ", pad)+"\n"...)
}
