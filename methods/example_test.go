package methods_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/methods"
)

// stripes are n grey images of 28x28 pixels, striped upright or across.
func stripes(n int) *data.Set {
	s := &data.Set{Name: "stripes", N: n, H: 28, W: 28, C: 1, Pix: make([]uint8, n*28*28), Labels: make([]int, n)}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		s.Labels[i] = i % 2
		shift := r.IntN(8)
		for p := range 28 * 28 {
			along := [2]int{p % 28, p / 28}[i%2]
			if (along+shift)/4%2 == 0 {
				s.Pix[i*28*28+p] = uint8(128 + r.IntN(128))
			}
		}
	}
	return s
}

// A run of SwAV on images that differ in the direction of their stripes, and
// what the features of the encoder know of it.
func Example() {
	run, err := methods.Presets("demo")
	if err != nil {
		panic(err)
	}
	run.SwAV.Batch, run.SwAV.Prototypes, run.Epochs = 16, 8, 2
	backend, err := kernels.Default()
	if err != nil {
		panic(err)
	}
	images := stripes(96)
	t, err := run.New(backend, images)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := t.Train(ctx); err != nil {
		panic(err)
	}
	e := methods.Extractor{Tape: t.Tape, Views: t.Views, Short: 28, Size: 28, Batch: 64}
	f, labels, err := e.Features(ctx, t.Method.Encoder(), images)
	if err != nil {
		panic(err)
	}
	votes, err := methods.KNN{K: 5, Temperature: 0.07}.Classify(ctx, f, labels, f)
	if err != nil {
		panic(err)
	}
	top1, err := votes.Top1(labels)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d iterations, %d features of %d images, more than 90 %% right: %v\n", t.Iteration, f.D, f.N(), top1 > 90)
	// Output: 12 iterations, 256 features of 96 images, more than 90 % right: true
}

// Three samples like the first prototype best. It goes to the one that has no
// other choice as good, and the batch uses all three.
func ExampleSinkhorn() {
	scores := []float64{
		0.9, 0.1, 0,
		0.8, 0.7, 0,
		0.7, 0, 0.5,
	}
	q, err := methods.Sinkhorn{Epsilon: 0.1, Iterations: 10}.Assign(scores, 3, dist.Solo())
	if err != nil {
		panic(err)
	}
	for i := range 3 {
		fmt.Printf("%.2f\n", q[3*i:3*i+3])
	}
	// Output:
	// [0.95 0.02 0.03]
	// [0.04 0.95 0.00]
	// [0.03 0.00 0.97]
}
