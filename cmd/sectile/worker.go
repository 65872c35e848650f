package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// bench answers a benchmark driver: one request a line on standard input, one
// answer a line on standard output: the seconds of each repetition, after one
// warm-up that is not counted, or "err REASON".
func bench(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("bench")
	worker := f.Bool("worker", false, "read requests from standard input")
	if _, err := parse(f, args, 0, "no arguments", "--worker", out); err != nil {
		return err
	}
	if !*worker {
		return errors.New("bench wants --worker; for tables run `go test -bench=. ./bench`")
	}
	debug.SetGCPercent(400)
	return serve(os.Stdin, out)
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		w := strings.Fields(lines.Text())
		if len(w) == 0 {
			continue
		}
		var secs []float64
		var err error
		if panicked := tensor.Try(func() { secs, err = answer(w) }); panicked != nil {
			err = panicked
		}
		if err != nil {
			fmt.Fprintln(out, "err", oneLine(err))
			continue
		}
		s := make([]string, len(secs))
		for i, v := range secs {
			s[i] = strconv.FormatFloat(v, 'f', 9, 64)
		}
		fmt.Fprintln(out, strings.Join(s, " "))
	}
	return lines.Err()
}

// request is the rest of a line, read word by word; the first mistake sticks.
type request struct {
	words []string
	err   error
}

func (r *request) word() string {
	if len(r.words) == 0 {
		r.fail("too few words")
		return ""
	}
	w := r.words[0]
	r.words = r.words[1:]
	return w
}

func (r *request) int() int {
	w := r.word()
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 {
		r.fail(fmt.Sprintf("%q is no whole number", w))
	}
	return n
}

// count is a whole number from 1 on.
func (r *request) count() int {
	n := r.int()
	if n < 1 {
		r.fail("a size, stride or count of 0")
	}
	return n
}

// fits fails for tensors of more than 2^36 elements.
func (r *request) fits(dims ...int) {
	n := 1.0
	for _, d := range dims {
		n *= float64(d)
	}
	if n > 1<<36 {
		r.fail(fmt.Sprintf("%v is too large", dims))
	}
}

func (r *request) seconds() time.Duration {
	w := r.word()
	s, err := strconv.ParseFloat(w, 64)
	if err != nil || s <= 0 || s > 60 {
		r.fail(fmt.Sprintf("%q is no number of seconds up to 60", w))
	}
	return time.Duration(s * float64(time.Second))
}

func (r *request) fail(why string) {
	if r.err == nil {
		r.err = errors.New(why)
	}
}

// done reports the first mistake, or words left over (BFloat16 is not served).
func (r *request) done() error {
	if r.err == nil && len(r.words) > 0 {
		r.fail(fmt.Sprintf("%q is not served", strings.Join(r.words, " ")))
	}
	return r.err
}

func answer(w []string) ([]float64, error) {
	r := &request{words: w[1:]}
	switch w[0] {
	case "peak":
		return answerPeak(r)
	case "gemm":
		return answerGemm(r)
	case "conv":
		return answerConv(r)
	case "train":
		return answerTrain(r)
	case "ssl":
		return answerSSL(r)
	case "views":
		return answerViews(r)
	case "first":
		return answerFirst(r)
	case "rss":
		return answerRSS(r)
	}
	return nil, fmt.Errorf("unknown request %q", w[0])
}

// timed runs f once to warm up, then reps times inner calls.
func timed(inner, reps int, f func()) []float64 {
	f()
	out := make([]float64, reps)
	for i := range out {
		start := time.Now()
		for range inner {
			f()
		}
		out[i] = time.Since(start).Seconds() / float64(inner)
	}
	return out
}

func answerPeak(r *request) ([]float64, error) {
	n, isa, d := r.count(), r.int(), r.seconds()
	if err := r.done(); err != nil {
		return nil, err
	}
	which, ok := map[int]asm.ISA{2: asm.AVX2, 5: asm.AVX512, 16: asm.AVX512BF16}[isa]
	if !ok {
		return nil, fmt.Errorf("instruction set %d: 2, 5 or 16", isa)
	}
	p := kernels.Peak(n, which, d)
	if p == 0 && isa == 5 {
		p = kernels.Peak(n, asm.AVX2, d)
	}
	if p == 0 {
		return nil, fmt.Errorf("this CPU lacks instruction set %d", isa)
	}
	return []float64{p}, nil
}

