package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/sectile-ml/sectile/data"
)

// part is some images of a source.
type part struct {
	data.Source
	at []int // their numbers in it
}

func (p part) Len() int                           { return len(p.at) }
func (p part) Image(i int, buf *data.Image) error { return p.Source.Image(p.at[i], buf) }
func (p part) Label(i int) int                    { return p.Source.Label(p.at[i]) }
func (p part) Name(i int) string                  { return data.NameOf(p.Source, p.at[i]) }

// readable is the images of src that can be read and that want accepts, with a
// note of those that cannot be read. Images in memory are not tried.
func readable(src data.Source, want func(i int) bool) (data.Source, string, error) {
	_, decoded := src.(*data.Set)
	errs := make([]error, src.Len())
	if !decoded {
		var all sync.WaitGroup
		var next atomic.Int64
		for range runtime.GOMAXPROCS(0) {
			all.Go(func() {
				var m data.Image
				for i := int(next.Add(1)) - 1; i < len(errs); i = int(next.Add(1)) - 1 {
					if want(i) {
						errs[i] = src.Image(i, &m)
					}
				}
			})
		}
		all.Wait()
	}
	p, bad := part{Source: src}, 0
	var first error
	for i, err := range errs {
		switch {
		case err != nil:
			if bad++; first == nil {
				first = err
			}
		case want(i):
			p.at = append(p.at, i)
		}
	}
	if len(p.at) == 0 {
		if first != nil {
			return nil, "", fmt.Errorf("none of %d images can be read: %w", src.Len(), first)
		}
		return nil, "", fmt.Errorf("none of %d images has a label", src.Len())
	}
	note := ""
	if bad > 0 {
		note = fmt.Sprintf("%d of %d images cannot be read and are left out, the first: %v", bad, src.Len(), first)
	}
	if len(p.at) == src.Len() {
		return src, note, nil
	}
	return p, note, nil
}
