package methods

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

func TestKNNGolden(t *testing.T) {
	f := golden.Open(t, "evaluation")
	d := f.Shape("knn.train")[1]
	bank, labels := Features{f.F32("knn.train"), d}, f.Ints("knn.labels")
	queries, want := Features{f.F32("knn.test"), d}, f.Ints("knn.test_labels")
	for _, c := range []KNN{{K: 20, Temperature: 0.07}, {K: 50, Temperature: 0.1}, {K: 1, Temperature: 0.07}} {
		v, err := c.Classify(context.Background(), bank, labels, queries)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("knn.k%d.", c.K)
		golden.Close(t, name+"scores", v.Scores, f.F64(name+"scores"), 0, 1e-3)
		golden.Equal(t, name+"pred", v.Pred, f.Ints(name+"pred"))
		top1, err := v.Top1(want)
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, name+"top1", []float64{top1}, f.F64(name+"top1"))
	}
}

// blobs are n rows around classes random centres, spread times a unit normal
// away from them, and the class of each.
func blobs(seed uint64, n, d, classes int, spread float64) (Features, []int) {
	r := rand.New(rand.NewPCG(seed, 0))
	centres := make([]float64, classes*d)
	for i := range centres {
		centres[i] = r.NormFloat64()
	}
	x, labels := Features{make([]float32, n*d), d}, make([]int, n)
	for i := range labels {
		labels[i] = r.IntN(classes)
		for j := range d {
			x.X[i*d+j] = float32(centres[labels[i]*d+j] + spread*r.NormFloat64())
		}
	}
	return x, labels
}

// TestKNNAgainstSort compares with a whole matrix of float64 cosines, sorted,
// at sizes on both sides of a tile.
func TestKNNAgainstSort(t *testing.T) {
	for _, center := range []bool{false, true} {
		for _, size := range [][3]int{{1, 1, 1}, {7, 3, 5}, {tileBank + 9, tileQueries + 3, 6}} {
			n, m, k := size[0], size[1], size[2]
			const d = 9
			bank, labels := blobs(1, n, d, 4, 1)
			queries, _ := blobs(2, m, d, 4, 1)
			for i := range bank.X {
				bank.X[i] += 3 // something to centre
			}
			for i := range queries.X {
				queries.X[i] += 3
			}
			v, err := KNN{K: k, Temperature: 0.2, Center: center}.Classify(context.Background(), bank, labels, queries)
			if err != nil {
				t.Fatal(err)
			}
			var mean [d]float64
			if center {
				for i, x := range bank.X {
					mean[i%d] += float64(x) / float64(n)
				}
			}
			scores := make([]float64, m*v.Classes)
			for i := range m {
				cos := make([]float64, n)
				order := make([]int, n)
				for b := range n {
					var dot, qq, bb float64
					for p := range d {
						x, y := float64(queries.Row(i)[p])-mean[p], float64(bank.Row(b)[p])-mean[p]
						dot, qq, bb = dot+x*y, qq+x*x, bb+y*y
					}
					cos[b], order[b] = dot/max(math.Sqrt(qq*bb), 1e-12), b
				}
				slices.SortStableFunc(order, func(a, b int) int {
					switch {
					case cos[a] > cos[b]:
						return -1
					case cos[a] < cos[b]:
						return 1
					}
					return 0
				})
				for _, b := range order[:k] {
					scores[i*v.Classes+labels[b]] += math.Exp(cos[b] / 0.2)
				}
			}
			// A mean of one row is that row: its centred cosine is of nothing.
			if n > 1 {
				golden.Close(t, fmt.Sprint("centred ", center, " sizes ", size), v.Scores, scores, 0, 1e-4)
			}
		}
	}
}

// TestKNNTies gives every bank row the same cosine: the first K vote, and of
// equal scores the lowest class wins.
func TestKNNTies(t *testing.T) {
	bank := Features{[]float32{1, 0, 2, 0, 3, 0, 4, 0, 0, 1}, 2}
	v, err := KNN{K: 4, Temperature: 1}.Classify(context.Background(), bank, []int{3, 1, 1, 3, 0}, Features{[]float32{5, 0}, 2})
	if err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "scores", v.Scores, []float64{0, 2 * math.E, 0, 2 * math.E}, 0, 1e-6)
	golden.Equal(t, "pred", v.Pred, []int{1})
	if v, err = (KNN{K: 1, Temperature: 1}).Classify(context.Background(), bank, []int{3, 1, 1, 3, 0}, Features{[]float32{5, 0}, 2}); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "nearest", v.Pred, []int{3})
}

