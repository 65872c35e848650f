package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// cifarKind is a version of CIFAR: its files and where in a record the label is.
type cifarKind struct {
	folder      string // that the archive unpacks to
	train, test []string
	labels      int // bytes before the pixels, the last of which counts
	classes     int
	names       string
}

var cifarKinds = []cifarKind{
	{"cifar-10-batches-bin", []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		[]string{"test_batch.bin"}, 1, 10, "batches.meta.txt"},
	{"cifar-100-binary", []string{"train.bin"}, []string{"test.bin"}, 2, 100, "fine_label_names.txt"},
}

// cifarPixels are the levels of an image: red, green and blue planes of 32x32.
const cifarPixels = 3 * 32 * 32

// cifarFolder is dir, or the folder in it that the archives unpack to, if it
// holds a binary version of CIFAR; else "".
func cifarFolder(dir string) string {
	for _, k := range cifarKinds {
		for _, d := range []string{dir, filepath.Join(dir, k.folder)} {
			if _, err := os.Stat(filepath.Join(d, k.train[0])); err == nil {
				return d
			}
		}
	}
	return ""
}

// OpenCIFAR reads CIFAR-10 or CIFAR-100, binary version, from the folder of its
// files or the one above. Images are [N,32,32,3]; CIFAR-100's labels are the
// 100 fine ones. The test images may be missing: test is then nil. Errors name
// the file, the offending value and what to do.
//
// Source: www.cs.toronto.edu/~kriz/cifar.html.
func OpenCIFAR(dir string) (train, test *Set, err error) {
	d := cifarFolder(dir)
	for _, k := range cifarKinds {
		if _, err := os.Stat(filepath.Join(d, k.train[0])); d == "" || err != nil {
			continue
		}
		names, err := k.classNames(d)
		if err != nil {
			return nil, nil, err
		}
		if train, err = k.open(d, k.train, names); err != nil {
			return nil, nil, err
		}
		test, err = k.open(d, k.test, names)
		if errors.Is(err, fs.ErrNotExist) {
			test, err = nil, nil
		}
		return train, test, err
	}
	return nil, nil, fmt.Errorf("%s: neither data_batch_1.bin (CIFAR-10) nor train.bin (CIFAR-100): name the folder of the binary version", dir)
}

// open reads files into one set.
func (k *cifarKind) open(dir string, files, classes []string) (*Set, error) {
	set := &Set{Name: filepath.Join(dir, files[0]), H: 32, W: 32, C: 3, Classes: classes}
	var sizes int64
	for _, f := range files {
		info, err := os.Stat(filepath.Join(dir, f))
		if err != nil {
			return nil, err
		}
		sizes += info.Size()
	}
	if sizes > maxIDX {
		return nil, fmt.Errorf("%s: %d bytes, CIFAR has 0.2 GB: copy or download it again", dir, sizes)
	}
	set.Pix = make([]uint8, 0, sizes)
	for _, f := range files {
		name := filepath.Join(dir, f)
		b, err := os.ReadFile(name)
		if err == nil {
			err = k.parse(set, name, b)
		}
		if err != nil {
			return nil, err
		}
	}
	return set, nil
}

// parse appends a file's records.
func (k *cifarKind) parse(set *Set, name string, b []byte) error {
	size := k.labels + cifarPixels
	if len(b) == 0 || len(b)%size != 0 {
		return fmt.Errorf("%s: %d bytes, no multiple of the %d of a record: copy or download it again", name, len(b), size)
	}
	for at := 0; at < len(b); at += size {
		record := b[at : at+size]
		label := int(record[k.labels-1])
		if label >= k.classes {
			return fmt.Errorf("%s: record %d has label %d, the last is %d: copy or download it again", name, at/size, label, k.classes-1)
		}
		set.N++
		set.Labels = append(set.Labels, label)
		n := len(set.Pix)
		set.Pix = append(set.Pix, record[k.labels:]...)
		to := set.Pix[n:]
		for c := range 3 {
			for i, v := range record[k.labels+c*1024:][:1024] {
				to[3*i+c] = v
			}
		}
	}
	return nil
}

// classNames reads the names of the classes; without them, they are numbers.
func (k *cifarKind) classNames(dir string) ([]string, error) {
	name := filepath.Join(dir, k.names)
	b, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := strings.Fields(string(b))
	if len(names) == 0 {
		for i := range k.classes {
			names = append(names, fmt.Sprint(i))
		}
	}
	if len(names) != k.classes {
		return nil, fmt.Errorf("%s: %d names of %d classes: copy it again, or remove it", name, len(names), k.classes)
	}
	return names, nil
}
