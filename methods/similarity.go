package methods

import (
	"runtime"
	"sync"

	"github.com/sectile-ml/sectile/kernels"
)

// A search holds one tile of similarities at a time: tileQueries rows of the
// one side by tileBank rows of the other, 2 MiB.
const (
	tileQueries = 512
	tileBank    = 1024
)

// similarity is the one matrix product under kNN and k-means; it keeps the
// product's workspace from tile to tile.
type similarity struct{ work []float32 }

// product sets dst[i·n + j] = queries_i · bank_j, n the bank's rows, on the
// default CPU backend. Its bits follow from the shapes alone, not from threads
// or instruction sets.
func (s *similarity) product(dst []float32, queries, bank Features) error {
	cpu, err := kernels.Default()
	if err != nil {
		return err
	}
	m, n, d := queries.N(), bank.N(), bank.D
	a := kernels.GemmArgs{M: m, N: n, K: d, TransB: true,
		A: kernels.Mat{Mem: kernels.F32Mem(queries.X), Ld: d},
		B: kernels.Mat{Mem: kernels.F32Mem(bank.X), Ld: d},
		C: kernels.Mat{Mem: kernels.F32Mem(dst[:m*n]), Ld: n}}
	if need := (cpu.Workspace(&a) + 3) / 4; need > len(s.work) {
		s.work = make([]float32, need)
	}
	a.Work = kernels.F32Mem(s.work)
	cpu.Gemm(&a)
	return nil
}

// split cuts [0, n) into one range for each thread and calls f with all of
// them at once. Its callers compute each element in one way whatever range it
// lies in.
func split(n int, f func(lo, hi int)) {
	parts := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for p := 1; p < parts; p++ {
		wg.Go(func() { f(n*p/parts, n*(p+1)/parts) })
	}
	if parts > 0 {
		f(0, n/parts)
	}
	wg.Wait()
}
