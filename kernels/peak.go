package kernels

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sectile-ml/sectile/asm"
)

// peakLoop is one instruction set's measuring loop: a round is 12 instructions
// of flop flop each.
type peakLoop struct {
	needs asm.ISA
	flop  int
	run   func(n int)
}

func peakLoopOf(isa asm.ISA) peakLoop {
	switch {
	case isa&asm.AVX512BF16 != 0:
		return peakLoop{asm.AVX512BF16, 64, asm.PeakAVX512BF16}
	case isa&asm.AVX512 != 0:
		return peakLoop{asm.AVX512, 32, asm.PeakAVX512}
	}
	return peakLoop{asm.AVX2, 16, asm.PeakAVX2}
}

// Peak measures the multiply-add peak of threads threads together, now, in
// GFLOP/s: AVX2 and AVX512 count float32 multiply-adds, AVX512BF16 BFloat16
// dot products. It takes about the given time, plus a tenth to warm up, and
// returns 0 where the CPU or the build lacks the instructions.
func Peak(threads int, isa asm.ISA, d time.Duration) float64 {
	l := peakLoopOf(isa)
	if !asm.Has(l.needs) || threads < 1 {
		return 0
	}
	const rounds = 2000 // a call of at most 15 µs
	var (
		done, warm sync.WaitGroup
		calls      atomic.Int64
		start      = make(chan time.Time)
		took       = make([]time.Duration, threads)
	)
	for i := range threads {
		warm.Add(1)
		done.Add(1)
		go func() {
			defer done.Done()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for t := time.Now(); time.Since(t) < d/10; {
				l.run(rounds)
			}
			warm.Done()
			t0 := <-start
			n := int64(0)
			for ; time.Since(t0) < d; n++ {
				l.run(rounds)
			}
			took[i] = time.Since(t0)
			calls.Add(n)
		}()
	}
	warm.Wait()
	t0 := time.Now()
	for range threads {
		start <- t0
	}
	done.Wait()
	longest := took[0]
	for _, t := range took {
		longest = max(longest, t)
	}
	return float64(calls.Load()) * rounds * 12 * float64(l.flop) / float64(longest.Nanoseconds())
}
