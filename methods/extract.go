package methods

import (
	"context"
	"fmt"
	"sync"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/nn"
)

// Extractor computes features of whole images, as they are judged: the middle
// Size x Size pixels after a resize of the shorter side to Short, normalised
// like the views; batch norm with its running statistics; no gradient.
type Extractor struct {
	Tape  *autograd.Tape // the run's own, so that all steps share one arena
	Views *data.Views    // for the normalisation; Size is that of one of its crops
	Short int            // 256 for ImageNet, the image's own side for small ones
	Size  int            // 224
	Batch int            // images at a time: 256
	Kind  string         // begins the names of the tape's plans; two encoders on one tape have two
}

// Features are the encoder's outputs [N, Features()] for every image of src,
// in order, with their labels (-1 where src has none). The last, smaller batch
// has a plan of its own. An image that cannot be read is an error here.
func (e Extractor) Features(ctx context.Context, encoder Encoder, src data.Source) (Features, []int, error) {
	n, d, c := src.Len(), encoder.Features(), e.Views.Channels()
	f := Features{make([]float32, n*d), d}
	pixels := make([]float32, min(e.Batch, n)*e.Size*e.Size*c)
	for lo := 0; lo < n; lo += e.Batch {
		if err := ctx.Err(); err != nil {
			return Features{}, nil, err
		}
		b := min(e.Batch, n-lo)
		x := pixels[:b*e.Size*e.Size*c]
		if err := e.plain(x, src, lo, b); err != nil {
			return Features{}, nil, err
		}
		e.Tape.BeginNoGrad(fmt.Sprintf("%sfeatures of %d", e.Kind, b))
		y := encoder.Forward(&nn.Pass{Tape: e.Tape}, e.Tape.Input(autograd.Dims(b, e.Size, e.Size, c), x)).Keep()
		if err := e.Tape.Run(); err != nil {
			return Features{}, nil, fmt.Errorf("features: %w", err)
		}
		if err := y.CopyTo(f.X[lo*d : (lo+b)*d]); err != nil {
			return Features{}, nil, err
		}
	}
	return f, labels(src), nil
}

// plain writes images lo to lo+b-1 to x.
func (e Extractor) plain(x []float32, src data.Source, lo, b int) error {
	size := len(x) / b
	var mu sync.Mutex
	var first error
	split(b, func(from, to int) {
		var image data.Image
		var scratch data.Scratch
		for i := from; i < to; i++ {
			err := src.Image(lo+i, &image)
			if err == nil {
				err = e.Views.Plain(x[i*size:(i+1)*size], &image, e.Short, e.Size, &scratch)
			}
			if err != nil {
				mu.Lock()
				first = fmt.Errorf("features of image %d: %w", lo+i, err)
				mu.Unlock()
				return
			}
		}
	})
	return first
}

// Pixels are the images themselves as features, levels/255 in [0,1]: what any
// encoder has to beat. All images have one shape.
func Pixels(src data.Source) (Features, []int, error) {
	var f Features
	var image data.Image
	for i := range src.Len() {
		if err := src.Image(i, &image); err != nil {
			return Features{}, nil, err
		}
		if i == 0 {
			f = Features{make([]float32, 0, src.Len()*len(image.Pix)), len(image.Pix)}
		}
		if len(image.Pix) != f.D {
			return Features{}, nil, fmt.Errorf("pixels: image %d has %d levels, the first %d: resize them first", i, len(image.Pix), f.D)
		}
		for _, v := range image.Pix {
			f.X = append(f.X, float32(v)/255)
		}
	}
	return f, labels(src), nil
}

// labels of all images.
func labels(src data.Source) []int {
	l := make([]int, src.Len())
	for i := range l {
		l[i] = src.Label(i)
	}
	return l
}
