package methods

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/tensor"
)

// TestEigenvalues checks them against matrices whose eigenvalues are known:
// tridiagonal ones, 2 - 2 cos(pi k / (n+1)).
func TestEigenvalues(t *testing.T) {
	for _, n := range []int{1, 2, 7, 64} {
		a := make([]float64, n*n)
		want := make([]float64, n)
		for i := range n {
			a[i*n+i] = 2
			if i > 0 {
				a[i*n+i-1], a[(i-1)*n+i] = -1, -1
			}
			want[i] = 2 - 2*math.Cos(math.Pi*float64(i+1)/float64(n+1))
		}
		got := eigenvalues(a, n)
		slices.Sort(got)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-9 {
				t.Errorf("n %d: eigenvalue %d is %v, want %v", n, i, got[i], want[i])
			}
		}
	}
}

func TestEffectiveRank(t *testing.T) {
	rng := tensor.NewRNG(1, "rank")
	draw := func(n, d int) Features {
		f := Features{make([]float32, n*d), d}
		rng.FillNormal(f.X, 1)
		return f
	}
	line, equal, axes := draw(50, 6), draw(50, 6), Features{make([]float32, 12*6), 6}
	for i := range 50 {
		for j := range 6 {
			line.Row(i)[j] = float32(i * (j - 2))
			equal.Row(i)[j] = 3
		}
	}
	for i := range 6 { // ±e_i: the covariance is a multiple of the identity
		axes.Row(i)[i], axes.Row(6 + i)[i] = 1, -1
	}
	for _, c := range []struct {
		what string
		got  float64
		want float64
	}{{"a line", EffectiveRank(line), 1}, {"equal rows", EffectiveRank(equal), 0}, {"axes", EffectiveRank(axes), 6}} {
		if math.Abs(c.got-c.want) > 1e-6 {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	// Columns of zeros change nothing but the side that is taken.
	x := draw(20, 12)
	wide := Features{make([]float32, 20*40), 40}
	for i := range 20 {
		copy(wide.Row(i), x.Row(i))
	}
	if a, b := EffectiveRank(x), EffectiveRank(wide); math.Abs(a-b) > 1e-9 || a < 8 || a > 12 {
		t.Errorf("covariance %v, inner products %v", a, b)
	}
}

func TestMonitorFigures(t *testing.T) {
	rng := tensor.NewRNG(2, "monitor")
	z := Features{make([]float32, 30*5), 5}
	rng.FillNormal(z.X, 1)
	z.unit(z, nil)
	sum := 0.0
	for i := range 30 {
		for j := range 30 {
			if i != j {
				for d := range 5 {
					sum += float64(z.Row(i)[d]) * float64(z.Row(j)[d]) / (30 * 29)
				}
			}
		}
	}
	if got := meanCosine(z); math.Abs(got-sum) > 1e-6 {
		t.Errorf("mean cosine %v, want %v", got, sum)
	}
	for i := range 30 {
		z.Row(i)[3] = 0
	}
	if got := deadShare(z); got != 0.2 {
		t.Errorf("dead share %v", got)
	}
	q := Features{[]float32{1, 0, 0, 0, 0.25, 0.25, 0.25, 0.25}, 4}
	if e, used := codeEntropy(q); math.Abs(e-0.5) > 1e-7 || used != 1 {
		t.Errorf("entropy %v, %d used", e, used)
	}
}

// TestMonitorWarns the third time in a row, once, and names the remedies.
func TestMonitorWarns(t *testing.T) {
	good := Health{CodeEntropy: 0.5, Used: 50, K: 100, Cosine: 0.1, Rank: 40, Dead: 0.1}
	for _, c := range []struct {
		spoil func(*Health)
		codes bool
		want  string
	}{
		{func(h *Health) { h.Cosine = 0.99 }, false, "nearly equal (mean cosine 0.990); what is known to help: fewer prototypes"},
		{func(h *Health) { h.Rank = 1.2 }, false, "about 1.2 directions of 64"},
		{func(h *Health) { h.Dead = 0.8 }, false, "80 % of the features are 0"},
		{func(h *Health) { h.CodeEntropy = 0.99 }, true, "entropy 0.990 of ln 100, where the loss is stuck"},
		{func(h *Health) { h.Used = 5 }, true, "5 of 100 are in use"},
		{func(h *Health) { h.CodeEntropy = 0.2 }, false, "few prototypes have nearly all images"},
	} {
		w := Monitor{look: observed{images: 128, remedies: "fewer prototypes"}}
		if c.codes {
			w.look.codes = new(autograd.Var)
		}
		var said []string
		for i := range 8 {
			w.health = good
			if i != 2 { // two in a row are not enough
				c.spoil(&w.health)
			}
			w.warn(64)
			if len(w.health.Warnings) > 0 != (i == 5) {
				t.Errorf("look %d: %q", i, w.health.Warnings)
			}
			said = append(said, w.health.Warnings...)
		}
		if len(said) != 1 || !strings.Contains(said[0], c.want) {
			t.Errorf("%q, want %q", said, c.want)
		}
	}
}

// TestMonitorRuns looks at every fourth step of each method and changes no bit.
func TestMonitorRuns(t *testing.T) {
	b, src := backends(t)["cpu"], noise(48)
	for _, method := range MethodNames {
		t.Run(method, func(t *testing.T) {
			c := tiny(t, method)
			want := trainRun(t, c, b, src, "", "", 10)
			tr, err := c.New(b, src)
			if err != nil {
				t.Fatal(err)
			}
			tr.Monitor = &Monitor{Every: 4}
			looks := 0
			tr.Progress = func(p Progress) {
				if (p.Health != nil) != ((p.Iteration+1)%4 == 0) {
					t.Errorf("iteration %d: %v", p.Iteration, p.Health)
				}
				if h := p.Health; h != nil {
					looks++
					if !(h.Cosine > -1 && h.Cosine < 1 && h.Rank > 1 && h.Dead < 1) || (h.K > 0) == math.IsNaN(h.CodeEntropy) || h.Used > h.K {
						t.Errorf("%+v", *h)
					}
					if prototypes := method == "swav" || method == "pcl" && p.Epoch > 0; prototypes != (h.K > 0) {
						t.Errorf("epoch %d: %d prototypes", p.Epoch, h.K)
					}
				}
			}
			tr.SaveEvery = 1
			tr.Save = func(tr *Trainer) error {
				if tr.Iteration == 10 {
					return errStop
				}
				return nil
			}
			if err := tr.Train(context.Background()); err != errStop || looks != 2 {
				t.Fatal(err, looks)
			}
			sameState(t, "watched", tr, want)
		})
	}
}
