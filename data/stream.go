package data

import (
	"math/bits"
	"math/rand/v2"
)

// Purpose keeps streams of one seed apart that are drawn for different ends.
type Purpose uint64

// The purposes of this package. Others may use any number from 16 up.
const (
	OrderPurpose Purpose = iota + 1 // order of the images in an epoch
	ViewPurpose                     // everything random in a view
)

// Stream is a source of random numbers that depends on nothing but the key it
// was made with. The generator is PCG-DXSM with 128 bits (math/rand/v2).
type Stream struct{ pcg rand.PCG }

// NewStream returns the stream of a key. With s = splitmix64,
//
//	h = s(s(s(s(s(seed) ^ purpose) ^ epoch) ^ index) ^ crop)
//
// and the generator starts at (h, s(h)).
//
// Source: splitmix64 is Steele, Lea, Flood, "Fast Splittable Pseudorandom
// Number Generators", OOPSLA 2014, with the constants of java.util; the key is
// our own.
func NewStream(seed uint64, purpose Purpose, epoch, index, crop int) Stream {
	h := splitmix64(seed)
	for _, v := range [...]uint64{uint64(purpose), uint64(epoch), uint64(index), uint64(crop)} {
		h = splitmix64(h ^ v)
	}
	var s Stream
	s.pcg.Seed(h, splitmix64(h))
	return s
}

func splitmix64(x uint64) uint64 {
	z := x + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Float64 is uniform in [0,1), in steps of 2^-53.
func (s *Stream) Float64() float64 { return float64(s.pcg.Uint64()>>11) * 0x1p-53 }

// Uniform is uniform in [lo,hi).
func (s *Stream) Uniform(lo, hi float64) float64 { return lo + float64(s.Float64()*(hi-lo)) }

// IntN is uniform in [0,n), n > 0, up to a bias of n/2^64.
func (s *Stream) IntN(n int) int {
	hi, _ := bits.Mul64(s.pcg.Uint64(), uint64(n))
	return int(hi)
}
