package kernelstest

import (
	"fmt"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/kernels"
)

func elementwiseCases(tier Tier, r *rand.Rand) []testCase {
	var cases []testCase
	lengths := []int{1, 7, 16, 33, 100}
	if tier >= Tier2 {
		lengths = append(lengths, 4097, 70001)
	}
	for op := kernels.MapCopy; op <= kernels.MapExpGrad; op++ {
		for _, n := range lengths {
			for _, acc := range []bool{false, true} {
				cases = append(cases, testCase{fmt.Sprintf("map %d n=%d accumulate=%v", op, n, acc), func(h *harness) {
					a := kernels.MapArgs{Op: op, N: n, Dst: h.in(n), A: h.between(n, 0.25, 2), B: h.between(n, 0.5, 2), S: 1.5, T: -0.75, Accumulate: acc}
					if op == kernels.MapReLU || op == kernels.MapReLUGrad {
						a.A, a.B = h.in(n), h.in(n)
					}
					h.b.Map(&a)
					h.out("dst", a.Dst, 16)
				}})
			}
		}
	}
	for _, op := range []kernels.MapOp{kernels.MapAdd, kernels.MapSub, kernels.MapMul, kernels.MapDiv, kernels.MapAXPY, kernels.MapAXPBY} {
		for i, s := range [][2][4]int{{{1, 1, 0, 0}, {0, 0, 0, 1}}, {{0, 0, 1, 0}, {60, 20, 5, 1}}, {{60, 20, 5, 1}, {60, 20, 5, 1}}, {{0, 0, 0, 0}, {0, 0, 0, 1}}} {
			for _, acc := range []bool{false, true} {
				cases = append(cases, testCase{fmt.Sprintf("broadcast %d strides %d accumulate=%v", op, i, acc), func(h *harness) {
					d := [4]int{2, 3, 4, 5}
					a := kernels.BroadcastArgs{Op: op, Dims: d, SA: s[0], SB: s[1], Dst: h.in(120), A: h.between(120, 0.5, 2), B: h.between(120, 0.5, 2), S: 0.5, T: 2, Accumulate: acc}
					h.b.Broadcast(&a)
					h.out("dst", a.Dst, 16)
				}})
			}
		}
	}
	cases = append(cases, testCase{"copy rows", func(h *harness) {
		a := kernels.CopyRowsArgs{Rows: 4, C: 5, Dst: kernels.Mat{Mem: h.in(6 * 7), Ld: 7}, Src: kernels.Mat{Mem: h.in(8 * 5), Ld: 5}, DstIndex: h.ints(5, 0, 2, 1), SrcIndex: h.ints(7, 7, 0, 3)}
		h.b.CopyRows(&a)
		a.Accumulate = true
		h.b.CopyRows(&a)
		h.out("dst", a.Dst.Mem, 4)
		i := kernels.CopyRowsArgs{Rows: 3, C: 2, Dst: kernels.Mat{Mem: h.ints(0, 0, 0, 0, 0, 0), Ld: 2}, Src: kernels.Mat{Mem: h.ints(1, 2, 3, 4, 5, 6), Ld: 2}, SrcIndex: h.ints(2, 0, 1)}
		h.b.CopyRows(&i)
		h.out("ints", i.Dst.Mem, 0)
	}})
	return cases
}

func reduceCases(tier Tier, r *rand.Rand) []testCase {
	var cases []testCase
	add := func(outer, axis, inner int) {
		for op := kernels.ReduceSum; op <= kernels.ReduceArgMax; op++ {
			for _, acc := range []bool{false, true} {
				if acc && op > kernels.ReduceMean {
					continue
				}
				cases = append(cases, testCase{fmt.Sprintf("op %d %dx%dx%d accumulate=%v", op, outer, axis, inner, acc), func(h *harness) {
					a := kernels.ReduceArgs{Op: op, Outer: outer, Axis: axis, Inner: inner, X: h.in(outer * axis * inner), Y: h.in(outer * inner), Accumulate: acc}
					if op == kernels.ReduceArgMax {
						a.Y = h.ints(make([]int32, outer*inner)...)
					}
					h.b.Reduce(&a)
					h.out("y", a.Y, 4*depth(axis))
				}})
			}
		}
	}
	for _, n := range []int{1, 2, 15, 16, 17, 100, 500} {
		add(1, n, 1)
		add(3, n, 1)
		add(2, n, 5)
		add(1, n, 33)
	}
	if tier >= Tier2 {
		for range 30 {
			add(1+r.IntN(5), 1+r.IntN(400), 1+r.IntN(60))
		}
	}
	if tier >= Tier3 {
		add(1, 100000, 64)
		add(4, 100000, 1)
	}
	return cases
}
