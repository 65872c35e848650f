package methods

import (
	"math"
	"slices"
)

// Concentration is PCL's phi [K], how tightly each cluster's members lie round
// their centroid (Li, Zhou, Xiong, Hoi; arXiv 2005.04966, section 3.3,
// equation 12). With n_c members at distances d (not squared) from a centroid
// that is a plain mean, and alpha = 10:
//
//	raw_c = sum d / (n_c ln(n_c + alpha))
//	phi   = tau raw / mean(raw)
//
// so small phi are tight clusters, and phi is tau on average: it stands where
// other losses have their temperature.
//
// Differs: as in the authors' code, clusters of one member or none get the
// largest raw value, then all are clipped to the 10th and 90th percentiles.
// Where all distances are 0, every phi is tau.
func Concentration(sqDist []float32, assign []int, k int, tau float64) []float64 {
	v := rawConcentration(sqDist, assign, k)
	lo, hi := percentile(v, 0.1), percentile(v, 0.9)
	mean := 0.0
	for i, x := range v {
		v[i] = min(max(x, lo), hi)
		mean += v[i] / float64(k)
	}
	for i, x := range v {
		v[i] = tau
		if mean > 0 {
			v[i] *= x / mean
		}
	}
	return v
}

// rawConcentration is the mean distance over ln(n + 10), and the largest of
// these for clusters of one member or none.
func rawConcentration(sqDist []float32, assign []int, k int) []float64 {
	const alpha = 10
	v, n := make([]float64, k), make([]float64, k)
	for i, c := range assign {
		v[c] += math.Sqrt(float64(sqDist[i]))
		n[c]++
	}
	most := 0.0
	for c := range v {
		if n[c] > 1 {
			v[c] /= n[c] * math.Log(n[c]+alpha)
			most = max(most, v[c])
		}
	}
	for c := range v {
		if n[c] <= 1 {
			v[c] = most
		}
	}
	return v
}

// percentile is the value at share p of v in ascending order, between two of
// them by linear interpolation, as numpy.percentile's default.
func percentile(v []float64, p float64) float64 {
	s := slices.Sorted(slices.Values(v))
	at := p * float64(len(s)-1)
	i := int(at)
	if i+1 == len(s) {
		return s[i]
	}
	return s[i] + float64((at-float64(i))*(s[i+1]-s[i]))
}
