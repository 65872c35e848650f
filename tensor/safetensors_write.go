package tensor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// Named is a tensor to be stored.
type Named struct {
	Name  string
	Shape []int  // nil: a *Tensor's own, else one axis
	Data  any    // *Tensor, []float32, []float64, []int32, []int64 or []byte
	As    Stored // float data only: F64, F32 or BF16 (rounded to nearest even); "" keeps the type
}

// entry is a Named, checked and laid out.
type entry struct {
	Named
	n        int
	begin    int
	appendTo func(b []byte, lo, hi int) []byte
}

// WriteSafetensors writes tensors and free text to path by WriteFile. Equal
// content gives equal bytes: the header is sorted by name and padded to 8
// bytes, the values are sorted by element size (largest first, so that all are
// aligned), then name. Names given twice or not UTF-8, shapes of another length
// than the data and other types of data are errors.
func WriteSafetensors(path string, tensors []Named, meta map[string]string) error {
	entries, err := layOut(tensors)
	if err != nil {
		return err
	}
	header, err := headerOf(entries, meta)
	if err != nil {
		return err
	}
	return WriteFile(path, func(w io.Writer) error { return writeEntries(w, header, entries) })
}

// layOut checks tensors and gives them offsets, in file order.
func layOut(tensors []Named) ([]entry, error) {
	entries := make([]entry, len(tensors))
	seen := map[string]bool{}
	for i, t := range tensors {
		if seen[t.Name] || t.Name == "__metadata__" || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("tensor %q: the name is taken or not UTF-8", t.Name)
		}
		seen[t.Name] = true
		e := entry{Named: t}
		if x, ok := t.Data.(*Tensor); ok {
			data, err := download(x)
			if err != nil {
				return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
			}
			e.Data = data
			if t.Shape == nil {
				e.Shape = append([]int{}, x.shape...) // a scalar's is empty, not nil
			}
		}
		var err error
		e.As, e.n, e.appendTo, err = values(e.Data, t.As)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if e.Shape == nil {
			e.Shape = []int{e.n}
		}
		if n, ok := count(e.Shape); !ok || n != e.n {
			return nil, fmt.Errorf("tensor %q: %d values for shape %s", t.Name, e.n, shapeString(e.Shape))
		}
		entries[i] = e
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.As.Size(), a.As.Size()), cmp.Compare(a.Name, b.Name))
	})
	at := 0
	for i := range entries {
		entries[i].begin = at
		at += entries[i].n * entries[i].As.Size()
	}
	return entries, nil
}

// headerOf is the file up to its first value.
func headerOf(entries []entry, meta map[string]string) ([]byte, error) {
	header := map[string]any{}
	if len(meta) > 0 {
		header["__metadata__"] = meta
	}
	for _, e := range entries {
		header[e.Name] = map[string]any{
			"dtype": e.As, "shape": e.Shape,
			"data_offsets": []int{e.begin, e.begin + e.n*e.As.Size()},
		}
	}
	b, err := json.Marshal(header) // sorts keys; "__metadata__" has no place of its own
	if err != nil {
		return nil, err
	}
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	if len(b) > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes: the format allows %d", len(b), maxHeader)
	}
	return append(le.AppendUint64(nil, uint64(len(b))), b...), nil
}

func writeEntries(w io.Writer, header []byte, entries []entry) error {
	if _, err := w.Write(header); err != nil {
		return err
	}
	buf := make([]byte, 0, 1<<16)
	for _, e := range entries {
		step := cap(buf) / e.As.Size()
		for lo := 0; lo < e.n; lo += step {
			if _, err := w.Write(e.appendTo(buf, lo, min(lo+step, e.n))); err != nil {
				return err
			}
		}
	}
	return nil
}

// download is a tensor's values as a slice.
func download(t *Tensor) (any, error) {
	t.live("WriteSafetensors")
	if !isFloat(t.mem.Type) {
		return nil, fmt.Errorf("a tensor of %s: give its values as a slice", t.mem.Type)
	}
	v := make([]float32, t.Len())
	return v, t.CopyTo(v)
}
