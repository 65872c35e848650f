package methods

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
)

// backends are the float64 reference and this machine's CPU.
func backends(t testing.TB) map[string]kernels.Backend {
	t.Helper()
	cpu, err := kernels.Default()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]kernels.Backend{"ref64": kernels.Ref64{}, "cpu": cpu}
}

// runCodes runs the op on rows of scores [b, k].
func runCodes(b kernels.Backend, scores []float32, k int, cfg CodesConfig) ([]float32, error) {
	t := autograd.NewTape(b)
	defer t.Release()
	t.BeginNoGrad("codes")
	q := Codes(t.Input(autograd.Dims(len(scores)/k, k), scores), cfg)
	if err := t.Run(); err != nil {
		return nil, err
	}
	got := make([]float32, cfg.Last*k)
	return got, q.CopyTo(got)
}

func TestSinkhornGolden(t *testing.T) {
	f := golden.Open(t, "sinkhorn")
	for _, name := range []string{"basic", "eps03", "iters10", "large", "onehot", "equal", "few_samples"} {
		shape, cfg, want := f.Shape(name+".scores"), f.F64(name+".eps_iters"), f.F64(name+".Q")
		s := Sinkhorn{Epsilon: cfg[0], Iterations: int(cfg[1])}
		atol := 2e-5
		if name == "large" || name == "onehot" {
			atol = 2e-4
		}
		got, err := s.Assign(f.F64(name+".scores"), shape[1], dist.Solo())
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, name+" in Go", got, want, 1e-12, 0)
		for backend, b := range backends(t) {
			got, err := runCodes(b, f.F32(name+".scores"), shape[1], CodesConfig{Sinkhorn: s, To: shape[0], Last: shape[0]})
			if err != nil {
				t.Fatal(err)
			}
			golden.Close(t, name+" on "+backend, got, want, atol, 0)
		}
	}
}

// TestSinkhornRanksGolden splits the batch over ranks: the codes are those of
// the whole batch.
func TestSinkhornRanksGolden(t *testing.T) {
	f := golden.Open(t, "sinkhorn")
	scores, wide, want := f.F32("basic.scores"), f.F64("basic.scores"), f.F64("basic.Q")
	k, s := f.Shape("basic.scores")[1], DefaultSinkhorn()
	for _, ranks := range []int{2, 4} {
		n := len(scores) / ranks
		for backend := range backends(t) {
			got := make([]float32, len(scores))
			read := make([]float64, len(scores))
			err := dist.Run(ranks, func(g dist.Group) error {
				at := g.Rank() * n
				var b kernels.Backend = kernels.Ref64{}
				if backend == "cpu" {
					b = kernels.NewCPU(kernels.NewTeam(1), kernels.Pins{})
				}
				q, err := runCodes(b, scores[at:at+n], k, CodesConfig{Sinkhorn: s, To: n / k, Last: n / k, Group: g})
				if err != nil {
					return err
				}
				copy(got[at:], q)
				p, err := s.Assign(wide[at:at+n], k, g)
				copy(read[at:], p)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			golden.Close(t, fmt.Sprintf("%d ranks on %s", ranks, backend), got, want, 2e-5, 0)
			golden.Close(t, fmt.Sprintf("%d ranks in Go", ranks), read, want, 1e-12, 0)
		}
	}
}

func randomScores(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(2*r.Float64() - 1)
	}
	return x
}

// TestSinkhornProperties: rows are distributions, columns carry equal mass
// (exactly before the last scaling of rows, so after many rounds here), and a
// constant added to the scores of a sample or of a prototype changes nothing.
func TestSinkhornProperties(t *testing.T) {
	const b, k = 48, 10
	scores := randomScores(1, b*k)
	s := Sinkhorn{Epsilon: 0.05, Iterations: 300}
	cfg := CodesConfig{Sinkhorn: s, To: b, Last: b}
	shifted := append([]float32(nil), scores...)
	for i := range b {
		for j := range k {
			shifted[i*k+j] += float32(i%3) - 0.5*float32(j%4)
		}
	}
	for name, backend := range backends(t) {
		q, err := runCodes(backend, scores, k, cfg)
		if err != nil {
			t.Fatal(err)
		}
		rows, columns := make([]float64, b), make([]float64, k)
		for i, x := range q {
			rows[i/k] += float64(x)
			columns[i%k] += float64(x)
		}
		golden.Close(t, name+" rows", rows, constant(b, 1), 1e-4, 0)
		golden.Close(t, name+" columns", columns, constant(k, float64(b)/k), 0, 2e-3)

		again, err := runCodes(backend, shifted, k, cfg)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, name+" shifted", again, widen(q), 2e-3, 0)

		// Rows before the last ones only balance.
		cfg := cfg
		cfg.From, cfg.Last = 8, 16
		part, err := runCodes(backend, scores, k, cfg)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.Assign(widen(scores[8*k:]), k, dist.Solo())
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, name+" last rows", part, want[(b-8-16)*k:], 5e-5, 0)
	}
}

func constant(n int, v float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func TestSinkhornValidate(t *testing.T) {
	for _, s := range []Sinkhorn{{0, 3}, {-1, 3}, {math.NaN(), 3}, {math.Inf(1), 3}, {0.05, 0}} {
		if s.Validate() == nil {
			t.Errorf("%+v passes", s)
		}
	}
	if err := DefaultSinkhorn().Validate(); err != nil {
		t.Error(err)
	}
}

func BenchmarkSinkhorn(b *testing.B) {
	for _, shape := range [][2]int{{128, 100}, {4096, 3000}} {
		b.Run(fmt.Sprintf("B=%d/K=%d", shape[0], shape[1]), func(b *testing.B) {
			cpu, err := kernels.Default()
			if err != nil {
				b.Fatal(err)
			}
			scores := randomScores(1, shape[0]*shape[1])
			t := autograd.NewTape(cpu)
			defer t.Release()
			b.ReportAllocs()
			for b.Loop() {
				t.BeginNoGrad("codes")
				Codes(t.Input(autograd.Dims(shape[0], shape[1]), scores), CodesConfig{Sinkhorn: DefaultSinkhorn(), To: shape[0], Last: shape[0]})
				if err := t.Run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(scores))*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gscores/s")
		})
	}
}
