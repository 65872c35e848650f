package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tree writes files below a new folder. A path that ends in a slash is an
// empty folder; content "" is a PNG whose red level numbers the file.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range sortedFiles(t, files) {
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(p, 0o777); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(p, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// sortedFiles ranges over names and contents, in reverse order of the names.
func sortedFiles(t testing.TB, files map[string]string) func(yield func(string, []byte) bool) {
	return func(yield func(string, []byte) bool) {
		var names []string
		for n := range files {
			names = append(names, n)
		}
		slices.Sort(names)
		slices.Reverse(names)
		for _, n := range names {
			content := []byte(files[n])
			if len(content) == 0 {
				content = numbered(t, n)
			}
			if !yield(n, content) {
				return
			}
		}
	}
}

// numbered is a 3x2 PNG whose red level is the number at the end of its name.
func numbered(t testing.TB, name string) []byte {
	base := strings.TrimSuffix(name, filepath.Ext(name))
	i := len(base)
	for i > 0 && '0' <= base[i-1] && base[i-1] <= '9' {
		i--
	}
	n, _ := strconv.Atoi(base[i:])
	m := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	for i := range m.Pix {
		m.Pix[i] = 255
		if i%4 == 0 {
			m.Pix[i] = uint8(n)
		}
	}
	return encode(t, "png", m)
}

func writeZip(t testing.TB, path string, files map[string]string) {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	method := zip.Store
	for name, content := range sortedFiles(t, files) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		method = zip.Deflate - method
		if !strings.HasSuffix(name, "/") {
			if _, err := f.Write(content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func writeTar(t testing.TB, path string, files map[string]string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range sortedFiles(t, files) {
		h := &tar.Header{Name: name, Size: int64(len(content)), Mode: 0o666, Typeflag: tar.TypeReg}
		if strings.HasSuffix(name, "/") {
			h.Typeflag, h.Size = tar.TypeDir, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.WriteHeader(&tar.Header{Name: "link.jpg", Linkname: "x", Typeflag: tar.TypeSymlink}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}
