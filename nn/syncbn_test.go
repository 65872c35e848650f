package nn

import (
	"fmt"
	"math"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
)

// shared is what W ranks make of one batch of eight images: the mean loss, the
// mean gradient and the running statistics, one after the other.
func shared(t *testing.T, ranks int, sync bool) []float32 {
	t.Helper()
	const batch = 8
	r := seeded()
	image := make([]float32, batch*8*8)
	for i := range image {
		image[i] = float32(3 + 2*r.Normal())
	}
	results := make([][]float32, ranks)
	stats := 0
	err := dist.Run(ranks, func(g dist.Group) error {
		b := kernels.NewCPU(kernels.NewTeam(1), kernels.Pins{})
		cfg, err := ResNetByName("small8")
		if err != nil {
			return err
		}
		cfg.Classes = 10
		net := NewResNet(b, cfg, seeded())
		tape := autograd.NewTape(b)
		defer tape.Release()
		p := Pass{Tape: tape, Train: true}
		if sync {
			p.Sync = NewSyncBN(b, g)
		}
		n := batch / ranks
		labels := make([]int32, n)
		for i := range labels {
			labels[i] = int32(g.Rank()*n + i)
		}
		tape.Begin("train")
		x := tape.Input(autograd.Dims(n, 8, 8, 1), image[g.Rank()*n*64:(g.Rank()+1)*n*64])
		loss := autograd.CrossEntropy(net.Forward(&p, x), tape.Ints(labels))
		tape.Backward(loss)
		if err := tape.Run(); err != nil {
			return err
		}
		out := []float32{loss.Item()}
		for _, w := range Weights(net) {
			out = append(out, w.Grad.Float32s()...)
		}
		at := len(out)
		for _, s := range net.State() {
			if s.Grad == nil {
				out = append(out, s.Value.Float32s()...)
			}
		}
		if g.Rank() == 0 {
			stats = at
		}
		results[g.Rank()] = out
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mean := results[0]
	for _, other := range results[1:] {
		golden.Equal(t, fmt.Sprintf("running statistics on %d ranks", ranks), other[stats:], results[0][stats:])
		for i := range mean[:stats] {
			mean[i] += other[i]
		}
	}
	for i := range mean[:stats] {
		mean[i] /= float32(ranks)
	}
	return mean
}

// TestSyncBN: ranks that share a batch train as one rank that has it all, and
// to the same bits each time.
func TestSyncBN(t *testing.T) {
	whole := shared(t, 1, false)
	want := make([]float64, len(whole))
	most := 0.0
	for i, v := range whole {
		want[i] = float64(v)
		most = max(most, math.Abs(want[i]))
	}
	for _, ranks := range []int{1, 2, 4} {
		got := shared(t, ranks, true)
		golden.Close(t, fmt.Sprintf("%d ranks", ranks), got, want, 2e-6*most, 1e-5)
		golden.Equal(t, fmt.Sprintf("%d ranks, again", ranks), shared(t, ranks, true), got)
	}
}

// TestSyncBNUnequalShares: Chan's formula with other counts on each rank is
// the two-pass formula over all values.
func TestSyncBNUnequalShares(t *testing.T) {
	const groups, c = 2, 3
	counts := []int{5, 1, 4}
	r := seeded()
	values := make([][][]float64, groups*c) // [group·channel][rank][i]
	for k := range values {
		for _, n := range counts {
			v := make([]float64, n)
			for i := range v {
				v[i] = 1e6 + r.Normal()
			}
			values[k] = append(values[k], v)
		}
	}
	moments := func(all ...[]float64) (mean, m2 float64) {
		n := 0.0
		for _, v := range all {
			for _, x := range v {
				mean += x
				n++
			}
		}
		mean /= n
		for _, v := range all {
			for _, x := range v {
				m2 += (x - mean) * (x - mean)
			}
		}
		return mean, m2
	}
	err := dist.Run(len(counts), func(g dist.Group) error {
		m := make([]float64, groups*2*c)
		for k, v := range values {
			m[k/c*2*c+k%c], m[(k/c*2+1)*c+k%c] = moments(v[g.Rank()])
		}
		total, err := NewSyncBN(kernels.Ref64{}, g).Moments(kernels.F64Mem(m), groups, c, counts[g.Rank()])
		if err != nil || total != 10 {
			return fmt.Errorf("%d values, %v", total, err)
		}
		for k, v := range values {
			mean, m2 := moments(v...)
			golden.Close(t, "mean", m[k/c*2*c+k%c:][:1], []float64{mean}, 0, 1e-15)
			golden.Close(t, "M2", m[(k/c*2+1)*c+k%c:][:1], []float64{m2}, 0, 1e-8)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSyncBNOneValue: statistics of a single value are refused.
func TestSyncBNOneValue(t *testing.T) {
	if _, err := NewSyncBN(kernels.Ref64{}, dist.Solo()).Moments(kernels.F64Mem(make([]float64, 2)), 1, 1, 1); err == nil {
		t.Error("no error")
	}
}
