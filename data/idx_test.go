package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// idx writes an IDX file of bytes 0, 1, 2...; n says how many.
func idx(kind byte, n int, dims ...uint32) []byte {
	b := []byte{0, 0, kind, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

func pack(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func TestOpenIDX(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := OpenIDX(dir); err == nil || !strings.Contains(err.Error(), "train-images-idx3-ubyte.gz") {
		t.Errorf("empty folder: %v", err)
	}
	write("train-images-idx3-ubyte", idx(8, 24, 4, 2, 3))
	train, test, err := OpenIDX(dir)
	if err != nil || test != nil || train.Labels != nil || train.N != 4 || train.H != 2 || train.W != 3 || train.C != 1 {
		t.Fatalf("images alone: %+v, %+v, %v", train, test, err)
	}
	write("train-labels-idx1-ubyte.gz", pack(idx(8, 4, 4)))
	write("t10k-images-idx3-ubyte.gz", pack(idx(8, 6, 1, 2, 3)))
	train, test, err = OpenIDX(dir)
	if err != nil || test.N != 1 || train.Label(3) != 3 || test.Label(0) != -1 {
		t.Fatalf("with labels and test images: %+v, %+v, %v", train, test, err)
	}
	var m Image
	if err := train.Image(2, &m); err != nil || m.Pix[5] != 17 {
		t.Errorf("image 2: %v, %v", m, err)
	}
	write("t10k-labels-idx1-ubyte", idx(8, 2, 2))
	if _, _, err = OpenIDX(dir); err == nil || !strings.Contains(err.Error(), "2 labels for the 1 images") {
		t.Errorf("two labels for one image: %v", err)
	}
}

func TestParseIDXErrors(t *testing.T) {
	good := idx(8, 24, 4, 2, 3)
	for name, file := range map[string][]byte{
		"unexpected EOF":     good[:10],
		"starts with 89 50":  append([]byte{0x89, 0x50}, good[2:]...),
		"type 0x0d":          idx(0x0d, 24, 4, 2, 3),
		"with 1 dimensions":  append(idx(8, 4, 4), make([]byte, 16)...),
		"24 bytes of values": idx(8, 24, 4, 2, 2),
		"23 bytes of values": good[:len(good)-1],
		"is 0":               idx(8, 0, 4, 0, 3),
		"has room for":       idx(8, 24, 1<<31, 1<<31, 1<<31),
		"room for":           pack(idx(8, 24, 1<<20, 1<<10, 1)),
		"more values":        pack(append(good, 0)),
		"of 24 values":       pack(good[:len(good)-1]),
		"EOF":                pack(good)[:8],
		"checksum":           flip(pack(good)),
	} {
		_, err := ParseIDX("file.gz", file, "", nil)
		if err == nil || !strings.HasPrefix(err.Error(), "file.gz: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %v", name, err)
		}
	}
}

// flip breaks the checksum of a gzip file.
func flip(b []byte) []byte {
	b[len(b)-8] ^= 1
	return b
}

func FuzzParseIDX(f *testing.F) {
	f.Add(idx(8, 24, 4, 2, 3), idx(8, 4, 4))
	f.Add(pack(idx(8, 24, 4, 2, 3)), pack(idx(8, 4, 4)))
	f.Add(idx(8, 1, 1<<31, 1<<31, 4), []byte(nil))
	f.Add(pack(idx(8, 1, 1<<20, 1<<10, 1)), []byte(nil))
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		set, err := ParseIDX("images", images, "labels", labels)
		if err != nil {
			return
		}
		var m Image
		for i := range set.N {
			if err := set.Image(i, &m); err != nil {
				t.Fatal(err)
			}
			set.Label(i)
		}
		if len(set.Pix) != set.N*set.H*set.W {
			t.Fatalf("%d bytes for [%d,%d,%d]", len(set.Pix), set.N, set.H, set.W)
		}
	})
}
