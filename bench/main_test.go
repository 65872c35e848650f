package bench

import (
	"cmp"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/kernels"
)

var all = flag.Bool("all", false, "run every shape and layer, not the representative ones")

// TestMain makes 0.1 s the time of a benchmark, so that all take under 5
// minutes; -benchtime goes before it.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.benchtime" })
	if !chosen {
		flag.Set("test.benchtime", "100ms")
	}
	os.Exit(m.Run())
}

// reportRates times f, which does flop floating-point operations a call, in
// groups of about a millisecond, and the peak in between.
func reportRates(b *testing.B, threads int, flop float64, f func()) {
	f() // warms the caches
	group := max(1, int(2e8/flop))
	var rates []float64
	var peak float64
	var measured time.Time
	b.ReportAllocs()
	for b.Loop() {
		if time.Since(measured) > 30*time.Millisecond {
			b.StopTimer()
			peak = max(peak, kernels.Peak(threads, asm.Have()&(asm.AVX512|asm.AVX2), 20*time.Millisecond))
			f()
			measured = time.Now()
			b.StartTimer()
		}
		start := time.Now()
		for range group {
			f()
		}
		rates = append(rates, flop*float64(group)/float64(time.Since(start).Nanoseconds()))
	}
	b.ReportMetric(median(rates), "GFLOP/s")
	b.ReportMetric(100*median(rates)/peak, "%peak")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*group), "ns/op")
}

func median[T cmp.Ordered](s []T) T {
	s = slices.Sorted(slices.Values(s))
	return s[len(s)/2]
}
