package fashionmnist

import (
	"math"
	"testing"
)

func TestLoad(t *testing.T) {
	set, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if set.N != 10000 || set.H != 28 || set.W != 28 || set.C != 1 || len(set.Labels) != set.N {
		t.Fatalf("[%d,%d,%d,%d] with %d labels", set.N, set.H, set.W, set.C, len(set.Labels))
	}
	count := make([]int, len(Classes))
	for _, l := range set.Labels {
		count[l]++
	}
	for l, n := range count {
		if n != 1000 {
			t.Errorf("%d images of class %s, want 1000", n, set.Classes[l])
		}
	}
	var sum, square float64
	for _, v := range set.Pix {
		x := float64(v) / 255
		sum += x
		square += x * x
	}
	n := float64(len(set.Pix))
	mean := sum / n
	if std := math.Sqrt(square/n - mean*mean); math.Abs(mean-Mean) > 0.002 || math.Abs(std-Std) > 0.002 {
		t.Errorf("mean %.4f, deviation %.4f, want %v and %v", mean, std, Mean, Std)
	}
	train, test := set.Split(Learn)
	if train.N != 8000 || test.N != 2000 || test.Label(0) != set.Label(8000) || train.Name == "" {
		t.Errorf("split into %d and %d", train.N, test.N)
	}
}
