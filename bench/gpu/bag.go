package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/kernels"
)

// bag makes operands on a device, the same ones every time, and frees them.
type bag struct {
	d    *cuda.Device
	seed uint64
	mems []kernels.Mem
}

// run is one request ready to be called: as often as one likes, but only the
// first call's outputs are what testdata/golden.json has.
type run struct {
	call        func()
	outs        []output
	flop, bytes float64
	units       float64 // what counters of the emulator scale with: elements, or multiply-adds
}

// output is memory that a call writes. scale is the size of the sums that
// flowed into an element: rounding is bounded by a multiple of it.
type output struct {
	name  string
	mem   kernels.Mem
	scale float64
}

func (b *bag) alloc(t kernels.DType, n int) kernels.Mem {
	m, err := b.d.Alloc(t, n)
	if err != nil {
		panic(err)
	}
	b.mems = append(b.mems, m)
	return m
}

// drawn is how many values are drawn; longer operands repeat them.
const drawn = 1 << 18

// between is memory with values in [lo, hi).
func (b *bag) between(n int, lo, hi float32) kernels.Mem {
	b.seed++
	r := rand.New(rand.NewPCG(b.seed, 7))
	v := make([]float32, min(n, drawn))
	for i := range v {
		v[i] = lo + (hi-lo)*r.Float32()
	}
	m := b.alloc(kernels.Float32, n)
	b.d.Upload(m.At(0, len(v)), v)
	for done := len(v); done < n; {
		k := min(done, n-done)
		b.d.Copy(m.At(done, k), m.At(0, k))
		done += k
	}
	return m
}

func (b *bag) in(n int) kernels.Mem { return b.between(n, -1, 1) }

// ints is Int32 memory with f(i) at i.
func (b *bag) ints(n int, f func(i int) int) kernels.Mem {
	v := make([]int32, n)
	for i := range v {
		v[i] = int32(f(i))
	}
	m := b.alloc(kernels.Int32, n)
	b.d.UploadInts(m, v)
	return m
}

// work is the workspace of arguments a.
func (b *bag) work(a any) kernels.Mem { return b.alloc(kernels.Float32, (b.d.Workspace(a)+3)/4) }

func (b *bag) free() {
	for _, m := range b.mems {
		b.d.Free(m)
	}
	b.mems = nil
}

// prepare makes a request's operands.
func (b *bag) prepare(words []string) (*run, error) {
	w := &line{words: words[1:]}
	var r *run
	switch words[0] {
	case "gemm":
		r = b.gemm(w)
	case "conv":
		r = b.conv(w)
	case "pass":
		r = b.pass(w)
	default:
		return nil, fmt.Errorf("request %q: gemm, conv or pass", words[0])
	}
	return r, w.err
}
