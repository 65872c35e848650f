package kernels

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for op := range mapOps {
		for _, n := range append(vecWidths(), 70_001) {
			a, b, d := vecRand(r, n), vecRand(r, n), vecRand(r, n)
			switch op {
			case MapDiv:
				for i := range b {
					b[i] += float32(math.Copysign(0.5, float64(b[i])))
				}
			case MapLog, MapSqrt:
				for i := range a {
					a[i] = float32(math.Abs(float64(a[i])))
				}
			}
			for _, acc := range []bool{false, true} {
				conform(t, fmt.Sprintf("map %d n=%d acc=%v", op, n, acc), func(s *stage) {
					// At most 4 roundings of magnitudes up to 8; exp and log 2 ulp.
					m := MapArgs{Op: op, N: n, S: 1.5, T: -0.75, Accumulate: acc, Dst: s.out(d, 16*eps, 4*eps)}
					m.A, m.B = s.in(a), s.in(b)
					s.b.Map(&m)
				})
			}
			conform(t, fmt.Sprintf("map %d n=%d in place", op, n), func(s *stage) {
				x := s.out(a, 16*eps, 4*eps)
				s.b.Map(&MapArgs{Op: op, N: n, S: 1.5, T: -0.75, Dst: x, A: x, B: s.in(b)})
			})
			conform(t, fmt.Sprintf("map %d n=%d into b", op, n), func(s *stage) {
				y := s.out(b, 16*eps, 4*eps)
				s.b.Map(&MapArgs{Op: op, N: n, S: 1.5, T: -0.75, Dst: y, A: s.in(a), B: y})
			})
		}
	}
}

func TestMapSpecials(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	v := []float32{0, float32(math.Copysign(0, -1)), 1, -1, inf, -inf, nan, 0x1p-149, -0x1p-149, 0x1p-140}
	var a, b []float32
	for _, x := range v {
		for _, y := range v {
			a, b = append(a, x), append(b, y)
		}
	}
	for op := range mapOps {
		conform(t, fmt.Sprintf("map %d", op), func(s *stage) {
			s.b.Map(&MapArgs{Op: op, N: len(a), S: 1, T: 1, Dst: s.out(nans(len(a)), 0x1p-149, 4*eps), A: s.in(a), B: s.in(b)})
		})
	}
}

func TestBroadcast(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	ops := []MapOp{MapAdd, MapSub, MapMul, MapDiv, MapAXPY, MapAXPBY, MapReLUGrad, MapExpGrad, MapCopy, MapFill}
	shapes := [][4]int{{1, 1, 1, 1}, {2, 3, 4, 5}, {1, 1, 7, 33}, {3, 1, 5, 16}, {1, 2, 1, 3000}, {4, 5, 6, 1}, {1, 1, 1, 20_000}, {2, 3, 9, 40}}
	for _, d := range shapes {
		total := d[0] * d[1] * d[2] * d[3]
		for mask := range 32 { // bit 0..3: axis broadcast in B; bit 4: the last axis in A
			dims := func(bits int) (st [4]int, n int) {
				n = 1
				for i := 3; i >= 0; i-- {
					if bits>>i&1 == 0 {
						st[i], n = n, n*d[i]
					}
				}
				return st, n
			}
			sa, na := dims(mask >> 4 << 3)
			sb, nb := dims(mask & 15)
			a, b, dst := vecRand(r, na), vecRand(r, nb), vecRand(r, total)
			for i := range b {
				b[i] += float32(math.Copysign(0.5, float64(b[i])))
			}
			op := ops[(mask+d[3])%len(ops)]
			for _, acc := range []bool{false, true} {
				conform(t, fmt.Sprintf("broadcast %d %v %v %v acc=%v", op, d, sa, sb, acc), func(s *stage) {
					s.b.Broadcast(&BroadcastArgs{Op: op, Dims: d, SA: sa, SB: sb, S: 1.5, T: -0.75, Accumulate: acc,
						Dst: s.out(dst, 16*eps, 4*eps), A: s.in(a), B: s.in(b)})
				})
			}
		}
	}
	conform(t, "transposed", func(s *stage) {
		s.b.Broadcast(&BroadcastArgs{Op: MapSub, Dims: [4]int{1, 2, 3, 4}, SA: [4]int{0, 12, 1, 3}, SB: [4]int{0, 12, 4, 1},
			Dst: s.out(nans(24), 4*eps, 0), A: s.in(vecRand(rand.New(rand.NewPCG(3, 1)), 24)), B: s.in(vecRand(rand.New(rand.NewPCG(3, 2)), 24))})
	})
}

