package methods

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/nn"
)

// TestLinearSeparates: classes that a plane parts are told apart, and those
// that lie on top of each other are not.
func TestLinearSeparates(t *testing.T) {
	ctx := context.Background()
	c := DefaultLinear()
	c.Epochs = 20
	x, labels := blobs(1, 900, 12, 7, 0.1)
	bank, queries := x.rows(0, 600), x.rows(600, 900)
	v, err := c.Classify(ctx, bank, labels[:600], queries)
	if err != nil {
		t.Fatal(err)
	}
	if top1, _ := v.Top1(labels[600:]); top1 < 99.5 {
		t.Errorf("separable classes: top-1 %.1f", top1)
	}
	r := rand.New(rand.NewPCG(9, 9))
	for i := range labels {
		labels[i] = r.IntN(7)
	}
	if v, err = c.Classify(ctx, bank, labels[:600], queries); err != nil {
		t.Fatal(err)
	}
	if top1, _ := v.Top1(labels[600:]); top1 > 30 {
		t.Errorf("random labels: top-1 %.1f, chance is 14", top1)
	}
	top1, _ := v.Top1(labels[600:])
	top5, _ := v.TopK(5, labels[600:])
	if all, _ := v.TopK(7, labels[600:]); all != 100 || top5 < 2*top1 {
		t.Errorf("top-1 %.1f, top-5 %.1f, top-7 %.1f", top1, top5, all)
	}
}

// softmaxLoss is the probe's objective in float64, and its gradient: dW =
// 1/N sum (softmax - onehot) xᵀ + Decay W.
func softmaxLoss(w []float64, x Features, labels []int, classes int, decay float64) (loss float64, grad []float64) {
	d := x.D
	grad = make([]float64, len(w))
	for i, v := range w {
		loss += decay / 2 * v * v
		grad[i] = decay * v
	}
	n := float64(x.N())
	for i := range x.N() {
		p, total := make([]float64, classes), 0.0
		for c := range p {
			p[c] = w[classes*d+c]
			for j, v := range x.Row(i) {
				p[c] += w[c*d+j] * float64(v)
			}
			p[c] = math.Exp(p[c])
			total += p[c]
		}
		loss -= math.Log(p[labels[i]]/total) / n
		for c := range p {
			g := p[c] / total / n
			if c == labels[i] {
				g -= 1 / n
			}
			grad[classes*d+c] += g
			for j, v := range x.Row(i) {
				grad[c*d+j] += g * float64(v)
			}
		}
	}
	return loss, grad
}

// TestLinearAgainstFloat64: the same descent in float64, whose gradient is that
// of finite differences, gives the same scores.
func TestLinearAgainstFloat64(t *testing.T) {
	const classes = 3
	c := Linear{Epochs: 6, Batch: 16, Rate: 0.3, Decay: 0.01, Seed: 4}
	raw, labels := blobs(3, 70, 5, classes, 1)
	mean, scale := raw.rows(0, 50).spread()
	x := raw.standard(mean, scale)
	w := make([]float64, classes*(x.D+1))
	momentum := make([]float64, len(w))
	for epoch := range c.Epochs {
		rate := nn.Cosine{Base: c.Rate, Steps: c.Epochs}.At(epoch)
		order := rand.New(rand.NewPCG(c.Seed, uint64(epoch))).Perm(50)
		for ; len(order) >= c.Batch; order = order[c.Batch:] {
			batch, want := pick(x, order[:c.Batch]), make([]int, c.Batch)
			for i, row := range order[:c.Batch] {
				want[i] = labels[row]
			}
			_, grad := softmaxLoss(w, batch, want, classes, float64(c.Decay))
			for i, g := range grad {
				momentum[i] = 0.9*momentum[i] + g
				w[i] -= rate * momentum[i]
			}
		}
	}
	_, grad := softmaxLoss(w, x.rows(0, 50), labels[:50], classes, float64(c.Decay))
	for i := range w {
		const h = 1e-5
		keep := w[i]
		w[i] = keep + h
		up, _ := softmaxLoss(w, x.rows(0, 50), labels[:50], classes, float64(c.Decay))
		w[i] = keep - h
		down, _ := softmaxLoss(w, x.rows(0, 50), labels[:50], classes, float64(c.Decay))
		w[i] = keep
		if diff := (up - down) / (2 * h); math.Abs(diff-grad[i]) > 1e-7 {
			t.Fatalf("gradient %d is %v, by differences %v", i, grad[i], diff)
		}
	}
	v, err := c.Classify(context.Background(), raw.rows(0, 50), labels[:50], raw.rows(50, 70))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float64, len(v.Scores))
	for i := range want {
		row, class := x.Row(50+i/classes), i%classes
		want[i] = w[classes*x.D+class]
		for j, v := range row {
			want[i] += w[class*x.D+j] * float64(v)
		}
	}
	golden.Close(t, "scores", v.Scores, want, 1e-5, 1e-5)
}

