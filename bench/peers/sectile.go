package main

import "github.com/sectile-ml/sectile/kernels"

// sectile is ours: memory from the backend, threads from GOMAXPROCS, awake
// between the first call and the last as in a training step.
func sectile(o *operands) (func(), error) {
	cpu, err := kernels.Default()
	if err != nil {
		return nil, err
	}
	alloc := func(n int) (m kernels.Mem) {
		if err == nil {
			m, err = cpu.Alloc(kernels.Float32, n)
		}
		return m
	}
	args := &kernels.GemmArgs{M: o.m, N: o.n, K: o.k, TransA: o.ta, TransB: o.tb,
		A: kernels.Mat{Mem: alloc(o.m * o.k), Ld: o.k}, B: kernels.Mat{Mem: alloc(o.k * o.n), Ld: o.n}, C: kernels.Mat{Mem: alloc(o.m * o.n), Ld: o.n}}
	if o.ta {
		args.A.Ld = o.m
	}
	if o.tb {
		args.B.Ld = o.k
	}
	args.Work = alloc((cpu.Workspace(args) + 3) / 4)
	if err != nil {
		return nil, err
	}
	o.enter = cpu.Enter
	o.leave = func() {
		cpu.Leave()
		for _, m := range []kernels.Mem{args.A.Mem, args.B.Mem, args.C.Mem, args.Work} {
			cpu.Free(m)
		}
	}
	copy(args.A.Mem.F32(), o.a)
	copy(args.B.Mem.F32(), o.b)
	return func() { cpu.Gemm(args) }, nil
}
