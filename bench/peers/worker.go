package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// operands are one product's arguments; a and b are stored transposed where
// ta or tb says so. A library that has something to do before the first call
// and after the last one sets enter and leave.
type operands struct {
	shape
	a, b, c      []float32
	enter, leave func()
}

// library prepares a product and returns what is timed, nil where it cannot.
type library func(o *operands) (func(), error)

func libraryOf(name string, args []string) (library, error) {
	switch name {
	case "sectile":
		return sectile, nil
	case "blas":
		if len(args) != 2 {
			return nil, fmt.Errorf("worker blas wants LIBRARY SYMBOL")
		}
		return openBLAS(args[0], args[1])
	case "gonum":
		return gonum, nil
	case "gomlx":
		return gomlx, nil
	case "vek":
		return vek, nil
	}
	return nil, fmt.Errorf("no worker %q", name)
}

func serve(in io.Reader, out io.Writer, name string, args []string) error {
	lib, err := libraryOf(name, args)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := answer(out, lib, lines.Text()); err != nil {
			fmt.Fprintln(out, "err", err)
		}
	}
	return lines.Err()
}

func answer(out io.Writer, lib library, request string) error {
	var o operands
	var ta, tb, inner, reps int
	if n, err := fmt.Sscanf(request, "gemm %d %d %d %d %d %d %d", &o.m, &o.n, &o.k, &ta, &tb, &inner, &reps); n != 7 {
		return fmt.Errorf("%q: %w", request, err)
	}
	o.ta, o.tb = ta == 1, tb == 1
	o.a, o.b, o.c = noise(0, o.m*o.k), noise(1, o.k*o.n), make([]float32, o.m*o.n)
	f, err := lib(&o)
	if err != nil {
		return err
	}
	if f == nil {
		return fmt.Errorf("not served")
	}
	if o.enter != nil {
		o.enter()
		defer o.leave()
	}
	f()
	for range reps {
		start := time.Now()
		for range inner {
			f()
		}
		fmt.Fprintf(out, "%.9f ", time.Since(start).Seconds()/float64(inner))
	}
	fmt.Fprintln(out)
	return nil
}

// kept are the operands of the largest product so far: numbers cost more than
// the products that they are for.
var kept [2][]float32

func noise(operand, n int) []float32 {
	r, s := rand.New(rand.NewPCG(1, uint64(operand))), &kept[operand]
	for len(*s) < n {
		*s = append(*s, r.Float32()-0.5)
	}
	return (*s)[:n]
}
