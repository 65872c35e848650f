package data

import (
	"math"
	"testing"
)

// The key of a stream is part of every result: this value may not change.
func TestStreamIsPinned(t *testing.T) {
	if got := splitmix64(0); got != 0xe220a8397b1dcdaf { // first output of the published generator, seed 0
		t.Errorf("splitmix64(0) = %#x", got)
	}
	s := NewStream(1, ViewPurpose, 2, 3, 4)
	if got := s.pcg.Uint64(); got != 0xc0e0fefbd0cd21f7 {
		t.Errorf("first value %#x", got)
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64][5]int{}
	for seed := range 3 {
		for purpose := range 3 {
			for epoch := range 5 {
				for index := range 20 {
					for crop := range 8 {
						s := NewStream(uint64(seed), Purpose(purpose), epoch, index, crop)
						v, key := s.pcg.Uint64(), [5]int{seed, purpose, epoch, index, crop}
						if other, ok := seen[v]; ok {
							t.Fatalf("keys %v and %v begin alike", key, other)
						}
						seen[v] = key
					}
				}
			}
		}
	}
}

func TestStreamIsUniform(t *testing.T) {
	s := NewStream(0, ViewPurpose, 0, 0, 0)
	var sum, square float64
	var count [7]int
	const n = 70000
	for range n {
		v := s.Uniform(-1, 1)
		sum += v
		square += v * v
		count[s.IntN(7)]++
	}
	// Five standard errors: sqrt(1/3/n), sqrt(4/45/n), sqrt(6/49 n).
	if mean, m2 := sum/n, square/n; math.Abs(mean) > 5*math.Sqrt(1.0/3/n) || math.Abs(m2-1.0/3) > 5*math.Sqrt(4.0/45/n) {
		t.Errorf("mean %v, mean square %v, want 0 and 1/3", mean, m2)
	}
	for v, c := range count {
		if math.Abs(float64(c)-n/7) > 5*math.Sqrt(6.0/49*n) {
			t.Errorf("%d came %d times of %d", v, c, n)
		}
	}
}

// ulps is the distance of two positive numbers in units in the last place.
func ulps(a, b float64) int64 {
	d := int64(math.Float64bits(a)) - int64(math.Float64bits(b))
	return max(d, -d)
}

func TestExp(t *testing.T) {
	s := NewStream(1, ViewPurpose, 0, 0, 0)
	for range 20000 {
		x := s.Uniform(-30, 30)
		if got, want := exp(x), math.Exp(x); ulps(got, want) > 2 {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
		y := s.Uniform(1e-3, 10)
		if got, want := ln(y), math.Log(y); math.Abs(got-want) > 4e-16*max(1, math.Abs(want)) {
			t.Fatalf("ln(%v) = %v, want %v", y, got, want)
		}
	}
	if exp(0) != 1 {
		t.Errorf("exp(0) = %v", exp(0))
	}
}
