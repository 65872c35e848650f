package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// apply takes threads and memory as the flags say.
func (m machineFlags) apply() error {
	if cpus := runtime.NumCPU(); m.threads < 0 || m.threads > cpus {
		return fmt.Errorf("--threads %d: this process may use %d CPUs; give 1 to %d, or 0 for all", m.threads, cpus, cpus)
	}
	if m.threads > 0 {
		runtime.GOMAXPROCS(m.threads)
	}
	if m.memory != "" {
		n, err := parseBytes(m.memory)
		if err != nil {
			return fmt.Errorf("--memory: %w", err)
		}
		tensor.SetMemoryLimit(n)
	}
	return nil
}

// backend is the CPU with the rows that SECTILE_KERNELS allows.
func backend() (*kernels.CPU, error) { return kernels.Default() }

// threads is the size of the default team.
func threads() int { return min(runtime.GOMAXPROCS(0), runtime.NumCPU()) }

// memoryLimit is the bound on the memory of tensors.
func memoryLimit() int64 {
	n := tensor.SetMemoryLimit(0)
	tensor.SetMemoryLimit(n)
	return n
}

// floatISA is the widest instruction set for float32 here.
func floatISA() asm.ISA {
	if asm.Has(asm.AVX512) {
		return asm.AVX512
	}
	return asm.AVX2
}

// traceLimits measures what SECTILE_TRACE compares ops with, if there is a
// trace: multiply-add peak and memory bandwidth on all threads.
func traceLimits() error {
	path := os.Getenv("SECTILE_TRACE")
	if path == "" {
		return nil
	}
	t := autograd.Tracing()
	if t == nil {
		return fmt.Errorf("SECTILE_TRACE=%s cannot be written: name a file in a folder that exists", path)
	}
	t.SetLimits(kernels.Peak(threads(), floatISA(), 50*time.Millisecond), bandwidth(threads()))
	return nil
}

// bandwidth is the best of three copies of 64 MiB a thread, in GB/s read and
// written.
func bandwidth(threads int) float64 {
	const n = 64 << 20
	src, dst := make([][]byte, threads), make([][]byte, threads)
	for i := range src {
		src[i], dst[i] = make([]byte, n), make([]byte, n)
		copy(dst[i], src[i]) // map the pages
	}
	best := slices.Max([]float64{onecopy(src, dst), onecopy(src, dst), onecopy(src, dst)})
	return best * 2 * n * float64(threads) / 1e9
}

// onecopy is how often a second all of src could be copied to dst, one
// goroutine each.
func onecopy(src, dst [][]byte) float64 {
	var all sync.WaitGroup
	start := time.Now()
	for i := range src {
		all.Go(func() { copy(dst[i], src[i]) })
	}
	all.Wait()
	return 1 / time.Since(start).Seconds()
}