func TestReduce(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	try := func(outer, axis, inner int, x []float32) {
		y := vecRand(r, outer*inner)
		for op := ReduceSum; op <= ReduceArgMax; op++ {
			for _, acc := range []bool{false, true} {
				if acc && op == ReduceArgMax {
					continue
				}
				conform(t, fmt.Sprintf("reduce %d [%d,%d,%d] acc=%v", op, outer, axis, inner, acc), func(s *stage) {
					a := ReduceArgs{Op: op, Outer: outer, Axis: axis, Inner: inner, X: s.in(x), Accumulate: acc}
					if op == ReduceArgMax {
						a.Y = s.outInts(outer * inner)
					} else {
						// StatsChunk rows in a chain, then the chunks.
						depth := float64(min(axis, StatsChunk) + axis/StatsChunk + 4)
						if inner == 1 {
							depth = float64(axis/Lanes + 8)
						}
						a.Y = s.out(y, depth*eps*2*float64(axis), 2*eps)
					}
					s.b.Reduce(&a)
				})
			}
		}
	}
	for _, c := range vecWidths() {
		try(1+c%17, c, 1, vecRand(r, (1+c%17)*c))
		try(1+c%3, 1+c%17, c, vecRand(r, (1+c%3)*(1+c%17)*c))
	}
	try(3, 49, 520, vecRand(r, 3*49*520))
	try(1, 1000, 64, vecRand(r, 64000))
	try(1, 30_001, 3, vecRand(r, 90_003))
	try(2, 400, 70, vecRand(r, 56_000))
	try(9, 8000, 1, vecRand(r, 72_000))

	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, x := range [][]float32{{nan, 1}, {1, nan}, {1, nan, 2, nan}, {-inf, -inf}, {3, 1, 3}, {inf, nan, inf}, {0, float32(math.Copysign(0, -1))}} {
		try(1, len(x), 1, x)
		try(1, len(x), 2, append(x, x...))
	}
	for at := range 67 { // a NaN and a maximum at every place of a row
		x := make([]float32, 67)
		x[at] = 1
		x[66] = 1
		try(1, 67, 1, x)
		x[at] = nan
		try(1, 67, 1, x)
	}
}

func TestCopyRows(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, c := range []int{1, 3, 16, 40, 1000} {
		rows := 17
		src, dst := vecRand(r, 20*(c+3)), vecRand(r, 30*(c+1))
		var si, di []int32
		for i := range rows {
			si = append(si, int32(r.IntN(20)))
			di = append(di, int32(i*7%29))
		}
		for mask := range 8 {
			conform(t, fmt.Sprintf("copyrows c=%d %b", c, mask), func(s *stage) {
				a := CopyRowsArgs{Rows: rows, C: c, Accumulate: mask&4 != 0}
				a.Src, a.Dst = Mat{s.in(src), c + 3}, Mat{s.out(dst, 2*eps, eps), c + 1}
				if mask&1 != 0 {
					a.SrcIndex = I32Mem(si)
				}
				if mask&2 != 0 {
					a.DstIndex = I32Mem(di)
				}
				s.b.CopyRows(&a)
			})
		}
	}
	conform(t, "int32 rows", func(s *stage) {
		a := CopyRowsArgs{Rows: 2, C: 2, Src: Mat{I32Mem([]int32{1, 2, 3, 4}), 2}, Dst: Mat{s.outInts(4), 2}, SrcIndex: I32Mem([]int32{1, 0})}
		s.b.CopyRows(&a)
	})
}

func TestCopyRowsChecksIndicesFirst(t *testing.T) {
	dst := make([]float32, 4)
	defer func() {
		var e *ArgError
		if err, _ := recover().(error); !errors.As(err, &e) || e.Op != "CopyRows" {
			t.Errorf("panic %v", err)
		} else if want := "Src index [1] is 2, Src has 2 rows"; e.Rule != want {
			t.Errorf("rule %q, want %q", e.Rule, want)
		}
		if dst[0] != 0 {
			t.Error("a row was written before the check")
		}
	}()
	b := NewCPU(NewTeam(1), Pins{})
	b.CopyRows(&CopyRowsArgs{Rows: 2, C: 2, Dst: Mat{F32Mem(dst), 2}, Src: Mat{F32Mem([]float32{1, 2, 3, 4}), 2}, SrcIndex: I32Mem([]int32{0, 2})})
}

func TestRowNormalize(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for _, c := range vecWidths() {
		rows := 1 + c%17
		x, dy, dx := vecRand(r, rows*c), vecRand(r, rows*c), vecRand(r, rows*c)
		clear(x[:c])
		for i := range x[c:] {
			x[c+i] += float32(math.Copysign(0.5, float64(x[c+i]))) // no row near 0
		}
		for _, acc := range []bool{false, true} {
			conform(t, fmt.Sprintf("rownormalize c=%d acc=%v", c, acc), func(s *stage) {
				rel := laneBound(c, 1)/float64(c) + 4*eps
				a := RowNormalizeArgs{Rows: rows, C: c, X: s.in(x), Norm: s.out(nans(rows), 0, rel), Y: s.out(nans(rows*c), 0, 2*rel), Accumulate: acc}
				s.b.RowNormalize(&a)
				// dy - y(y.dy) cancels: the bound is on its parts, |dy| <= 2, |y| <= 1, |y.dy| <= 2 sqrt(c).
				a.DY, a.DX = s.in(dy), s.out(dx, 8*rel*(2+2*math.Sqrt(float64(c))), 2*eps)
				s.b.RowNormalizeGrad(&a)
			})
		}
	}
	conform(t, "in place, NaN and Inf", func(s *stage) {
		x := s.out([]float32{3, 4, float32(math.NaN()), 1, float32(math.Inf(1)), 1}, 0, 4*eps)
		s.b.RowNormalize(&RowNormalizeArgs{Rows: 3, C: 2, X: x, Y: x})
	})
}

