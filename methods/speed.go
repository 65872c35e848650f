package methods

import (
	"fmt"
	"time"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/nn"
)

// Speed measures how many of Cost's operations a second this machine does now:
// forward and backward of a fresh encoder on one full view of each of at most
// a batch of images, as many as make it some billion operations. It takes a
// few steps of that, the first of which only plans; no state of a run is
// touched. t is the run's tape: the plan lies in its arena.
//
// Heads, logits, batch norm and the optimizer go at other speeds, so that a
// run takes somewhat longer than Cost.Run over Speed: a tenth to a third more
// for the demos, whose network is small.
func (c RunConfig) Speed(t *autograd.Tape) (float64, error) {
	net, err := nn.ResNetByName(c.Net)
	if err != nil {
		return 0, err
	}
	const enough, looks = 4e9, 3
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
	start, done := time.Now(), 0
	for ; done < looks; done++ {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return one * float64(n*done) / time.Since(start).Seconds(), nil
}
