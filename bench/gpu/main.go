package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/emu"
	"github.com/sectile-ml/sectile/kernels"
)

// program is one call of a subcommand.
type program struct {
	out    sink
	device string
	tiny   bool
	modes  []string
	emu    *emu.Driver // the last one opened, for its counters
}

const parts = "smoke, predict, copy, gemm, conv, passes, train, ssl, profile, requests, table or golden"

func main() {
	if err := command(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gpu:", err)
		os.Exit(1)
	}
}

// command runs one subcommand. The error of a part whose records hold failures
// says so.
func command(args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return errors.New("give a part: " + parts)
	}
	f := flag.NewFlagSet("gpu "+args[0], flag.ContinueOnError)
	device := f.String("device", "cuda:0", "`device`: cuda:N or emu")
	tiny := f.Bool("tiny", false, "sizes for the emulator, one call each")
	mode := f.String("mode", "tf32,fp32", "`modes` of products, in this order")
	out := f.String("out", "", "`file` to append records to; standard output without")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	p := &program{device: *device, tiny: *tiny, modes: strings.Split(*mode, ","), out: sink{w: stdout, device: *device}}
	for _, m := range p.modes {
		if m != "fp32" && m != "tf32" {
			return fmt.Errorf("-mode %s: fp32 or tf32", m)
		}
	}
	if *out != "" {
		file, err := os.OpenFile(*out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
		if err != nil {
			return err
		}
		defer file.Close()
		p.out.w = file
	}
	if err := p.part(args[0], f.Args(), stdout); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if p.out.failed {
		return fmt.Errorf("%s: some requests failed; their records say why", args[0])
	}
	return nil
}

func (p *program) part(name string, args []string, stdout io.Writer) error {
	switch name {
	case "smoke":
		return p.smoke()
	case "predict":
		return p.predict()
	case "golden":
		return p.golden("testdata/golden.json")
	case "copy":
		return p.copies()
	case "gemm", "conv", "passes":
		return p.ops(name)
	case "train", "ssl":
		return p.steps(name)
	case "profile":
		return p.profile()
	case "requests":
		for _, part := range args {
			for _, r := range requests(part, p.tiny) {
				fmt.Fprintln(stdout, r)
			}
		}
		return nil
	case "table":
		return table(stdout, args)
	}
	return errors.New("no such part; give " + parts)
}

// open opens the device: a fresh emulator, or the GPU of a number.
func (p *program) open(o cuda.Options) (*cuda.Device, error) {
	o.Warn = func(s string) { fmt.Fprintln(os.Stderr, s) }
	if p.device == "emu" {
		p.emu = emu.New(1)
		return cuda.Open(p.emu, 0, o)
	}
	var n int
	if _, err := fmt.Sscanf(p.device, "cuda:%d", &n); err != nil {
		return nil, fmt.Errorf("-device %s: cuda:N or emu", p.device)
	}
	api, err := driver.Open()
	if err != nil {
		return nil, err
	}
	return cuda.Open(api, n, o)
}

// smoke is the first thing to know: that the device opens, that the driver
// compiles every kernel without spills, that values come back, that a graph
// runs.
func (p *program) smoke() error {
	rec := record{Request: "smoke", Facts: map[string]float64{}}
	err := guard(func() error { return p.smokeInto(&rec) })
	if err != nil {
		rec.Err = err.Error()
	}
	return p.out.put(rec)
}

func copyArgs(dst, src kernels.Mem) *kernels.MapArgs {
	return &kernels.MapArgs{Op: kernels.MapCopy, N: dst.Len, Dst: dst, A: src}
}

func fillArgs(dst kernels.Mem) *kernels.MapArgs {
	return &kernels.MapArgs{Op: kernels.MapFill, N: dst.Len, Dst: dst, S: 1}
}

// readArgs sums rows of 1024.
func readArgs(dst, src kernels.Mem) *kernels.ReduceArgs {
	return &kernels.ReduceArgs{Outer: src.Len / 1024, Axis: 1024, Inner: 1, X: src, Y: dst.At(0, src.Len/1024)}
}