// TestRowOpsAllocateNothing runs every op of the room in steady state.
func TestRowOpsAllocateNothing(t *testing.T) {
	const rows, c = 64, 300
	f := func(n int) Mem { return F32Mem(make([]float32, n)) }
	x, y, q, v := f(rows*c), f(rows*c), f(rows*c), f(rows)
	one, cols := f(1), f(c)
	labels := I32Mem(make([]int32, rows))
	spans := []Span{{P: x, G: y, M: q, V: f(rows * c), Adapt: true}, {P: v}}
	norms := F64Mem(make([]float64, 4))
	work := f(64)
	xm, qm := Mat{x, c}, Mat{q, c}
	eachVec(t, func(t *testing.T, b *CPU) {
		for name, op := range map[string]func(){
			"RowNormalize":     func() { b.RowNormalize(&RowNormalizeArgs{Rows: rows, C: c, X: x, Y: y, Norm: v}) },
			"RowNormalizeGrad": func() { b.RowNormalizeGrad(&RowNormalizeArgs{Rows: rows, C: c, Y: x, Norm: v, DY: y, DX: q}) },
			"LogSoftmax":       func() { b.LogSoftmax(&LogSoftmaxArgs{Rows: rows, C: c, X: x, Y: y}) },
			"LogSoftmaxGrad":   func() { b.LogSoftmaxGrad(&LogSoftmaxArgs{Rows: rows, C: c, Y: x, DY: y, DX: q, Accumulate: true}) },
			"CrossEntropy": func() {
				b.CrossEntropy(&CrossEntropyArgs{Rows: rows, C: c, X: x, Labels: labels, Loss: one, LSE: v})
			},
			"CrossEntropyGrad": func() {
				b.CrossEntropyGrad(&CrossEntropyArgs{Rows: rows, C: c, X: x, Labels: labels, DLoss: one, LSE: v, DX: q})
			},
			"SoftCrossEntropy": func() {
				b.SoftCrossEntropy(&SoftCrossEntropyArgs{Rows: rows, C: c, X: xm, Q: qm, InvT: 10, Weight: 1, Loss: one, LSE: v})
			},
			"SoftCrossEntropyGrad": func() {
				b.SoftCrossEntropyGrad(&SoftCrossEntropyArgs{Rows: rows, C: c, X: xm, Q: qm, InvT: 10, Weight: 1, LSE: v, DLoss: one, DX: Mat{y, c}})
			},
			"LSE":           func() { b.LSE(&LSEArgs{Rows: rows, C: c, X: xm, Scale: 1, Out: v, V: cols}) },
			"LSE/col":       func() { b.LSE(&LSEArgs{Rows: rows, C: c, X: xm, Scale: 1, ByCol: true, Out: cols, U: v}) },
			"SinkhornCodes": func() { b.SinkhornCodes(&SinkhornCodesArgs{Rows: rows, C: c, X: xm, Scale: 1, Q: qm}) },
			"Map":           func() { b.Map(&MapArgs{Op: MapExp, N: rows * c, Dst: y, A: x, Accumulate: true}) },
			"Broadcast": func() {
				b.Broadcast(&BroadcastArgs{Op: MapAdd, Dims: [4]int{1, 1, rows, c}, SA: [4]int{0, 0, c, 1}, SB: [4]int{0, 0, 0, 1}, Dst: y, A: x, B: cols})
			},
			"Reduce/rows": func() { b.Reduce(&ReduceArgs{Outer: rows, Axis: c, Inner: 1, X: x, Y: v}) },
			"Reduce/cols": func() { b.Reduce(&ReduceArgs{Outer: 1, Axis: rows * c / 10, Inner: 10, X: x, Y: cols}) },
			"CopyRows":    func() { b.CopyRows(&CopyRowsArgs{Rows: rows, C: c, Dst: qm, Src: xm, SrcIndex: labels}) },
			"SquareNorms": func() { b.SquareNorms(&SquareNormsArgs{Spans: spans, Out: norms, Work: work}) },
			"Update/LARC": func() { b.Update(&UpdateArgs{Kind: UpdateLARC, Spans: spans, Norms: norms, LR: 1}) },
			"Update/LARS": func() { b.Update(&UpdateArgs{Kind: UpdateLARS, Spans: spans, Norms: norms, LR: 1}) },
			"Update/Adam": func() { b.Update(&UpdateArgs{Kind: UpdateAdam, Spans: spans, LR: 1}) },
			"EMA":         func() { b.EMA(&EMAArgs{Spans: spans, Momentum: 0.9}) },
		} {
			op()
			if n := testing.AllocsPerRun(20, op); n != 0 {
				t.Errorf("%s: %v allocations per call", name, n)
			}
		}
	})
}
