package tensor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
)

// File is an open safetensors file: 8 bytes with the header's length, a JSON
// header of names, types, shapes and offsets, then the values, little-endian
// and row-major. Only the header is held in memory. A File may be read by
// several goroutines at once.
//
// Source: github.com/huggingface/safetensors, README, "Format".
type File struct {
	name   string
	r      io.ReaderAt
	close  func() error
	names  []string
	infos  map[string]Info
	meta   map[string]string
	values int64 // offset of the first value in the file
}

// Info describes one stored tensor.
type Info struct {
	Type  Stored
	Shape []int

	begin, end int64 // within the values
}

// Len is the number of elements.
func (i Info) Len() int { n, _ := count(i.Shape); return n }

// maxHeader is the largest header that the format allows.
const maxHeader = 100_000_000

// OpenSafetensors opens a file and checks its whole header: names once,
// shapes that match their bytes, values that neither overlap nor leave gaps.
// The error is a *FileError.
func OpenSafetensors(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, &FileError{File: path, Problem: "cannot be opened", Err: err}
	}
	info, err := r.Stat()
	if err != nil {
		r.Close()
		return nil, &FileError{File: path, Problem: "cannot be opened", Err: err}
	}
	f, err := ReadSafetensors(path, r, info.Size())
	if err != nil {
		r.Close()
		return nil, err
	}
	f.close = r.Close
	return f, nil
}

// ReadSafetensors is OpenSafetensors for size bytes of r, an embedded file for
// one; name is what errors call it.
func ReadSafetensors(name string, r io.ReaderAt, size int64) (*File, error) {
	f := &File{name: name, r: r, infos: map[string]Info{}}
	var prefix [8]byte
	if size < 8 {
		return nil, f.fail("", damaged, "%d bytes are no safetensors file", size)
	}
	if err := readAt(r, prefix[:], 0); err != nil {
		return nil, &FileError{File: name, Problem: "cannot be read", Err: err}
	}
	n := le.Uint64(prefix[:])
	if n > uint64(size-8) {
		return nil, f.fail("", damaged, "a header of %d bytes does not fit in %d", n, size-8)
	}
	if n > maxHeader {
		return nil, f.fail("", "the format allows 100 MB", "a header of %d bytes", n)
	}
	header := make([]byte, n)
	if err := readAt(r, header, 8); err != nil {
		return nil, &FileError{File: name, Problem: "header cannot be read", Err: err}
	}
	f.values = 8 + int64(n)
	if err := f.parse(header); err != nil {
		return nil, err
	}
	if err := f.checkLayout(size - f.values); err != nil {
		return nil, err
	}
	return f, nil
}

// Close closes the file. Info and Names stay valid.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// Names lists the tensors, sorted; not to be modified.
func (f *File) Names() []string { return f.names }

// Info describes a tensor and reports whether the file has it.
func (f *File) Info(name string) (Info, bool) { i, ok := f.infos[name]; return i, ok }

// Metadata is the header's free text, not to be modified.
func (f *File) Metadata() map[string]string { return f.meta }

// ReadFloat32 reads a tensor of a float type into dst, row-major; float64 is
// rounded. It is an error when the file has no such tensor, another type, or
// not len(dst) elements.
func (f *File) ReadFloat32(name string, dst []float32) error {
	return read(f, name, dst, "float", decodeFloats[float32])
}

// ReadFloat64 is ReadFloat32 without rounding.
func (f *File) ReadFloat64(name string, dst []float64) error {
	return read(f, name, dst, "float", decodeFloats[float64])
}

// ReadInts reads a tensor of an integer type into dst, row-major.
func (f *File) ReadInts(name string, dst []int64) error {
	return read(f, name, dst, "integer", decodeInts)
}

// ReadBytes reads a U8 tensor into dst.
func (f *File) ReadBytes(name string, dst []byte) error {
	return read(f, name, dst, "U8", func(dst []byte, s Stored, raw []byte) bool {
		copy(dst, raw)
		return s == U8
	})
}

