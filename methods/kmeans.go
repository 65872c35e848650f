package methods

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// KMeans is Lloyd's algorithm as faiss runs it for PCL: start from K random
// rows, then Iters times give every row to its nearest centroid and move every
// centroid to the mean of its rows. Redos runs start from different rows; the
// one whose last assignment has the smallest objective is kept.
//
// A cluster left without rows takes half of another one, picked with
// probability proportional to its rows less one: both get its centroid, times
// 1 + 1/1024 and 1 - 1/1024 on alternating columns.
//
// With Spherical it is DeepCluster-v2's variant (arXiv 2006.09882, authors'
// code): rows go to the centroid with the largest inner product, means are
// l2-normalised, and a cluster without rows keeps its centroid.
//
// Differs: random rows come from PCG streams of Seed, not from faiss's
// generator; means are summed in float64; the objective is too.
type KMeans struct {
	K     int
	Iters int // PCL 20, DeepCluster-v2 10
	Redos int // runs, at least 1; PCL 5
	// MaxPerCentroid bounds the work: of more than K times this many rows a
	// random subset is clustered, and all rows are assigned at the end. PCL
	// 1000, faiss's own default 256; 0 takes all rows.
	MaxPerCentroid int
	Spherical      bool
	Seed           uint64
	// Init, [K, D], are centroids to start from instead of random rows; then
	// Redos is 1.
	Init []float32 `json:"-"`
}

// DefaultKMeans is PCL's setting for K clusters: 20 iterations, 5 runs, at
// most 1000 rows for each centroid.
func DefaultKMeans(k int) KMeans { return KMeans{K: k, Iters: 20, Redos: 5, MaxPerCentroid: 1000} }

// Validate reports the first setting that is out of range.
func (c KMeans) Validate() error {
	for _, s := range []struct {
		name     string
		got, min int
	}{{"K", c.K, 1}, {"Iters", c.Iters, 1}, {"Redos", c.Redos, 1}, {"MaxPerCentroid", c.MaxPerCentroid, 0}} {
		if s.got < s.min {
			return fmt.Errorf("methods: KMeans.%s is %d: at least %d", s.name, s.got, s.min)
		}
	}
	if c.Init != nil && c.Redos != 1 {
		return fmt.Errorf("methods: KMeans.Redos is %d, but Init gives one start", c.Redos)
	}
	return nil
}

// Clusters is what k-means found in N rows.
type Clusters struct {
	Centroids Features  // [K, D]; not normalised unless spherical
	Assign    []int     // [N]: each row's centroid; of equally near ones the lowest
	SqDist    []float32 // [N]: |row - centroid|²
	Objective float64   // sum of SqDist, in row order
}

// Fit clusters x. Fewer than K rows are an error; with exactly K every row is
// its own cluster. The result depends on x and the settings alone.
//
// It costs 2·N·K·D·Iters·Redos floating-point operations and returns early,
// with the context's error, within one tile of them.
func (c KMeans) Fit(ctx context.Context, x Features) (*Clusters, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := x.check("k-means"); err != nil {
		return nil, err
	}
	n := x.N()
	if n < c.K {
		return nil, fmt.Errorf("methods: %d clusters of %d rows: at least as many rows as clusters are needed", c.K, n)
	}
	if c.Init != nil && len(c.Init) != c.K*x.D {
		return nil, fmt.Errorf("methods: KMeans.Init has %d numbers, K is %d and rows have %d", len(c.Init), c.K, x.D)
	}
	best, err := c.train(ctx, c.subset(x))
	if err != nil {
		return nil, err
	}
	out := &Clusters{Centroids: best, SqDist: make([]float32, n)}
	if out.Assign, err = nearest(ctx, x, best, c.Spherical); err != nil {
		return nil, err
	}
	split(n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			out.SqDist[i] = float32(sqDistance(x.Row(i), best.Row(out.Assign[i])))
		}
	})
	for _, s := range out.SqDist {
		out.Objective += float64(s)
	}
	return out, nil
}

// Streams of KMeans.Seed: the subset, then one start for each run.
const (
	streamSubset = iota
	streamStart
)

// subset returns the rows to learn from.
func (c KMeans) subset(x Features) Features {
	limit := c.K * c.MaxPerCentroid
	if limit == 0 || x.N() <= limit {
		return x
	}
	return pick(x, rand.New(rand.NewPCG(c.Seed, streamSubset)).Perm(x.N())[:limit])
}

// pick copies rows.
func pick(x Features, rows []int) Features {
	y := Features{make([]float32, 0, len(rows)*x.D), x.D}
	for _, i := range rows {
		y.X = append(y.X, x.Row(i)...)
	}
	return y
}

