package data

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// zipStore is a zip file's files. Nothing is ever unpacked to disk, so a path
// that leads out of the archive is but an odd name.
type zipStore struct {
	path  string
	files []*zip.File
}

func (s *zipStore) name(at int) string { return s.path + ": " + s.files[at].Name }

func (s *zipStore) read(at int, buf []byte, limit int64) ([]byte, error) {
	f := s.files[at]
	size := int64(min(f.UncompressedSize64, 1<<62))
	if size <= limit && size/deflateRatio > int64(min(f.CompressedSize64, 1<<62)) {
		return nil, fmt.Errorf("%d bytes said to be packed in %d: make the archive again", size, f.CompressedSize64)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readAll(r, buf, size, limit)
}

// openZip reads the directory of a zip file and keeps the file open.
func openZip(path string, o OpenOptions) (*Opened, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var opened *Opened
	if err == nil {
		opened, err = readZip(f, info.Size(), path, o)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	opened.close = f.Close
	return opened, nil
}

func readZip(f io.ReaderAt, size int64, path string, o OpenOptions) (*Opened, error) {
	r, err := zip.NewReader(f, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("%s: %w: copy or download it again", path, err)
	}
	s := &zipStore{path: path, files: r.File}
	all, err := s.entries()
	if err != nil {
		return nil, err
	}
	return ofFiles("zip of images", path, s, all, nil, o)
}

// entries lists the files that are not folders.
func (s *zipStore) entries() ([]entry, error) {
	var all []entry
	for i, f := range s.files {
		p := strings.TrimLeft(strings.ReplaceAll(f.Name, `\`, "/"), "/")
		if strings.HasSuffix(p, "/") || p == "" {
			continue
		}
		if isImage(p) && (f.Flags&1 != 0 || f.Method != zip.Store && f.Method != zip.Deflate) {
			return nil, fmt.Errorf("%s: encrypted, or packed by method %d: unpack it and name the folder", s.name(i), f.Method)
		}
		all = append(all, entry{path: p, at: i, label: -1})
	}
	return all, nil
}
