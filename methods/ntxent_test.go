package methods

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
)

// runNTXent is the loss of raw rows and its gradient.
func runNTXent(b kernels.Backend, raw []float32, d int, tau float64, halves bool, g dist.Group) (loss float32, grad []float32, err error) {
	t := autograd.NewTape(b)
	defer t.Release()
	rows := len(raw) / d
	nt := NewNTXent(rows/2, tau, halves, g)
	grad = make([]float32, len(raw))
	for range 2 { // planned, then replayed
		t.Begin("nt-xent")
		z := t.Input(autograd.Dims(rows, d), raw).WithGrad().Keep()
		l := nt.Loss(autograd.Normalize(z))
		t.Backward(l)
		if err := t.Run(); err != nil {
			return 0, nil, err
		}
		loss = l.Item()
		if _, err := z.CopyGrad(grad); err != nil {
			return 0, nil, err
		}
	}
	return loss, grad, nil
}

func TestNTXentGolden(t *testing.T) {
	f := golden.Open(t, "ntxent")
	d, raw := f.Shape("z_raw")[1], f.F32("z_raw")
	for tau, name := range map[float64]string{0.1: "T0_1", 0.5: "T0_5"} {
		want := f.F64(name + ".g_z_raw")
		for backend, b := range backends(t) {
			what := name + " " + backend
			loss, grad, err := runNTXent(b, raw, d, tau, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			golden.Close(t, what+" loss", []float32{loss}, f.F64(name+".loss"), 0, 1e-5)
			golden.Close(t, what+" gradient", grad, want, 2e-5, 0)

			loss, grad, err = runNTXent(b, raw, d, tau, true, nil)
			if err != nil {
				t.Fatal(err)
			}
			golden.Close(t, what+" sum of halves", []float32{loss}, f.F64(name+".loss_sum_of_halves"), 0, 1e-5)
			for i := range grad {
				grad[i] /= 2
			}
			golden.Close(t, what+" gradient of the sum of halves", grad, want, 2e-5, 0)
		}
	}
}

// TestNTXentRanksGolden splits each view over ranks: the first is told what
// the golden file holds for it, and the mean of the ranks' gradients, each of
// all rows, is that of one rank.
func TestNTXentRanksGolden(t *testing.T) {
	f := golden.Open(t, "ntxent")
	shape, raw := f.Shape("z_raw"), f.F32("z_raw")
	n, d := shape[0]/2, shape[1]
	for tau, name := range map[float64]string{0.1: "T0_1", 0.5: "T0_5"} {
		for _, ranks := range []int{1, 2, 5} {
			per := n / ranks
			losses, mean := make([]float64, ranks), make([]float64, len(raw))
			grads := make([][]float32, ranks)
			err := dist.Run(ranks, func(g dist.Group) (err error) {
				own := func(view int) []float32 { return raw[(view*n+g.Rank()*per)*d:][:per*d] }
				b := kernels.NewCPU(kernels.NewTeam(1), kernels.Pins{})
				loss, grad, err := runNTXent(b, slices.Concat(own(0), own(1)), d, tau, false, g)
				losses[g.Rank()], grads[g.Rank()] = float64(loss), grad
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			total := 0.0
			for r, grad := range grads {
				total += losses[r] / float64(ranks)
				for i, v := range grad { // back to view-major rows
					view, row := i/(per*d), i%(per*d)
					mean[(view*n+r*per)*d+row] = float64(v) / float64(ranks)
				}
			}
			what := fmt.Sprintf("%s, %d ranks", name, ranks)
			golden.Close(t, what+" loss", []float64{total}, f.F64(name+".loss"), 0, 1e-5)
			golden.Close(t, what+" gradient", mean, f.F64(name+".g_z_raw"), 2e-5, 0)
			if ranks == 2 {
				golden.Close(t, what+" losses", losses, f.F64(name+".rank_loss"), 0, 1e-5)
			}
		}
	}
}

func TestSimCLRValidate(t *testing.T) {
	for _, c := range []struct {
		change func(*SimCLRConfig)
		want   string
	}{
		{func(c *SimCLRConfig) { c.Batch = 1 }, "batch 1: batch norm takes statistics"},
		{func(c *SimCLRConfig) { c.Temperature = 0 }, "temperature 0"},
		{func(c *SimCLRConfig) { c.Temperature = nan() }, "temperature NaN"},
		{func(c *SimCLRConfig) { c.Crops = nil }, "0 views"},
		{func(c *SimCLRConfig) { c.Hidden = 0 }, "head of width 0"},
	} {
		cfg := DefaultSimCLR()
		c.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %q alone", err, c.want)
		}
	}
	if err := DefaultSimCLR().Validate(); err != nil {
		t.Error(err)
	}
	if w := DefaultSimCLR().Warnings(); len(w) != 1 || !strings.Contains(w[0], "62 negatives") {
		t.Error(w)
	}
}
