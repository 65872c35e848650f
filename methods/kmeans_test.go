package methods

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

func TestKMeansGolden(t *testing.T) {
	f := golden.Open(t, "pcl")
	init := f.Shape("kmeans.init")
	x := Features{f.F32("kmeans.x"), init[1]}
	c := KMeans{K: init[0], Iters: 20, Redos: 1, Init: f.F32("kmeans.init")}
	got, err := c.Fit(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "kmeans.centroids", got.Centroids.X, f.F64("kmeans.centroids"), 1e-5, 0)
	golden.Equal(t, "kmeans.assign", got.Assign, f.Ints("kmeans.assign"))
	golden.Close(t, "kmeans.sqdist", got.SqDist, f.F64("kmeans.sqdist"), 1e-5, 0)

	c.Spherical, c.Iters = true, 10
	if got, err = c.Fit(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "spherical.centroids", got.Centroids.X, f.F64("spherical.centroids"), 1e-5, 0)
	golden.Equal(t, "spherical.assign", got.Assign, f.Ints("spherical.assign"))
}

// TestKMeansFindsBlobs separates clusters that hardly overlap; one start in a
// few gets stuck, ten do not.
func TestKMeansFindsBlobs(t *testing.T) {
	x, labels := blobs(1, 2000, 12, 8, 0.3)
	c := DefaultKMeans(8)
	c.Redos = 10
	got, err := c.Fit(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Agree(got.Assign, labels)
	if err != nil {
		t.Fatal(err)
	}
	if a.AMI < 0.999 {
		t.Errorf("clusters against blobs: %+v", a)
	}
	again, err := Nearest(context.Background(), x, got.Centroids, false)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "assigned again", again, got.Assign)
	var sum float64
	for i, k := range got.Assign {
		d := sqDistance(x.Row(i), got.Centroids.Row(k))
		sum += d
		for other := range got.Centroids.N() {
			if sqDistance(x.Row(i), got.Centroids.Row(other)) < d {
				t.Fatalf("row %d is nearer to centroid %d than to its own, %d", i, other, k)
			}
		}
	}
	golden.Close(t, "objective", []float64{got.Objective}, []float64{sum}, 0, 1e-6)
}

