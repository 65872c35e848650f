package methods

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

func TestAgreementGolden(t *testing.T) {
	f := golden.Open(t, "evaluation")
	a, b := f.Ints("clu.a"), f.Ints("clu.b")
	want := f.F64("clu.nmi_ami_ari")
	for _, c := range []struct {
		name string
		a, b []int
	}{{"a, b", a, b}, {"b, a", b, a}} {
		got, err := Agree(c.a, c.b)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, c.name, []float64{got.NMI, got.AMI, got.ARI}, want, 1e-9, 0)
	}
}

func TestAgreementCases(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []int
		want Agreement
	}{
		{"equal", []int{0, 0, 1, 2}, []int{0, 0, 1, 2}, Agreement{1, 1, 1}},
		{"equal under other names", []int{0, 0, 1, 2}, []int{-5, -5, 1 << 40, 3}, Agreement{1, 1, 1}},
		{"one part each", []int{0, 0, 0}, []int{4, 4, 4}, Agreement{1, 1, 1}},
		{"points alone in both", []int{0, 1, 2}, []int{2, 0, 1}, Agreement{1, 1, 1}},
		{"one point", []int{3}, []int{9}, Agreement{1, 1, 1}},
		{"one part says nothing", []int{0, 0, 0, 0}, []int{0, 0, 1, 1}, Agreement{0, 0, 0}},
		{"points alone say nothing", []int{0, 1, 2, 3}, []int{0, 0, 1, 1}, Agreement{2. / 3, 0, 0}},
		// Each cell of the table holds what chance gives: I = 0, and
		// E[I] = ln(2)/3 (overlaps 0, 1, 2 with probabilities 1/6, 4/6, 1/6).
		{"crossed", []int{0, 0, 1, 1}, []int{0, 1, 0, 1}, Agreement{0, -0.5, -0.5}},
	} {
		got, err := Agree(c.a, c.b)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, c.name, []float64{got.NMI, got.AMI, got.ARI}, []float64{c.want.NMI, c.want.AMI, c.want.ARI}, 1e-12, 0)
	}
	for _, c := range [][2][]int{{nil, nil}, {{1}, {1, 2}}} {
		if _, err := Agree(c[0], c[1]); err == nil {
			t.Errorf("%v and %v were compared", c[0], c[1])
		}
	}
}

// TestExpectedInformation compares the walk from the mode with sums of
// factorials, where those are still precise.
func TestExpectedInformation(t *testing.T) {
	lg := func(x float64) float64 { v, _ := math.Lgamma(x + 1); return v }
	for _, c := range [][3]float64{{1, 1, 1}, {1, 1, 2}, {3, 4, 7}, {5, 9, 12}, {50, 70, 400}, {399, 2, 400}, {300, 250, 400}} {
		x, y, n := c[0], c[1], c[2]
		var want float64
		for t := max(1, x+y-n); t <= min(x, y); t++ {
			p := lg(x) + lg(y) + lg(n-x) + lg(n-y) - lg(n) - lg(t) - lg(x-t) - lg(y-t) - lg(n-x-y+t)
			want += t / n * math.Log(n*t/(x*y)) * math.Exp(p)
		}
		golden.Close(t, "sizes and points", []float64{overlapInformation(x, y, n)}, []float64{want}, 1e-15, 1e-10)
	}
}

// TestAgreementOfChance draws independent partitions of the size PCL's
// evaluation has, in small: AMI and ARI see no agreement, NMI is fooled.
func TestAgreementOfChance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	a, b := make([]int, 20000), make([]int, 20000)
	for i := range a {
		a[i], b[i] = r.IntN(2000), r.IntN(100)
	}
	got, err := Agree(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.AMI) > 0.01 || math.Abs(got.ARI) > 0.01 || got.NMI < 0.3 {
		t.Errorf("independent partitions give %+v", got)
	}
}

// BenchmarkAgree has ImageNet's size: 25,000 clusters against 1000 classes.
func BenchmarkAgree(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([]int, 1_281_167), make([]int, 1_281_167)
	for i := range x {
		x[i], y[i] = int(25000*r.Float64()*r.Float64()), r.IntN(1000)
	}
	for b.Loop() {
		if _, err := Agree(x, y); err != nil {
			b.Fatal(err)
		}
	}
}
