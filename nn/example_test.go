package nn_test

import (
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// A small ResNet learns the labels of four random images.
func Example() {
	b := tensor.Default()
	cfg, err := nn.ResNetByName("small8")
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg.Classes = 2
	net := nn.NewResNet(b, cfg, tensor.NewRNG(1, "init"))
	opt := nn.NewOptimizer(b, nn.SGD{Momentum: 0.9}, nn.Group{Weights: nn.Weights(net), Decay: 1e-4, Scale: 1})

	images := make([]float32, 4*12*12)
	tensor.NewRNG(1, "images").FillNormal(images, 1)
	labels := []int32{0, 1, 1, 0}

	tape := autograd.NewTape(b)
	defer tape.Release()
	var first, last float32
	for step := range 10 {
		tape.Begin("train")
		x := tape.Input(autograd.Dims(4, 12, 12, 1), images)
		loss := autograd.CrossEntropy(net.Forward(&nn.Pass{Tape: tape, Train: true}, x), tape.Ints(labels))
		tape.Backward(loss)
		if err := tape.Run(); err != nil {
			fmt.Println(err)
			return
		}
		opt.Step(tape, 0.05)
		if last = loss.Item(); step == 0 {
			first = last
		}
	}
	fmt.Println("features of an image:", net.Features())
	fmt.Println("the loss fell below a tenth:", last < first/10)
	// Output:
	// features of an image: 64
	// the loss fell below a tenth: true
}
