package tensor

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRNGBits pins the streams: a change here breaks every seeded result.
func TestRNGBits(t *testing.T) {
	if got := splitmix64(0); got != 0xe220a8397b1dcdaf { // first output of the published generator, seed 0
		t.Errorf("splitmix64(0) = %#x", got)
	}
	r := NewRNG(1, "init", 2, 3)
	h := fnv.New64a()
	for range 10_000 {
		b := math.Float64bits(r.Normal())
		h.Write(le.AppendUint64(nil, b))
	}
	if got := h.Sum64(); got != 0x8944aa545edc073c {
		t.Errorf("10000 normals hash to %#x", got)
	}
	if got := NewRNG(7, "order").Perm(10); !slices.Equal(got, []int{5, 3, 1, 8, 4, 0, 2, 7, 6, 9}) {
		t.Errorf("order %v", got)
	}
}

func TestRNGStreamsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for name, r := range map[string]*RNG{
		"base": NewRNG(1, "a"), "seed": NewRNG(2, "a"), "purpose": NewRNG(1, "b"),
		"key": NewRNG(1, "a", 0), "keys": NewRNG(1, "a", 0, 0), "order": NewRNG(1, "a", 1, 0), "swapped": NewRNG(1, "a", 0, 1),
	} {
		v := r.Uint64()
		if other, ok := seen[v]; ok {
			t.Errorf("%s and %s are one stream", name, other)
		}
		seen[v] = name
	}
}

func TestRNGState(t *testing.T) {
	r := NewRNG(5, "state")
	r.Normal()
	state, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{r.Normal(), r.Float64(), r.Normal()}
	c := new(RNG)
	if err := c.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	if got := []float64{c.Normal(), c.Float64(), c.Normal()}; !slices.Equal(got, want) {
		t.Errorf("%v after loading the state, %v before", got, want)
	}
	if err := c.UnmarshalBinary(state[:7]); err == nil {
		t.Error("half a state is taken")
	}
	_ = rand.New(r).Perm(3) // an RNG is a rand.Source
}

// TestRNGNormal compares the distribution function with erf at 41 points
// (Kolmogorov-Smirnov, far below the 0.1 % level) and the first moments.
func TestRNGNormal(t *testing.T) {
	const n = 200_000
	v := make([]float32, n+1)
	NewRNG(3, "test").FillNormal(v, 2)
	var sum, square float64
	for _, x := range v {
		sum += float64(x) / 2
		square += float64(x) / 2 * float64(x) / 2
	}
	if mean, std := sum/n, math.Sqrt(square/n); math.Abs(mean) > 0.008 || math.Abs(std-1) > 0.006 {
		t.Errorf("mean %v, deviation %v", mean, std)
	}
	for x := -4.0; x <= 4; x += 0.2 {
		below := 0
		for _, y := range v {
			if float64(y)/2 < x {
				below++
			}
		}
		want := 0.5 * math.Erfc(-x/math.Sqrt2)
		if d := math.Abs(float64(below)/n - want); d > 1.95/math.Sqrt(n) {
			t.Errorf("P(X < %.1f) is off by %v", x, d)
		}
	}
}

func TestRNGUniform(t *testing.T) {
	r := NewRNG(3, "test")
	count := make([]int, 7)
	for range 70_000 {
		count[r.IntN(7)]++
		if x := r.Uniform(-2, 3); x < -2 || x > 3 {
			t.Fatalf("%v", x)
		}
	}
	for i, c := range count {
		if c < 9_600 || c > 10_400 {
			t.Errorf("%d came %d times of 10000", i, c)
		}
	}
	p := r.Perm(100)
	slices.Sort(p)
	for i, v := range p {
		if v != i {
			t.Fatalf("no permutation: %v", p)
		}
	}
	if err := Try(func() { r.IntN(0) }); err == nil {
		t.Error("IntN(0)")
	}
}

// TestLn holds ln to 1 ulp of math.Log, whose own error is below 1.
func TestLn(t *testing.T) {
	r := NewRNG(9, "test")
	for range 100_000 {
		x := r.Float64() * math.Pow(2, float64(r.IntN(60)-50))
		if x == 0 {
			continue
		}
		got, want := ln(x), math.Log(x)
		if d := math.Abs(got - want); d > math.Abs(want)*0x1p-51 {
			t.Fatalf("ln(%v) = %v, want %v", x, got, want)
		}
	}
	if ln(1) != 0 {
		t.Error("ln(1) is not 0")
	}
}
