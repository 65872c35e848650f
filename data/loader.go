package data

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// LoaderConfig says what a Loader loads.
type LoaderConfig struct {
	Source Source
	Views  *Views
	Batch  int    // images a batch
	Seed   uint64 // of the order and of the views
	Ahead  int    // batches prepared ahead of the one in use; 0 means 2
	// Epoch and Step are the first batch's: a run that stopped after batch
	// (e,s) goes on with (e,s+1), to the bit.
	Epoch, Step int
	// MaxBad is how many images may fail before Next does; 0 means 1 % of the
	// source, or 10 where that is more.
	MaxBad int
}

// Batch is one step's images. Row b of Index and Labels is one image; its crop
// Groups()[g].First+v is row v*B+b of Views[g], which is [Count*B,size,size,C].
// All of it belongs to the Loader and is overwritten after Release, or after
// the next call of Next.
type Batch struct {
	Epoch, Step int
	Views       [][]float32
	Index       []int // the image's number in the source
	Labels      []int // -1 where the source has none

	want  []int // the images of the epoch's order
	done  atomic.Int64
	ready chan struct{} // holds a token once all pieces are done
	owner *Loader
}

// Loader makes batches ahead of the step that uses them, epoch after epoch,
// without end. It has no goroutines: whoever has time calls Step, and Next does
// what is left. A piece is one image: read it, make its views.
//
// In an epoch every image comes once, in an order drawn from the seed and the
// epoch; the last, partial batch is dropped. What a batch holds depends on the
// configuration alone, not on who made it or when. It allocates nothing per
// batch.
//
// An image that cannot be read is replaced by the next good one in the source,
// under the key of the image it stands for, and is not asked for again.
type Loader struct {
	config   LoaderConfig
	ring     []Batch
	order    []int
	ordered  int          // the epoch of order
	ticket   atomic.Int64 // pieces claimed; piece t is row t%B of batch t/B
	limit    atomic.Int64 // pieces that may be claimed
	served   int64        // batches that Next returned
	released int64        // batches that came back
	bad      badImages
	mu       sync.Mutex
	idle     []*worker
	wait     atomic.Int64 // ns spent in Next
	created  time.Time
	start    atomic.Int64 // ns from created to the first Next
}

// worker is the memory of one caller of Step.
type worker struct {
	image   Image
	scratch Scratch
}

// NewLoader checks the configuration and allocates all buffers: Ahead+1
// batches.
func NewLoader(c LoaderConfig) (*Loader, error) {
	if c.Source == nil || c.Views == nil {
		return nil, errors.New("loader: no source or no views: set both")
	}
	n := c.Source.Len()
	if c.Batch <= 0 || c.Batch > n {
		return nil, fmt.Errorf("loader: batches of %d from %d images: choose a batch of 1 to %d", c.Batch, n, n)
	}
	if c.Ahead == 0 {
		c.Ahead = 2
	}
	if c.MaxBad == 0 {
		c.MaxBad = max(10, n/100)
	}
	l := &Loader{config: c, ordered: -1, created: time.Now()}
	if c.Epoch < 0 || c.Step < 0 || c.Step >= l.Steps() || c.Ahead < 0 || c.MaxBad < 0 {
		return nil, fmt.Errorf("loader: epoch %d, step %d of %d, %d ahead, %d bad images: want none negative, and a step of the epoch",
			c.Epoch, c.Step, l.Steps(), c.Ahead, c.MaxBad)
	}
	l.bad.limit = c.MaxBad
	l.ring = make([]Batch, c.Ahead+1)
	for i := range l.ring {
		b := &l.ring[i]
		*b = Batch{Index: make([]int, c.Batch), Labels: make([]int, c.Batch), want: make([]int, c.Batch),
			ready: make(chan struct{}, 1), owner: l}
		for _, g := range c.Views.Groups() {
			b.Views = append(b.Views, make([]float32, g.Count*c.Batch*g.Size*g.Size*c.Views.Channels()))
		}
		l.open(int64(i))
	}
	return l, nil
}

// Steps is the number of batches in an epoch.
func (l *Loader) Steps() int { return l.config.Source.Len() / l.config.Batch }

// open lets the pieces of batch q be claimed. Batches are opened in order, by
// the goroutine that calls Next.
func (l *Loader) open(q int64) {
	b, steps := &l.ring[q%int64(len(l.ring))], l.Steps()
	at := q + int64(l.config.Step)
	b.Epoch, b.Step = l.config.Epoch+int(at/int64(steps)), int(at%int64(steps))
	if b.Epoch != l.ordered {
		l.order, l.ordered = order(l.order, l.config.Source.Len(), l.config.Seed, b.Epoch), b.Epoch
	}
	copy(b.want, l.order[b.Step*l.config.Batch:])
	b.done.Store(0)
	l.limit.Store((q + 1) * int64(l.config.Batch))
}

