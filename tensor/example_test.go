package tensor_test

import (
	"fmt"

	"github.com/sectile-ml/sectile/tensor"
)

// Arithmetic on the CPU: a linear layer and its softmax.
func Example() {
	b := tensor.Default()
	x := tensor.From(b, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	w := tensor.From(b, []float32{1, 0, 0, 1, 1, -1}, 3, 2)
	bias := tensor.From(b, []float32{-4, 1}, 1, 2)

	y := x.MatMul(w).Add(bias).ReLU()
	fmt.Println(y, y.Float32s())

	e := y.Sub(y.Max(1)).Exp()
	p := e.Div(e.Sum(1))
	fmt.Printf("%.4f\n", p.Float32s())
	// Output:
	// float32 [2,2] [0 0 6 0]
	// [0.5000 0.5000 0.9975 0.0025]
}

// Mistakes panic; at the edge of a program that must live on, Try makes them
// errors.
func ExampleTry() {
	b := tensor.Default()
	err := tensor.Try(func() {
		tensor.New(b, 64, 128).MatMul(tensor.New(b, 256, 10))
	})
	fmt.Println(err)
	// Output:
	// MatMul [64,128] x [256,10]: inner 128 != 256 (example_test.go:32)
}

// Every consumer of random numbers has a stream of its own.
func ExampleNewRNG() {
	weights := tensor.NewRNG(1, "init")
	order := tensor.NewRNG(1, "order", 0) // epoch 0
	fmt.Printf("%.4f %v\n", weights.Normal(), order.Perm(5))
	// Output:
	// 0.2984 [4 2 1 3 0]
}