func TestKNNErrors(t *testing.T) {
	ctx := context.Background()
	bank, queries, labels := Features{make([]float32, 6), 2}, Features{make([]float32, 4), 2}, []int{0, 1, 0}
	nan := Features{[]float32{0, 0, 0, float32(math.NaN())}, 2}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for _, c := range []struct {
		name string
		run  func() (*Votes, error)
		want string
	}{
		{"K", func() (*Votes, error) { return KNN{0, 1, false}.Classify(ctx, bank, labels, queries) }, "KNN.K is 0"},
		{"temperature", func() (*Votes, error) { return KNN{1, 0.001, false}.Classify(ctx, bank, labels, queries) }, "KNN.Temperature is 0.001"},
		{"K past the bank", func() (*Votes, error) { return KNN{4, 1, false}.Classify(ctx, bank, labels, queries) }, "the bank has only 3 rows"},
		{"labels", func() (*Votes, error) { return KNN{1, 1, false}.Classify(ctx, bank, labels[:2], queries) }, "2 labels for a bank of 3 rows"},
		{"negative label", func() (*Votes, error) { return KNN{1, 1, false}.Classify(ctx, bank, []int{0, -1, 0}, queries) }, "label -1 of bank row 1"},
		{"columns", func() (*Votes, error) {
			return KNN{1, 1, false}.Classify(ctx, bank, labels, Features{make([]float32, 4), 4})
		}, "bank rows have 2 numbers, queries 4"},
		{"no rows", func() (*Votes, error) { return KNN{1, 1, false}.Classify(ctx, Features{nil, 2}, nil, queries) }, "bank: 0 numbers are no rows of 2"},
		{"no width", func() (*Votes, error) { return KNN{1, 1, false}.Classify(ctx, bank, labels, Features{queries.X, 0}) }, "queries: 4 numbers are no rows of 0"},
		{"not finite", func() (*Votes, error) { return KNN{1, 1, false}.Classify(ctx, bank, labels, nan) }, "queries: row 1 holds NaN"},
		{"cancelled", func() (*Votes, error) { return KNN{1, 1, false}.Classify(gone, bank, labels, queries) }, "context canceled"},
	} {
		if _, err := c.run(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := (&Votes{Pred: []int{1}}).Top1([]int{1, 2}); err == nil {
		t.Error("two labels for one query gave a percentage")
	}
}

func TestFewLabels(t *testing.T) {
	bank, labels := blobs(3, 400, 16, 5, 0.8)
	queries, queryLabels := bank, labels
	c := DefaultFewLabels()
	c.Seed = 7
	ctx := context.Background()
	a, err := c.Top1(ctx, bank, labels, queries, queryLabels)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Top1(ctx, bank, labels, queries, queryLabels)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "the same seed", b, a)
	c.Seed = 8
	if b, err = c.Top1(ctx, bank, labels, queries, queryLabels); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(a, b) {
		t.Error("another seed drew the same sets")
	}
	if len(a) != 10 || slices.Min(a) == slices.Max(a) || slices.Min(a) < 80 {
		t.Errorf("draws give %v", a)
	}

	// Every class drawn whole is a plain vote of the bank.
	few, fewLabels := Features{bank.X[:20*16], 16}, []int{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}
	c = FewLabels{PerClass: 5, Draws: 1, KNN: KNN{K: 20, Temperature: 0.07}}
	got, err := c.Top1(ctx, few, fewLabels, queries, queryLabels)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.KNN.Classify(ctx, few, fewLabels, queries)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := v.Top1(queryLabels)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "whole bank", got, []float64{whole})

	c.PerClass = 6
	if _, err := c.Top1(ctx, few, fewLabels, queries, queryLabels); err == nil || !strings.Contains(err.Error(), "class 0 has 5 rows") {
		t.Errorf("six of five labels: %v", err)
	}
	if err := (FewLabels{PerClass: 1, KNN: DefaultKNN()}).Validate(); err == nil {
		t.Error("no draws are valid")
	}
}

// threads runs f at three settings of GOMAXPROCS and compares what it returns.
func threads[E comparable](t *testing.T, what string, f func() []E) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := f()
	for _, n := range []int{2, 7} {
		runtime.GOMAXPROCS(n)
		golden.Equal(t, fmt.Sprintf("%s with GOMAXPROCS %d", what, n), f(), want)
	}
}

func TestKNNSameBits(t *testing.T) {
	bank, labels := blobs(4, 1500, 33, 6, 2)
	queries, _ := blobs(5, 600, 33, 6, 2)
	threads(t, "scores", func() []float64 {
		v, err := KNN{K: 20, Temperature: 0.07, Center: true}.Classify(context.Background(), bank, labels, queries)
		if err != nil {
			t.Fatal(err)
		}
		return v.Scores
	})
}

func TestKNNCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	bank, labels := blobs(6, 10, 4, 2, 1)
	if _, err := DefaultFewLabels().Top1(ctx, Features{append(bank.X, bank.X...), 4}, append(labels, labels...), bank, labels); err == nil {
		t.Error("a cancelled context gave a result")
	}
}

// BenchmarkKNN is the evaluation of raw 28×28 images: 2000 queries against a
// bank of 8000.
func BenchmarkKNN(b *testing.B) {
	bank, labels := blobs(1, 8000, 784, 10, 3)
	queries, _ := blobs(2, 2000, 784, 10, 3)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DefaultKNN().Classify(context.Background(), bank, labels, queries); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(2*8000*2000*784*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