// Next returns the next batch, after releasing the last. It does the pieces
// nobody has begun and waits for those in hand; ctx ends the wait, and the
// batch is then still the next. It fails once more than MaxBad images have,
// with a *BadImagesError. Next and Release belong to one goroutine.
func (l *Loader) Next(ctx context.Context) (*Batch, error) {
	begin := time.Now()
	l.start.CompareAndSwap(0, int64(begin.Sub(l.created)))
	defer func() { l.wait.Add(int64(time.Since(begin))) }()
	l.release()
	b, end := &l.ring[l.served%int64(len(l.ring))], (l.served+1)*int64(l.config.Batch)
	for ctx.Err() == nil && l.bad.fatal.Load() == nil && l.piece(end) {
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := l.bad.fatal.Load(); err != nil {
		return nil, err
	}
	select {
	case <-b.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := l.bad.fatal.Load(); err != nil {
		return nil, err
	}
	l.served++
	return b, nil
}

// Release gives the batch's memory back before the next call of Next, so that
// another batch can be prepared in it.
func (b *Batch) Release() {
	l := b.owner
	if l.served > 0 && b == &l.ring[(l.served-1)%int64(len(l.ring))] {
		l.release()
	}
}

// release reopens the memory of the batch that is out, if one is.
func (l *Loader) release() {
	if l.released < l.served {
		l.open(l.released + int64(len(l.ring)))
		l.released++
	}
}

// Step does one piece of the batches ahead and reports whether there was one.
// It may be called from any number of goroutines at once. A piece takes some
// 20 µs for a few views of 28 pixels; for a photograph, its decoding and all
// its crops, tens of milliseconds, during which the caller is busy. Next waits
// for no piece but those of the batch it returns.
func (l *Loader) Step() bool { return l.piece(l.limit.Load()) }

// piece does the next piece if it comes before end.
func (l *Loader) piece(end int64) bool {
	t := l.ticket.Load()
	for ; t < end; t = l.ticket.Load() {
		if l.ticket.CompareAndSwap(t, t+1) {
			break
		}
	}
	if t >= end {
		return false
	}
	size := int64(l.config.Batch)
	b, w := &l.ring[t/size%int64(len(l.ring))], l.hire()
	l.fill(b, int(t%size), w)
	l.dismiss(w)
	if b.done.Add(1) == size {
		b.ready <- struct{}{}
	}
	return true
}

// fill makes row `row` of the batch.
func (l *Loader) fill(b *Batch, row int, w *worker) {
	c := &l.config
	image, ok := l.read(b.want[row], w)
	if !ok {
		return
	}
	b.Index[row], b.Labels[row] = image, c.Source.Label(image)
	key := Key{Seed: c.Seed, Epoch: b.Epoch, Index: b.want[row]}
	for g, group := range c.Views.Groups() {
		n := group.Size * group.Size * c.Views.Channels()
		for v := range group.Count {
			key.Crop = group.First + v
			at := (v*c.Batch + row) * n
			// The image has passed check, the only thing View refuses.
			_ = c.Views.View(b.Views[g][at:at+n], &w.image, key, &w.scratch)
		}
	}
}

// read loads image i or the first good one after it into w.image. It gives up
// once too many were bad.
func (l *Loader) read(i int, w *worker) (int, bool) {
	n := l.config.Source.Len()
	for range n {
		if l.bad.fatal.Load() != nil {
			return 0, false
		}
		if !l.bad.has(i) {
			err := l.config.Source.Image(i, &w.image)
			if err == nil {
				err = l.config.Views.check(&w.image)
			}
			if err == nil {
				return i, true
			}
			l.bad.add(i, err)
		}
		i = (i + 1) % n
	}
	l.bad.stop(n - 1)
	return 0, false
}

// hire takes an idle worker, or a new one where all are busy.
func (l *Loader) hire() *worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.idle)
	if n == 0 {
		return new(worker)
	}
	w := l.idle[n-1]
	l.idle = l.idle[:n-1]
	return w
}

func (l *Loader) dismiss(w *worker) {
	l.mu.Lock()
	l.idle = append(l.idle, w)
	l.mu.Unlock()
}

// LoaderStats is how a loader has fared.
type LoaderStats struct {
	// Wait is the time spent inside Next, Elapsed that since its first call:
	// Wait/Elapsed is the share in which a run stood still for its images.
	Wait, Elapsed time.Duration
	// Bad lists the images that could not be read, in order of their number.
	Bad []BadImage
}

// Stats may be called at any time, from any goroutine.
func (l *Loader) Stats() LoaderStats {
	s := LoaderStats{Wait: time.Duration(l.wait.Load()), Bad: l.bad.list()}
	if t := l.start.Load(); t != 0 {
		s.Elapsed = time.Since(l.created) - time.Duration(t)
	}
	return s
}
