package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxIDX bounds the unpacked size of an IDX file: EMNIST, the largest set in
// this format, has 0.6 GB.
const maxIDX = 1<<31 - 1

// deflateRatio is more than DEFLATE can expand: 258 bytes from two bits.
const deflateRatio = 1032

// OpenIDX reads the IDX files of a folder under the names MNIST gave them,
// train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-... for the test
// set, each plain or with .gz. Images are [N,H,W,1].
//
// Labels may be missing: the set then has none. The test images may be
// missing: test is then nil. Errors name the file, the offending value and
// what to do.
//
// Source: the format is described on MNIST's page, yann.lecun.com/exdb/mnist.
func OpenIDX(dir string) (train, test *Set, err error) {
	if train, err = openIDX(dir, "train"); err != nil {
		return nil, nil, err
	}
	if train == nil {
		return nil, nil, fmt.Errorf("%s: no train-images-idx3-ubyte or train-images-idx3-ubyte.gz: name the folder that holds them", dir)
	}
	if test, err = openIDX(dir, "t10k"); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// openIDX reads one half of the folder, or returns nil where its images are
// missing.
func openIDX(dir, half string) (*Set, error) {
	imageName, imageFile, err := readIDXFile(filepath.Join(dir, half+"-images-idx3-ubyte"))
	if err != nil || imageFile == nil {
		return nil, err
	}
	labelName, labelFile, err := readIDXFile(filepath.Join(dir, half+"-labels-idx1-ubyte"))
	if err != nil {
		return nil, err
	}
	return ParseIDX(imageName, imageFile, labelName, labelFile)
}

// readIDXFile returns the bytes of name or name.gz, and which it was; nil
// where neither exists.
func readIDXFile(name string) (string, []byte, error) {
	for _, name := range []string{name, name + ".gz"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return name, nil, err
		}
		if info.Size() > maxIDX {
			return name, nil, fmt.Errorf("%s: %d bytes, more than the %d an IDX file may have: split it", name, info.Size(), maxIDX)
		}
		file, err := os.ReadFile(name)
		return name, file, err
	}
	return "", nil, nil
}

// ParseIDX makes a set of the bytes of an image file [N,H,W] and of a label
// file [N], plain or gzip; labels may be nil. The names appear in errors, and
// the first in Set.Name.
func ParseIDX(imageName string, images []byte, labelName string, labels []byte) (*Set, error) {
	dims, pix, err := parseIDX(imageName, images, 3)
	if err != nil {
		return nil, err
	}
	set := &Set{Name: imageName, N: dims[0], H: dims[1], W: dims[2], C: 1, Pix: pix}
	if labels == nil {
		return set, nil
	}
	dims, values, err := parseIDX(labelName, labels, 1)
	if err != nil {
		return nil, err
	}
	if dims[0] != set.N {
		return nil, fmt.Errorf("%s: %d labels for the %d images of %s: take both files from one set", labelName, dims[0], set.N, imageName)
	}
	set.Labels = make([]int, set.N)
	for i, v := range values {
		set.Labels[i] = int(v)
	}
	return set, nil
}

// parseIDX reads one file: bytes 0 0 type rank, rank sizes (big-endian uint32),
// values. A plain file's values are not copied.
func parseIDX(name string, file []byte, rank int) (dims []int, values []uint8, err error) {
	fail := func(format string, args ...any) ([]int, []uint8, error) {
		return nil, nil, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...))
	}
	const again = "copy or download the file again"
	packed := len(file) >= 2 && file[0] == 0x1f && file[1] == 0x8b
	room := len(file)
	var r io.Reader = bytes.NewReader(file)
	if packed {
		if r, err = gzip.NewReader(r); err != nil {
			return fail("%v: %s", err, again)
		}
		room = deflateRatio * min(len(file), maxIDX/deflateRatio)
	}
	head := make([]byte, 4+4*rank)
	if _, err := io.ReadFull(r, head); err != nil {
		return fail("header of %d bytes: %v: %s", len(head), err, again)
	}
	if head[0] != 0 || head[1] != 0 {
		return fail("starts with % x, an IDX file with 00 00: name an IDX file", head[:4])
	}
	if head[2] != 0x08 || int(head[3]) != rank {
		return fail("type %#02x with %d dimensions, want unsigned bytes (0x08) with %d: convert it, or exchange images and labels", head[2], head[3], rank)
	}
	size := 1
	for i := range rank {
		n := int(binary.BigEndian.Uint32(head[4+4*i:]))
		if n <= 0 {
			return fail("dimension %d is %d: %s", i, n, again)
		}
		if dims = append(dims, n); n > room/size {
			return fail("dimensions begin with %v, but the file has room for %d values: %s", dims, room, again)
		}
		size *= n
	}
	if !packed {
		values = file[len(head):]
		if len(values) != size {
			return fail("%d bytes of values for dimensions %v, want %d: %s", len(values), dims, size, again)
		}
		return dims, values, nil
	}
	values = make([]uint8, size)
	if n, err := io.ReadFull(r, values); err != nil {
		return fail("%d of %d values: %v: %s", n, size, err, again)
	}
	// The reader checks the sum of a gzip file at its end.
	if n, err := io.Copy(io.Discard, io.LimitReader(r, 1)); n > 0 || err != nil {
		if err == nil {
			err = fmt.Errorf("more values than dimensions %v say", dims)
		}
		return fail("%v: %s", err, again)
	}
	return dims, values, nil
}
