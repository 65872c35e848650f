package data

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// store is where encoded images lie.
type store interface {
	// name is what errors call file `at`.
	name(at int) string
	// read returns its bytes, in buf's memory where that is large enough. It
	// refuses more than limit before it takes memory.
	read(at int, buf []byte, limit int64) ([]byte, error)
}

// files is a Source of encoded images. Every call of Image decodes one.
type files struct {
	store   store
	entries []entry
	options OpenOptions
	buffers sync.Pool // *[]byte
}

func (s *files) Len() int { return len(s.entries) }

func (s *files) Label(i int) int { return s.entries[i].label }

// Name is the image's path in its folder or archive.
func (s *files) Name(i int) string { return s.entries[i].path }

func (s *files) Image(i int, buf *Image) error {
	at := s.entries[i].at
	b, _ := s.buffers.Get().(*[]byte)
	if b == nil {
		b = new([]byte)
	}
	file, err := s.store.read(at, *b, s.options.MaxBytes)
	if err == nil {
		err = Decode(buf, file, s.options.Channels, s.options.MaxPixels)
		if cap(file) <= 8<<20 { // what is larger is rare, and not kept
			*b = file
		}
	}
	s.buffers.Put(b)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) { // its path is the store's own
			err = p.Err
		}
		return fmt.Errorf("%s: %w", s.store.name(at), err)
	}
	return nil
}

// readAll reads size bytes from r, which must then end, into buf's memory
// where that is large enough.
func readAll(r io.Reader, buf []byte, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, fmt.Errorf("%d bytes, more than the limit of %d: shrink it, or raise the limit", size, limit)
	}
	buf = grow(buf, int(size))
	if _, err := io.ReadFull(r, buf); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("ends before its %d bytes: copy it again", size)
		}
		return nil, err
	}
	var more [1]byte
	if n, err := r.Read(more[:]); n > 0 {
		return nil, fmt.Errorf("goes on after its %d bytes: copy it again", size)
	} else if err != nil && err != io.EOF {
		return nil, err
	}
	return buf, nil
}