// train returns the centroids of the best run.
func (c KMeans) train(ctx context.Context, x Features) (best Features, err error) {
	if x.N() == c.K {
		best = pick(x, ascending(c.K))
		if c.Spherical {
			best.unit(best, nil)
		}
		return best, nil
	}
	lowest := math.Inf(1)
	for run := range c.Redos {
		centroids := Features{append([]float32(nil), c.Init...), x.D}
		if c.Init == nil {
			r := rand.New(rand.NewPCG(c.Seed, streamStart+uint64(run)))
			centroids = pick(x, r.Perm(x.N())[:c.K])
		}
		if c.Spherical {
			centroids.unit(centroids, nil)
		}
		var objective float64
		for iter := range c.Iters {
			assign, err := nearest(ctx, x, centroids, c.Spherical)
			if err != nil {
				return Features{}, err
			}
			if iter == c.Iters-1 && c.Redos > 1 {
				objective = x.objective(centroids, assign)
			}
			c.move(centroids, x, assign)
		}
		if run == 0 || objective < lowest {
			best, lowest = centroids, objective
		}
	}
	return best, nil
}

// ascending is 0, 1, ..., n-1.
func ascending(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return v
}

// objective is the sum of squared distances to the assigned centroids.
func (f Features) objective(centroids Features, assign []int) float64 {
	dist := make([]float64, f.N())
	split(f.N(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			dist[i] = sqDistance(f.Row(i), centroids.Row(assign[i]))
		}
	})
	var sum float64
	for _, d := range dist {
		sum += d
	}
	return sum
}

// move sets every centroid to the mean of its rows and fills empty clusters.
// Threads share the columns out, so each mean sums its rows in order.
func (c KMeans) move(centroids, x Features, assign []int) {
	d := x.D
	counts := make([]int, c.K)
	for _, k := range assign {
		counts[k]++
	}
	sums := make([]float64, c.K*d)
	split((d+15)/16, func(lo, hi int) {
		lo, hi = 16*lo, min(16*hi, d)
		for i, k := range assign {
			sum := sums[k*d+lo : k*d+hi]
			for j, v := range x.Row(i)[lo:hi] {
				sum[j] += float64(v)
			}
		}
		for k, count := range counts {
			if count == 0 {
				continue
			}
			row := centroids.Row(k)
			for j := lo; j < hi; j++ {
				row[j] = float32(sums[k*d+j] / float64(count))
			}
		}
	})
	if c.Spherical {
		centroids.unit(centroids, nil)
		return
	}
	fillEmpty(centroids, counts, x.N())
}

// fillEmpty gives each empty cluster half of a larger one (faiss,
// Clustering.cpp, split_clusters). Rows outnumber clusters, so some cluster
// has two. Its stream starts anew each time, as faiss's does.
func fillEmpty(centroids Features, counts []int, n int) {
	const nudge = 1.0 / 1024
	r := rand.New(rand.NewPCG(1234, 0))
	k := len(counts)
	for empty, count := range counts {
		if count > 0 {
			continue
		}
		from := 0
		for r.Float64() >= float64(counts[from]-1)/float64(n-k) {
			from = (from + 1) % k
		}
		a, b := centroids.Row(empty), centroids.Row(from)
		for j, v := range b {
			up, down := float32(v*(1+nudge)), float32(v*(1-nudge))
			if j%2 == 1 {
				up, down = down, up
			}
			a[j], b[j] = up, down
		}
		counts[empty] = counts[from] / 2
		counts[from] -= counts[empty]
	}
}

// Nearest returns the centroid of each row of x: the one at the smallest
// distance, or, if spherical, with the largest inner product; of equal ones the
// lowest. The same centroids give new images the clusters that [KMeans.Fit]
// would. Errors: shapes, values that are not finite, the context's.
func Nearest(ctx context.Context, x, centroids Features, spherical bool) ([]int, error) {
	if err := x.check("rows"); err != nil {
		return nil, err
	}
	if err := centroids.check("centroids"); err != nil {
		return nil, err
	}
	if x.D != centroids.D {
		return nil, fmt.Errorf("methods: rows have %d numbers, centroids %d", x.D, centroids.D)
	}
	return nearest(ctx, x, centroids, spherical)
}

// nearest is Nearest of checked operands. Distances are compared as
// x·c - |c|²/2, in float32.
func nearest(ctx context.Context, x, centroids Features, spherical bool) ([]int, error) {
	n, k := x.N(), centroids.N()
	half := make([]float32, k)
	if !spherical {
		for i := range half {
			half[i] = float32(sqNorm(centroids.Row(i)) / 2)
		}
	}
	assign := make([]int, n)
	best := make([]float32, min(n, tileQueries))
	tile := make([]float32, len(best)*min(k, tileBank))
	var dots similarity
	for lo := 0; lo < n; lo += tileQueries {
		rows := x.rows(lo, min(lo+tileQueries, n))
		for klo := 0; klo < k; klo += tileBank {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			some := centroids.rows(klo, min(klo+tileBank, k))
			if err := dots.product(tile, rows, some); err != nil {
				return nil, err
			}
			split(rows.N(), func(from, to int) {
				for i := from; i < to; i++ {
					for j, s := range tile[i*some.N():][:some.N()] {
						if s -= half[klo+j]; s > best[i] || klo+j == 0 {
							best[i], assign[lo+i] = s, klo+j
						}
					}
				}
			})
		}
	}
	return assign, nil
}
