package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/kernels"
)

// info prints what this machine is, which kernels run on it and why, and its
// multiply-add peak, measured now.
func info(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(newFlags("info"), args, 0, "no arguments", "", out); err != nil {
		return err
	}
	b, err := backend()
	if err != nil {
		return err
	}
	l1, l2, l3 := asm.Caches()
	fmt.Fprintf(out, "CPU      %s, %d threads of %d CPUs, instructions: %v\n", asm.CPUName(), threads(), runtime.NumCPU(), asm.Have())
	fmt.Fprintf(out, "caches   L1 %d KiB, L2 %d KiB, L3 %d KiB\n", l1>>10, l2>>10, l3>>10)
	fmt.Fprintf(out, "memory   limit %s\n", bytesText(memoryLimit()))
	fmt.Fprintf(out, "backend  %s\n", b.Name())
	for _, p := range []struct {
		name string
		isa  asm.ISA
	}{{"AVX-512", asm.AVX512}, {"AVX2", asm.AVX2}, {"BF16", asm.AVX512BF16}} {
		var one, all float64
		for range 3 { // the best of three: other programs only take away
			one = max(one, kernels.Peak(1, p.isa, 50*time.Millisecond))
			all = max(all, kernels.Peak(threads(), p.isa, 50*time.Millisecond))
		}
		if one > 0 {
			fmt.Fprintf(out, "peak     %-8s %6.0f GFLOP/s on 1 thread, %6.0f on %d\n", p.name, one, all, threads())
		}
	}
	listDevices(out)
	fmt.Fprintf(out, "\nkernels (SECTILE_KERNELS pins: go, avx2, avx512 or a name)\n%s", b.Explain())
	return nil
}
