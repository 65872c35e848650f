package tensor

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// RNG is a stream of random numbers that depends on nothing but the key it was
// made with: the same bits on every platform and run. Everything random has a
// stream of its own, so that drawing more for one thing never moves another.
// Its state is 16 bytes of a checkpoint. Not safe for concurrent use.
//
// An RNG is a rand.Source of math/rand/v2; what rand.Rand makes of it is
// stable, its NormFloat64 and ExpFloat64 excepted.
type RNG struct{ pcg rand.PCG }

// NewRNG returns the stream of a seed, a purpose ("init", "kmeans") and keys
// (epoch, index). With s = splitmix64 and f = the 64-bit FNV-1a hash,
//
//	h = s(s(seed) ^ f(purpose)), then h = s(h ^ key) for each key,
//
// and PCG-DXSM with 128 bits of state (math/rand/v2) starts at (h, s(h)).
//
// Source: O'Neill 2014 (PCG); Steele, Lea, Flood, "Fast Splittable
// Pseudorandom Number Generators", OOPSLA 2014 (splitmix64); the key is our
// own.
func NewRNG(seed uint64, purpose string, keys ...uint64) *RNG {
	f := uint64(0xcbf29ce484222325)
	for _, c := range []byte(purpose) {
		f = (f ^ uint64(c)) * 0x100000001b3
	}
	h := splitmix64(splitmix64(seed) ^ f)
	for _, k := range keys {
		h = splitmix64(h ^ k)
	}
	r := new(RNG)
	r.pcg.Seed(h, splitmix64(h))
	return r
}

func splitmix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uint64 is uniform over all 64-bit values.
func (r *RNG) Uint64() uint64 { return r.pcg.Uint64() }

// Float64 is uniform in [0,1), in steps of 2^-53.
func (r *RNG) Float64() float64 { return float64(r.pcg.Uint64()>>11) * 0x1p-53 }

// Uniform is uniform in [lo,hi], hi only by rounding.
func (r *RNG) Uniform(lo, hi float64) float64 { return lo + float64(r.Float64()*(hi-lo)) }

// IntN is uniform in [0,n). It panics unless n > 0.
//
// Source: Lemire, "Fast Random Integer Generation in an Interval", 2019.
func (r *RNG) IntN(n int) int {
	if n <= 0 {
		panic(Misuse("IntN", "n is at least 1"))
	}
	hi, lo := bits.Mul64(r.pcg.Uint64(), uint64(n))
	for reject := -uint64(n) % uint64(n); lo < reject; {
		hi, lo = bits.Mul64(r.pcg.Uint64(), uint64(n))
	}
	return int(hi)
}

// Normal is drawn from the standard normal distribution.
func (r *RNG) Normal() float64 {
	x, _ := r.normals()
	return x
}

// FillNormal draws len(dst) values of mean 0 and standard deviation std.
func (r *RNG) FillNormal(dst []float32, std float64) {
	for i := 0; i < len(dst); i += 2 {
		x, y := r.normals()
		dst[i] = float32(x * std)
		if i+1 < len(dst) {
			dst[i+1] = float32(y * std)
		}
	}
}

// FillUniform draws len(dst) values from [lo,hi].
func (r *RNG) FillUniform(dst []float32, lo, hi float64) {
	for i := range dst {
		dst[i] = float32(r.Uniform(lo, hi))
	}
}

// Perm is a random order of 0..n-1: Fisher-Yates, from the last place down.
func (r *RNG) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := r.IntN(i + 1)
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// MarshalBinary is the state of the stream, for a checkpoint.
func (r *RNG) MarshalBinary() ([]byte, error) { return r.pcg.MarshalBinary() }

// UnmarshalBinary takes the stream to a state that MarshalBinary gave.
func (r *RNG) UnmarshalBinary(state []byte) error { return r.pcg.UnmarshalBinary(state) }

// normals draws two independent normals by the polar method: (u, v) uniform in
// the unit disc, s = u^2+v^2, times sqrt(-2 ln(s)/s). Every product is rounded
// before it is added (compilers fuse otherwise), and logarithms are our own:
// math.Log is assembly on some platforms.
//
// Source: Marsaglia and Bray, "A Convenient Method for Generating Normal
// Variables", SIAM Review 6, 1964.
func (r *RNG) normals() (x, y float64) {
	for {
		u := float64(2*r.Float64()) - 1
		v := float64(2*r.Float64()) - 1
		s := float64(u*u) + float64(v*v)
		if s > 0 && s < 1 {
			m := math.Sqrt(-2 * ln(s) / s)
			return u * m, v * m
		}
	}
}

// ln is the natural logarithm of a normal x > 0, within 1 ulp: x = 2^k (1+f),
// 1+f in [sqrt(1/2), sqrt(2)), then a polynomial in ((f/(2+f))^2.
//
// Source: FreeBSD, lib/msun/src/e_log.c (Sun Microsystems 1993).
func ln(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		l1    = 6.666666666666735130e-01
		l2    = 3.999999999940941908e-01
		l3    = 2.857142874366239149e-01
		l4    = 2.222219843214978396e-01
		l5    = 1.818357216161805012e-01
		l6    = 1.531383769920937332e-01
		l7    = 1.479819860511658591e-01
	)
	m, e := math.Frexp(x) // exact
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	f, k := m-1, float64(e)
	s := f / (2 + f)
	z := s * s
	w := z * z
	odd := float64(z * (l1 + float64(w*(l3+float64(w*(l5+float64(w*l7)))))))
	even := float64(w * (l2 + float64(w*(l4+float64(w*l6)))))
	half := float64(float64(0.5*f) * f)
	tail := float64(s*(half+(odd+even))) + float64(k*ln2Lo)
	return float64(k*ln2Hi) - ((half - tail) - f)
}
