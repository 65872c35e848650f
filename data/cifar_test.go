package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cifarRecord is an image whose level at (y,x,c) is y+2x+50c+n.
func cifarRecord(n int, label ...byte) []byte {
	b := label
	for c := range 3 {
		for i := range 1024 {
			b = append(b, byte(i/32+2*(i%32)+50*c+n))
		}
	}
	return b
}

func writeFiles(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, b := range files {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCIFAR(t *testing.T) {
	ten, hundred := t.TempDir(), t.TempDir()
	files := map[string][]byte{"test_batch.bin": cifarRecord(9, 3), "batches.meta.txt": []byte("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n")}
	for i, f := range cifarKinds[0].train {
		files[f] = append(cifarRecord(2*i, byte(i)), cifarRecord(2*i+1, 9)...)
	}
	writeFiles(t, filepath.Join(ten, "cifar-10-batches-bin"), files)
	writeFiles(t, hundred, map[string][]byte{"train.bin": cifarRecord(1, 19, 99)})
	o, err := Open(ten, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if o.Kind != "CIFAR-10" || o.Train.Len() != 10 || o.Test.Len() != 1 || o.Labels != 10 || o.Classes[3] != "d" || o.Test.Label(0) != 3 || o.Channels != 3 {
		t.Errorf("%+v", o)
	}
	var m Image
	for i := range 10 {
		if err := o.Train.Image(i, &m); err != nil {
			t.Fatal(err)
		}
		for at, v := range m.Pix {
			if want := byte(at/3/32 + 2*(at/3%32) + 50*(at%3) + i); v != want {
				t.Fatalf("image %d, level %d is %d, want %d", i, at, v, want)
			}
		}
		if want := []int{i / 2, 9}[i%2]; o.Train.Label(i) != want {
			t.Errorf("label %d is %d, want %d", i, o.Train.Label(i), want)
		}
	}
	o, err = Open(hundred, OpenOptions{Channels: 1})
	if err != nil {
		t.Fatal(err)
	}
	if o.Kind != "CIFAR-100" || o.Test != nil || o.Labels != 100 || o.Train.Label(0) != 99 || o.Classes[99] != "99" || o.Channels != 1 {
		t.Errorf("%+v", o)
	}
	if err := o.Train.Image(0, &m); err != nil || m.C != 1 || len(m.Pix) != 1024 {
		t.Errorf("grey: [%d,%d,%d], %v", m.H, m.W, m.C, err)
	}
}

func TestCIFARErrors(t *testing.T) {
	good := cifarRecord(0, 1)
	for want, files := range map[string]map[string][]byte{
		"no multiple of the 3073":    {"data_batch_1.bin": good[:3000]},
		"data_batch_1.bin: 0 bytes":  {"data_batch_1.bin": {}},
		"record 1 has label 10":      {"data_batch_1.bin": append(cifarRecord(0, 1), cifarRecord(0, 10)...)},
		"data_batch_2.bin":           {"data_batch_1.bin": good, "data_batch_2.bin": {}},
		"2 names of 10 classes":      {"data_batch_1.bin": good, "batches.meta.txt": []byte("a b")},
		"neither data_batch_1.bin":   {"x": nil},
		"no multiple of the 3074":    {"train.bin": good},
		"test.bin: 5 bytes, no mult": {"train.bin": cifarRecord(0, 1, 1), "test.bin": good[:5]},
	} {
		dir := t.TempDir()
		if files["data_batch_2.bin"] == nil && files["data_batch_1.bin"] != nil {
			for _, f := range cifarKinds[0].train[1:] {
				files[f] = good
			}
		}
		if want == "data_batch_2.bin" {
			delete(files, "data_batch_2.bin")
		}
		writeFiles(t, dir, files)
		if _, _, err := OpenCIFAR(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func FuzzCIFAR(f *testing.F) {
	f.Add(cifarRecord(0, 1), false)
	f.Add(cifarRecord(0, 1, 2), true)
	f.Fuzz(func(t *testing.T, file []byte, hundred bool) {
		k := &cifarKinds[0]
		if hundred {
			k = &cifarKinds[1]
		}
		set := &Set{H: 32, W: 32, C: 3}
		if err := k.parse(set, "f", file); err != nil {
			return
		}
		if set.N != len(set.Labels) || len(set.Pix) != set.N*cifarPixels || set.N*(k.labels+cifarPixels) != len(file) {
			t.Errorf("%d images, %d labels, %d levels of %d bytes", set.N, len(set.Labels), len(set.Pix), len(file))
		}
	})
}