// read converts a tensor piece by piece, with one buffer of 64 KiB.
func read[T any](f *File, name string, dst []T, kind string, decode func([]T, Stored, []byte) bool) error {
	i, ok := f.infos[name]
	if !ok {
		return f.fail(name, "Names lists what the file holds", "is not in the file")
	}
	if i.Len() != len(dst) {
		return f.fail(name, "the model and the file differ", "has shape %s, %d elements are wanted", shapeString(i.Shape), len(dst))
	}
	if i.Type.Size() == 0 || !decode(nil, i.Type, nil) {
		return f.fail(name, "convert it before", "has type %s, a tensor of %s type is wanted", i.Type, kind)
	}
	size := i.Type.Size()
	buf := make([]byte, min(1<<16, len(dst)*size))
	for at := f.values + i.begin; len(dst) > 0; at += int64(len(buf)) {
		n := min(len(dst), len(buf)/size)
		buf = buf[:n*size]
		if err := readAt(f.r, buf, at); err != nil {
			return &FileError{File: f.name, Tensor: name, Problem: "cannot be read", Err: err}
		}
		decode(dst[:n], i.Type, buf)
		dst = dst[n:]
	}
	return nil
}

// readAt fills b; a reader may say EOF with the last byte.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	if n, err := r.ReadAt(b, at); n < len(b) {
		return err
	}
	return nil
}

// parse reads the header's JSON. encoding/json keeps the last of equal keys
// without a word, so the outer object is walked token by token.
func (f *File) parse(header []byte) error {
	d := json.NewDecoder(bytes.NewReader(header))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return f.fail("", damaged, "the header does not begin with an object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return f.header(err)
		}
		name, _ := t.(string) // keys are strings, or Token fails
		if name == "__metadata__" {
			if f.meta != nil {
				return f.fail("", damaged, "metadata twice")
			}
			if err := d.Decode(&f.meta); err != nil {
				return f.header(err)
			}
			continue
		}
		if _, twice := f.infos[name]; twice {
			return f.fail(name, damaged, "is in the header twice")
		}
		var e struct {
			Type    Stored  `json:"dtype"`
			Shape   []int   `json:"shape"`
			Offsets []int64 `json:"data_offsets"`
		}
		if err := d.Decode(&e); err != nil {
			return &FileError{File: f.name, Tensor: name, Problem: "header", Remedy: damaged, Err: err}
		}
		if len(e.Offsets) != 2 || e.Shape == nil {
			return f.fail(name, damaged, "has shape %.200s and %d offsets", shapeString(e.Shape), len(e.Offsets))
		}
		f.infos[name] = Info{Type: e.Type, Shape: e.Shape, begin: e.Offsets[0], end: e.Offsets[1]}
		f.names = append(f.names, name)
	}
	if _, err := d.Token(); err != nil {
		return f.header(err)
	}
	if rest := bytes.Trim(header[d.InputOffset():], " "); len(rest) > 0 {
		return f.fail("", damaged, "the header has %d bytes after its end", len(rest))
	}
	slices.Sort(f.names)
	return nil
}

// checkLayout proves that the tensors cover size bytes of values, each once,
// and that each has the bytes its shape needs.
func (f *File) checkLayout(size int64) error {
	order := slices.Clone(f.names)
	slices.SortFunc(order, func(a, b string) int {
		x, y := f.infos[a], f.infos[b]
		return cmp.Or(cmp.Compare(x.begin, y.begin), cmp.Compare(x.end, y.end))
	})
	var at int64
	for _, name := range order {
		i := f.infos[name]
		if i.begin < 0 || i.end < i.begin || i.end > size {
			return f.fail(name, damaged, "lies at bytes %d to %d of %d", i.begin, i.end, size)
		}
		if i.begin < at {
			return f.fail(name, damaged, "overlaps another: it begins at byte %d, that one ends at %d", i.begin, at)
		}
		if i.begin > at {
			return f.fail(name, damaged, "bytes %d to %d before it belong to no tensor", at, i.begin)
		}
		n, ok := count(i.Shape)
		if !ok {
			return f.fail(name, damaged, "has the impossible shape %.200s", shapeString(i.Shape))
		}
		if s := i.Type.Size(); s > 0 && int64(n) != (i.end-i.begin)/int64(s) || s > 0 && (i.end-i.begin)%int64(s) != 0 {
			return f.fail(name, damaged, "has %d bytes for shape %.200s of %s", i.end-i.begin, shapeString(i.Shape), i.Type)
		}
		at = i.end
	}
	if at != size {
		return f.fail("", damaged, "%d bytes of values, the header speaks of %d", size, at)
	}
	return nil
}

func (f *File) fail(tensor, remedy, format string, args ...any) error {
	return &FileError{File: f.name, Tensor: tensor, Problem: fmt.Sprintf(format, args...), Remedy: remedy}
}

func (f *File) header(err error) error {
	return &FileError{File: f.name, Problem: "header", Remedy: damaged, Err: err}
}