// noise fills n values in [-0.5, 0.5).
func noise(b *kernels.CPU, n int) kernels.Mem {
	m, err := b.Alloc(kernels.Float32, n)
	if err != nil {
		panic(err)
	}
	x := uint32(1)
	for i, v := 0, m.F32(); i < n; i++ {
		x = x*1664525 + 1013904223
		v[i] = float32(x>>8)/(1<<24) - 0.5
	}
	return m
}

// workspace is the memory that an op with arguments a asks for.
func workspace(b *kernels.CPU, a any) kernels.Mem {
	m, err := b.Alloc(kernels.Float32, (b.Workspace(a)+3)/4)
	if err != nil {
		panic(err)
	}
	return m
}

func answerGemm(r *request) ([]float64, error) {
	m, n, k, ta, tb, inner, reps := r.count(), r.count(), r.count(), r.int(), r.int(), r.count(), r.count()
	r.fits(m, k)
	r.fits(k, n)
	r.fits(m, n)
	if err := r.done(); err != nil {
		return nil, err
	}
	b, err := backend()
	if err != nil {
		return nil, err
	}
	a := kernels.GemmArgs{M: m, N: n, K: k, TransA: ta == 1, TransB: tb == 1,
		A: kernels.Mat{Mem: noise(b, m*k), Ld: k}, B: kernels.Mat{Mem: noise(b, k*n), Ld: n}, C: kernels.Mat{Mem: noise(b, m*n), Ld: n}}
	if a.TransA {
		a.A.Ld = m
	}
	if a.TransB {
		a.B.Ld = k
	}
	a.Work = workspace(b, &a)
	defer free(b, a.A.Mem, a.B.Mem, a.C.Mem, a.Work)
	b.Enter()
	defer b.Leave()
	return timed(inner, reps, func() { b.Gemm(&a) }), nil
}

func answerConv(r *request) ([]float64, error) {
	pass := r.word()
	s := kernels.ConvShape{N: r.count(), H: r.count(), W: r.count(), C: r.count(), OC: r.count(), KH: r.count(), KW: r.count(), DilH: 1, DilW: 1, Groups: 1}
	s.StrideH, s.PadH = r.count(), r.int()
	s.StrideW, s.PadW = s.StrideH, s.PadH
	inner, reps := r.count(), r.count()
	r.fits(s.N, s.H+2*s.PadH, s.W+2*s.PadW, s.C)
	r.fits(s.N, s.H+2*s.PadH, s.W+2*s.PadW, s.OC)
	r.fits(s.OC, s.KH, s.KW, s.C)
	if s.KH > s.H+2*s.PadH || s.KW > s.W+2*s.PadW {
		r.fail("the kernel does not fit into the padded image")
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	b, err := backend()
	if err != nil {
		return nil, err
	}
	a := kernels.ConvArgs{ConvShape: s, X: noise(b, s.N*s.H*s.W*s.C), Wt: noise(b, s.OC*s.KH*s.KW*s.C), Y: noise(b, s.N*s.OH()*s.OW()*s.OC)}
	defer free(b, a.X, a.Wt, a.Y)
	run := b.Conv2D
	switch pass {
	case "fwd":
		a.Pass = kernels.PassForward
	case "dx":
		a.Pass, run = kernels.PassGradInput, b.Conv2DGradInput
	case "dw":
		a.Pass, run = kernels.PassGradWeight, b.Conv2DGradWeight
	default:
		return nil, fmt.Errorf("pass %q: fwd, dx or dw", pass)
	}
	a.Work = workspace(b, &a)
	defer free(b, a.Work)
	b.Enter()
	defer b.Leave()
	return timed(inner, reps, func() { run(&a) }), nil
}

func free(b *kernels.CPU, ms ...kernels.Mem) {
	for _, m := range ms {
		b.Free(m)
	}
}
