package data

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// BadImage is an image that could not be used; Err names its file.
type BadImage struct {
	Index int
	Err   error
}

// BadImagesError is what Loader.Next returns when more images are bad than it
// may skip. Bad lists those found so far, in order of their number.
type BadImagesError struct {
	Limit int
	Bad   []BadImage
}

// Error names the first few images, and what is wrong with each.
func (e *BadImagesError) Error() string {
	const named = 5
	var s strings.Builder
	fmt.Fprintf(&s, "%d bad images, more than the %d that may be skipped: repair or remove them, or raise the limit", len(e.Bad), e.Limit)
	for _, b := range e.Bad[:min(named, len(e.Bad))] {
		fmt.Fprintf(&s, "; %v", b.Err)
	}
	if n := len(e.Bad) - named; n > 0 {
		fmt.Fprintf(&s, "; and %d more", n)
	}
	return s.String()
}

// Unwrap returns the error of every bad image.
func (e *BadImagesError) Unwrap() []error {
	errs := make([]error, len(e.Bad))
	for i, b := range e.Bad {
		errs[i] = b.Err
	}
	return errs
}

// badImages is the set of images to skip.
type badImages struct {
	limit int
	count atomic.Int64 // len(errs), so that a good run takes no lock
	fatal atomic.Pointer[BadImagesError]
	mu    sync.Mutex
	errs  map[int]error
}

func (s *badImages) has(i int) bool {
	if s.count.Load() == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errs[i] != nil
}

func (s *badImages) add(i int, err error) {
	s.mu.Lock()
	if s.errs == nil {
		s.errs = map[int]error{}
	}
	s.errs[i] = err
	n := len(s.errs)
	s.count.Store(int64(n))
	s.mu.Unlock()
	if n > s.limit {
		s.stop(s.limit)
	}
}

// stop makes Next fail from now on.
func (s *badImages) stop(limit int) {
	s.fatal.CompareAndSwap(nil, &BadImagesError{limit, s.list()})
}

func (s *badImages) list() []BadImage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var bad []BadImage
	for i, err := range s.errs {
		bad = append(bad, BadImage{i, err})
	}
	slices.SortFunc(bad, func(a, b BadImage) int { return a.Index - b.Index })
	return bad
}