// TestKMeansRedos keeps the best of several runs: more never do worse.
func TestKMeansRedos(t *testing.T) {
	x, _ := blobs(2, 600, 5, 12, 0.2)
	last := math.Inf(1)
	for _, redos := range []int{1, 3, 10} {
		got, err := KMeans{K: 12, Iters: 30, Redos: redos, Seed: 3}.Fit(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		if got.Objective > last*(1+1e-6) {
			t.Errorf("objective of %d runs is %v, of fewer %v", redos, got.Objective, last)
		}
		last = got.Objective
	}
}

func TestKMeansSeeds(t *testing.T) {
	x, _ := blobs(3, 300, 4, 3, 1)
	fit := func(seed uint64) *Clusters {
		c, err := KMeans{K: 20, Iters: 5, Redos: 1, MaxPerCentroid: 10, Seed: seed}.Fit(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := fit(1), fit(1)
	golden.Equal(t, "the same seed", b.Centroids.X, a.Centroids.X)
	if slices.Equal(fit(2).Centroids.X, a.Centroids.X) {
		t.Error("another seed found the same centroids")
	}
	if len(a.Assign) != 300 {
		t.Errorf("%d of 300 rows are assigned", len(a.Assign))
	}
}

func TestKMeansAsManyRowsAsClusters(t *testing.T) {
	x, _ := blobs(4, 9, 3, 2, 1)
	got, err := DefaultKMeans(9).Fit(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "centroids", got.Centroids.X, x.X)
	golden.Equal(t, "assignment", got.Assign, ascending(9))
	if got.Objective != 0 {
		t.Errorf("objective is %v", got.Objective)
	}
	got.Centroids.X[0]++
	if x.X[0] == got.Centroids.X[0] {
		t.Error("centroids are the caller's rows")
	}
	if got, err = (KMeans{K: 9, Iters: 1, Redos: 1, Spherical: true}).Fit(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "spherical centroids", got.Centroids.X, x.Unit().X)
}

// TestKMeansEmpty starts two clusters so far away that nothing comes to them.
func TestKMeansEmpty(t *testing.T) {
	x, _ := blobs(5, 200, 3, 4, 0.1)
	init := append(slices.Clone(x.X[:6]), 1e3, 1e3, 1e3, -1e3, 1e3, 1e3)
	got, err := KMeans{K: 4, Iters: 15, Redos: 1, Init: init}.Fit(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	var counts [4]int
	for _, k := range got.Assign {
		counts[k]++
	}
	if slices.Min(counts[:]) == 0 {
		t.Errorf("clusters hold %v rows", counts)
	}
	got, err = KMeans{K: 4, Iters: 1, Redos: 1, Init: init, Spherical: true}.Fit(context.Background(), Features{[]float32{0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1}, 3})
	if err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "spherical keeps an empty centroid", got.Centroids.Row(3), []float64{-math.Sqrt(1. / 3), math.Sqrt(1. / 3), math.Sqrt(1. / 3)}, 1e-6, 0)
}

func TestFillEmpty(t *testing.T) {
	c := Features{[]float32{9, 9, 9, 2, 4, 8, 7, 7, 7}, 3}
	counts := []int{0, 11, 1}
	fillEmpty(c, counts, 12)
	const up, down = 1 + 1./1024, 1 - 1./1024
	golden.Close(t, "centroids", c.X, []float64{2 * up, 4 * down, 8 * up, 2 * down, 4 * up, 8 * down, 7, 7, 7}, 0, 0)
	golden.Equal(t, "counts", counts, []int{5, 6, 1})
}

// TestKMeansOneSpot has more clusters than different rows, which must end.
func TestKMeansOneSpot(t *testing.T) {
	x := Features{make([]float32, 50*2), 2}
	got, err := DefaultKMeans(7).Fit(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	if got.Objective != 0 {
		t.Errorf("objective is %v", got.Objective)
	}
}

func TestKMeansErrors(t *testing.T) {
	x, _ := blobs(6, 10, 3, 2, 1)
	ctx := context.Background()
	gone, cancel := context.WithCancel(ctx)
	cancel()
	bad := Features{slices.Clone(x.X), 3}
	bad.X[7] = float32(math.Inf(1))
	for _, c := range []struct {
		name string
		ctx  context.Context
		c    KMeans
		x    Features
		want string
	}{
		{"K", ctx, KMeans{0, 1, 1, 0, false, 0, nil}, x, "KMeans.K is 0: at least 1"},
		{"iterations", ctx, KMeans{1, 0, 1, 0, false, 0, nil}, x, "KMeans.Iters is 0: at least 1"},
		{"runs", ctx, KMeans{1, 1, 0, 0, false, 0, nil}, x, "KMeans.Redos is 0: at least 1"},
		{"subset", ctx, KMeans{1, 1, 1, -1, false, 0, nil}, x, "KMeans.MaxPerCentroid is -1: at least 0"},
		{"start and runs", ctx, KMeans{1, 1, 2, 0, false, 0, x.X[:3]}, x, "Init gives one start"},
		{"start's size", ctx, KMeans{1, 1, 1, 0, false, 0, x.X[:4]}, x, "KMeans.Init has 4 numbers, K is 1 and rows have 3"},
		{"too few rows", ctx, DefaultKMeans(11), x, "11 clusters of 10 rows"},
		{"not finite", ctx, DefaultKMeans(2), bad, "k-means: row 2 holds +Inf"},
		{"cancelled", gone, DefaultKMeans(2), x, "context canceled"},
	} {
		if _, err := c.c.Fit(c.ctx, c.x); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	for _, c := range [][2]Features{{x, {x.X, 5}}, {x, {nil, 3}}, {{x.X, 0}, x}, {bad, x}} {
		if _, err := Nearest(ctx, c[0], c[1], false); err == nil {
			t.Errorf("%v were compared with %v", c[0], c[1])
		}
	}
}

func TestKMeansSameBits(t *testing.T) {
	x, _ := blobs(7, 1300, 40, 30, 1)
	for _, spherical := range []bool{false, true} {
		threads(t, fmt.Sprint("spherical ", spherical), func() []float32 {
			c, err := KMeans{K: 50, Iters: 4, Redos: 2, MaxPerCentroid: 20, Spherical: spherical}.Fit(context.Background(), x)
			if err != nil {
				t.Fatal(err)
			}
			return append(c.SqDist, c.Centroids.X...)
		})
	}
}

// BenchmarkKMeans is ten clusters from ten starts: of 2000 embeddings, and of
// 10,000 raw 28×28 images.
func BenchmarkKMeans(b *testing.B) {
	for _, size := range [][2]int{{2000, 256}, {10000, 784}} {
		b.Run(fmt.Sprintf("n=%d/d=%d", size[0], size[1]), func(b *testing.B) {
			x, _ := blobs(1, size[0], size[1], 10, 3)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (KMeans{K: 10, Iters: 20, Redos: 10}).Fit(context.Background(), x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
