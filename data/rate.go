package data

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Rate measures how many images a second so many goroutines read and turn into
// all their views, for a time d after one image each. With decoded > 0 the
// views are of that many images, read beforehand and evenly spread.
func Rate(ctx context.Context, s Source, v *Views, threads, decoded int, d time.Duration) (float64, error) {
	if threads < 1 || s.Len() == 0 || d <= 0 {
		return 0, fmt.Errorf("rate: %d goroutines, %d images, %v: want more than 0 of each", threads, s.Len(), d)
	}
	kept := make([]Image, min(decoded, s.Len()))
	for i := range kept {
		if err := s.Image(i*s.Len()/len(kept), &kept[i]); err != nil {
			return 0, err
		}
	}
	var next, done atomic.Int64
	one := func(m *Image, dst []float32, scratch *Scratch) error {
		i := int(next.Add(1) - 1)
		if len(kept) > 0 {
			m = &kept[i%len(kept)]
		} else if err := s.Image(i%s.Len(), m); err != nil {
			return err
		}
		for crop := range v.Crops() {
			if err := v.View(dst, m, Key{Index: i, Crop: crop}, scratch); err != nil {
				return err
			}
		}
		return nil
	}
	size := 0
	for _, g := range v.Groups() {
		size = max(size, g.Size*g.Size*v.Channels())
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var warm, finished sync.WaitGroup
	warm.Add(threads)
	start := make(chan time.Time)
	for range threads {
		finished.Go(func() {
			var m Image
			var scratch Scratch
			dst := make([]float32, size)
			err := one(&m, dst, &scratch)
			warm.Done()
			end := (<-start).Add(d)
			for err == nil && ctx.Err() == nil && time.Now().Before(end) {
				if err = one(&m, dst, &scratch); err == nil {
					done.Add(1)
				}
			}
			if err != nil {
				stop(err)
			}
		})
	}
	warm.Wait()
	runtime.GC() // what warming up left
	begin := time.Now()
	for range threads {
		start <- begin
	}
	finished.Wait()
	took := time.Since(begin)
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return float64(done.Load()) / took.Seconds(), nil
}
