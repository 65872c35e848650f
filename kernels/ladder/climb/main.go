// Climb prints what each rung of the ladder is worth on this machine, as a
// Markdown table:
//
//	GOEXPERIMENT=simd go run ./kernels/ladder/climb
//
// Figures are medians over rounds. The peak is the multiply-add rate of the
// widest instruction set on as many threads as the product uses, the best of
// measurements before every product. Without GOEXPERIMENT=simd one rung is skipped.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/kernels/ladder"
)

func main() {
	n := flag.Int("n", 1024, "size of the square matrices")
	rounds := flag.Int("rounds", 9, "measurements of each rung")
	flag.Parse()
	if err := climb(*n, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "climb:", err)
		os.Exit(1)
	}
}

func climb(n, rounds int) error {
	if n < 1 || rounds < 1 {
		return fmt.Errorf("-n %d -rounds %d: both must be at least 1", n, rounds)
	}
	best, err := engine(n)
	if err != nil {
		return err
	}
	rungs := append(ladder.Rungs(), best)
	rates, peaks := make([][]float64, len(rungs)), map[bool]float64{}
	a, b, c := random(n*n), random(n*n), random(n*n)
	for range rounds {
		for i, r := range rungs {
			if r.Skip != "" {
				continue
			}
			peaks[r.Threaded] = max(peaks[r.Threaded], kernels.Peak(threads(r), asm.Have()&(asm.AVX2|asm.AVX512), 20*time.Millisecond))
			rates[i] = append(rates[i], measure(r, n, a, b, c))
		}
	}
	fmt.Printf("%s, %s, %s, %d threads; %d x %d x %d, medians of %d rounds; `%s`\n\n", time.Now().Format(time.DateOnly),
		asm.CPUName(), runtime.Version(), runtime.GOMAXPROCS(0), n, n, n, rounds, command(n, rounds))
	fmt.Println("| rung | idea | GFLOP/s | % of peak | times the rung below |")
	fmt.Println("|---|---|---:|---:|---:|")
	below := 0.0
	for i, r := range rungs {
		if r.Skip != "" {
			fmt.Printf("| %s | %s | %s | | |\n", r.Name, r.Idea, r.Skip)
			continue
		}
		rate, gain := median(rates[i]), ""
		if below > 0 {
			gain = fmt.Sprintf("%.2f", rate/below)
		}
		below = rate
		fmt.Printf("| %s | %s | %.1f | %.1f | %s |\n", r.Name, r.Idea, rate, 100*rate/peaks[r.Threaded], gain)
	}
	return nil
}

func command(n, rounds int) string {
	c := fmt.Sprintf("go run ./kernels/ladder/climb -n %d -rounds %d", n, rounds)
	if strings.Contains(runtime.Version(), "simd") {
		c = "GOEXPERIMENT=simd " + c
	}
	return c
}

// engine is the product of package kernels as the rung above the last.
func engine(n int) (ladder.Rung, error) {
	cpu, err := kernels.Default()
	if err != nil {
		return ladder.Rung{}, err
	}
	var mem [3]kernels.Mem
	for i := range mem {
		if mem[i], err = cpu.Alloc(kernels.Float32, n*n); err != nil {
			return ladder.Rung{}, err
		}
	}
	args := &kernels.GemmArgs{M: n, N: n, K: n, A: kernels.Mat{Mem: mem[0], Ld: n}, B: kernels.Mat{Mem: mem[1], Ld: n}, C: kernels.Mat{Mem: mem[2], Ld: n}}
	if args.Work, err = cpu.Alloc(kernels.Float32, (cpu.Workspace(args)+3)/4); err != nil {
		return ladder.Rung{}, err
	}
	copy(mem[0].F32(), random(n*n))
	copy(mem[1].F32(), random(n*n))
	return ladder.Rung{Name: "kernels.Gemm", Idea: "chunks, units and a team", Threaded: true,
		Product: func(_, _, _ int, _, _, _ []float32) { cpu.Gemm(args) }}, nil
}

func threads(r ladder.Rung) int {
	if r.Threaded {
		return runtime.GOMAXPROCS(0)
	}
	return 1
}

// measure is a rung's GFLOP/s over at least 20 ms. A first call that is shorter
// warms the caches and does not count.
func measure(r ladder.Rung, n int, a, b, c []float32) float64 {
	const least = 20 * time.Millisecond
	call := func() time.Duration {
		start := time.Now()
		r.Product(n, n, n, a, b, c)
		return time.Since(start)
	}
	calls, sum := 1, call()
	if sum < least {
		for calls, sum = 0, 0; sum < least; calls++ {
			sum += call()
		}
	}
	return 2 * float64(n) * float64(n) * float64(n) * float64(calls) / float64(sum.Nanoseconds())
}

func random(n int) []float32 {
	r, s := rand.New(rand.NewPCG(1, 2)), make([]float32, n)
	for i := range s {
		s[i] = 2*r.Float32() - 1
	}
	return s
}

func median(s []float64) float64 {
	slices.Sort(s)
	return s[len(s)/2]
}