// TestLinearScale: features times a number, or shifted, are judged alike; a
// constant column changes nothing; bits are those of any number of threads.
func TestLinearScale(t *testing.T) {
	ctx := context.Background()
	c := Linear{Epochs: 5, Batch: 32, Rate: 0.1}
	x, labels := blobs(5, 300, 6, 4, 1)
	other := Features{make([]float32, 0, 300*7), 7}
	for i := range x.N() {
		for _, v := range x.Row(i) {
			other.X = append(other.X, 1024*v+512)
		}
		other.X = append(other.X, 3)
	}
	a, err := c.Classify(ctx, x.rows(0, 200), labels[:200], x.rows(200, 300))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Classify(ctx, other.rows(0, 200), labels[:200], other.rows(200, 300))
	if err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "scaled", b.Scores, a.Scores, 1e-3, 1e-3)
	for _, threads := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(threads)
		again, err := c.Classify(ctx, x.rows(0, 200), labels[:200], x.rows(200, 300))
		runtime.GOMAXPROCS(before)
		if err != nil || !slices.Equal(again.Scores, a.Scores) {
			t.Errorf("%d threads: other scores, %v", threads, err)
		}
	}
}

// TestLinearMistakes: each is an error that says what to do.
func TestLinearMistakes(t *testing.T) {
	x, labels := blobs(1, 40, 4, 3, 1)
	bad := Features{slices.Clone(x.X), x.D}
	bad.X[9] = float32(math.NaN())
	ok := Linear{Epochs: 1, Batch: 8, Rate: 0.1}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name          string
		ctx           context.Context
		of            Linear
		bank, queries Features
		labels        []int
		want          string
	}{
		{"epochs", nil, Linear{Batch: 8, Rate: 1}, x, x, labels, "0 epochs"},
		{"rate", nil, Linear{Epochs: 1, Batch: 8}, x, x, labels, "learning rate 0"},
		{"bank", nil, ok, bad, x, labels, "row 2 holds NaN"},
		{"queries", nil, ok, x, bad, labels, "queries: row 2"},
		{"length", nil, ok, x, Features{x.X, 5}, labels, "4 numbers, queries 5"},
		{"labels", nil, ok, x, x, labels[1:], "39 labels"},
		{"negative", nil, ok, x, x, append([]int{-1}, labels[1:]...), "negative"},
		{"diverges", nil, Linear{Epochs: 50, Batch: 8, Rate: 1, Decay: 100}, x, x, labels, "choose a lower one"},
		{"cancelled", cancelled, ok, x, x, labels, "canceled"},
	} {
		if c.ctx == nil {
			c.ctx = context.Background()
		}
		if _, err := c.of.Classify(c.ctx, c.bank, c.labels, c.queries); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: no %q in %v", c.name, c.want, err)
		}
	}
}
