package methods

import (
	"fmt"
	"math"
	"slices"
)

// Agreement says how far two partitions of the same N points agree: clusters
// and classes, say. All three are 1 for equal partitions whatever the names of
// their parts; AMI and ARI are 0 on average for independent ones. With H the
// entropies in nats, I the mutual information, and E[I] its mean over all ways
// to deal out the points that keep the sizes of the parts:
//
//	NMI = I / mean(H(a), H(b))
//	AMI = (I - E[I]) / (mean(H(a), H(b)) - E[I])
//	ARI = (pairs together in both - expected) / (mean of pairs together in each - expected)
//
// mean is the arithmetic one, as PCL's evaluation and scikit-learn take it.
// AMI: Vinh, Epps and Bailey, JMLR 11 (2010), with E[I] exact; ARI: Hubert and
// Arabie, J. Classification 2 (1985).
type Agreement struct{ NMI, AMI, ARI float64 }

// Agree compares the partitions that two labellings make; a[i] and b[i] are
// the parts of point i, named by any ints. It costs a sort of N keys and, for
// E[I], a sum for every pair of part *sizes* that occur. Unequal lengths and no
// points at all are errors.
func Agree(a, b []int) (Agreement, error) {
	if len(a) != len(b) || len(a) == 0 {
		return Agreement{}, fmt.Errorf("methods: partitions of %d and %d points cannot be compared", len(a), len(b))
	}
	n := float64(len(a))
	ida, sizesA := parts(a)
	idb, sizesB := parts(b)

	// The parts' overlaps, in an order that does not depend on the points'.
	keys := make([]int, len(a))
	for i := range keys {
		keys[i] = ida[i]*len(sizesB) + idb[i]
	}
	cells, overlaps := parts(keys)
	pair := make([]int, len(overlaps))
	for i, cell := range cells {
		pair[cell] = keys[i]
	}
	if len(overlaps) == len(sizesA) && len(overlaps) == len(sizesB) {
		return Agreement{1, 1, 1}, nil // each part has one partner
	}

	var mi float64
	for cell, t := range overlaps {
		x, y := sizesA[pair[cell]/len(sizesB)], sizesB[pair[cell]%len(sizesB)]
		mi += t / n * math.Log(n*t/(x*y))
	}
	mean := (entropy(sizesA, n) + entropy(sizesB, n)) / 2
	emi := expectedInformation(sizesA, sizesB, n)

	together, togetherA, togetherB := pairs(overlaps), pairs(sizesA), pairs(sizesB)
	expected := togetherA * togetherB / pairs([]float64{n})
	return Agreement{
		NMI: mi / mean,
		AMI: (mi - emi) / (mean - emi),
		ARI: (together - expected) / ((togetherA+togetherB)/2 - expected),
	}, nil
}

// parts renames labels to 0, 1, ... in ascending order and counts each.
func parts(labels []int) (id []int, sizes []float64) {
	names := slices.Clone(labels)
	slices.Sort(names)
	names = slices.Compact(names)
	id, sizes = make([]int, len(labels)), make([]float64, len(names))
	for i, l := range labels {
		id[i], _ = slices.BinarySearch(names, l)
		sizes[id[i]]++
	}
	return id, sizes
}

// entropy is -sum s/n ln(s/n).
func entropy(sizes []float64, n float64) float64 {
	var h float64
	for _, s := range sizes {
		h -= s / n * math.Log(s/n)
	}
	return h
}

// pairs is the number of pairs of points within the parts.
func pairs(sizes []float64) float64 {
	var p float64
	for _, s := range sizes {
		p += s * (s - 1) / 2
	}
	return p
}

// expectedInformation is E[I]: the sum over pairs of parts, of sizes x and y,
// and over overlaps t, of t/n ln(nt/(xy)) times the hypergeometric probability
// of t. Parts of one size give one sum, so a thousand classes against 25,000
// clusters stay cheap.
func expectedInformation(a, b []float64, n float64) float64 {
	var sum float64
	sizesA, countsA := distinct(a)
	sizesB, countsB := distinct(b)
	for i, x := range sizesA {
		for j, y := range sizesB {
			sum += countsA[i] * countsB[j] * overlapInformation(x, y, n)
		}
	}
	return sum
}

// distinct returns the sizes that occur, ascending, and how often each does.
func distinct(sizes []float64) (values, counts []float64) {
	sorted := slices.Clone(sizes)
	slices.Sort(sorted)
	for _, s := range sorted {
		if len(values) == 0 || values[len(values)-1] != s {
			values, counts = append(values, s), append(counts, 0)
		}
		counts[len(counts)-1]++
	}
	return values, counts
}

// overlapInformation is the mean of t/n ln(nt/(xy)) over hypergeometric t.
// Probabilities are taken relative to the most likely t and walk away from it
// by their ratios, p(t+1)/p(t) = (x-t)(y-t) / ((t+1)(n-x-y+t+1)), until they no
// longer count; dividing by their total needs no factorials.
func overlapInformation(x, y, n float64) float64 {
	lo, hi := max(0, x+y-n), min(x, y)
	mode := min(max(math.Floor((x+1)*(y+1)/(n+2)), lo), hi)
	var total, sum float64
	add := func(t, p float64) {
		total += p
		if t > 0 {
			sum += p * (t / n * math.Log(n*t/(x*y)))
		}
	}
	const negligible = 1e-40
	add(mode, 1)
	for t, p := mode, 1.0; t < hi && p > negligible; t++ {
		p *= (x - t) * (y - t) / ((t + 1) * (n - x - y + t + 1))
		add(t+1, p)
	}
	for t, p := mode, 1.0; t > lo && p > negligible; t-- {
		p *= t * (n - x - y + t) / ((x - t + 1) * (y - t + 1))
		add(t-1, p)
	}
	return sum / total
}
