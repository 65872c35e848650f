package methods

import (
	"fmt"
	"slices"
	"time"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/nn"
)

// Speed measures how many of Cost's operations a second this machine does now:
// forward and backward of a fresh encoder on one full view of each of at most
// a batch of images, as many as make it 50 billion operations: fewer would go
// at another speed than a batch. It takes a step to plan and map memory, and
// then the median of at least three steps, or as many as two seconds hold; no
// state of a run is touched. t is the run's tape: the plan lies in its arena.
//
// Heads, logits, batch norm and the optimizer go at other speeds, so that a
// run takes somewhat longer than Cost.Run over Speed: a tenth to a third more
// for the demos, whose network is small.
func (c RunConfig) Speed(t *autograd.Tape) (float64, error) {
	net, err := nn.ResNetByName(c.Net)
	if err != nil {
		return 0, err
	}
	const enough, short, long = 50e9, 300 * time.Millisecond, 2 * time.Second
	size := c.Crops()[0].Size
	one := 3 * encoderFLOP(net, size)
	n := min(c.Batch(), max(2, int(enough/one)))
	shape := autograd.Dims(n, size, size, net.Channels)
	x, labels := make([]float32, shape.Len()), make([]int32, n)
	for i := range x {
		x[i] = float32(i%17)/8 - 1 // zeros would make every channel equal
	}
	encoder, pass := c.Untrained(t.Backend()), nn.Pass{Tape: t, Train: true}
	step := func() error {
		t.Begin(fmt.Sprintf("speed of %d", n))
		t.Backward(autograd.CrossEntropy(encoder.Forward(&pass, t.Input(shape, x)), t.Ints(labels)))
		return t.Run()
	}
	b := t.Backend()
	b.Enter()
	defer b.Leave()
	if err := step(); err != nil {
		return 0, err
	}
	var took []time.Duration
	for begin := time.Now(); time.Since(begin) < short || len(took) < 3 && time.Since(begin) < long; {
		start := time.Now()
		if err := step(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return one * float64(n) / took[len(took)/2].Seconds(), nil
}
