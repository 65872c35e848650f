package kernels

import "testing"

// normBackend is the part of Backend that these tests use.
type normBackend interface {
	Alloc(t DType, n int) (Mem, error)
	Free(m Mem)
	Upload(dst Mem, src []float32)
	Download(dst []float32, src Mem) error
	ChannelStats(a *ChannelStatsArgs)
	BNMoments(a *BNMomentsArgs)
	BNFinalize(a *BNFinalizeArgs)
	BNApply(a *BNApplyArgs)
	BNReduce(a *BNReduceArgs)
	BNGradFinalize(a *BNGradFinalizeArgs)
	BNBackward(a *BNBackwardArgs)
	Pool(a *PoolArgs)
	PoolGrad(a *PoolArgs)
}

// fromNCHW turns [N,C,H,W] into [N,H,W,C].
func fromNCHW[E any](x []E, shape []int) []E {
	n, c, hw := shape[0], shape[1], 1
	for _, d := range shape[2:] {
		hw *= d
	}
	y := make([]E, len(x))
	for i := range n {
		for k := range c {
			for p := range hw {
				y[(i*hw+p)*c+k] = x[(i*c+k)*hw+p]
			}
		}
	}
	return y
}

// normPut is host values as float memory of b.
func normPut(t testing.TB, b normBackend, v []float32) Mem {
	m := normMem(t, b, Float32, len(v))
	b.Upload(m, v)
	return m
}

func normMem(t testing.TB, b normBackend, d DType, n int) Mem {
	m, err := b.Alloc(d, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Free(m) })
	return m
}

func normGet(t testing.TB, b normBackend, m Mem) []float32 {
	v := make([]float32, m.Len)
	if err := b.Download(v, m); err != nil {
		t.Fatal(err)
	}
	return v
}

// normBackends is Ref64 and a CPU for each usable row of the family op. A row
// that SECTILE_REQUIRE_ISA promises must be usable.
func normBackends(t testing.TB, op string, threads int) map[string]normBackend {
	b := map[string]normBackend{"ref64": Ref64{}}
	for _, k := range tables[op] {
		if !k.Usable() {
			if k.Needs&^requireISA() == 0 {
				t.Errorf("%v: not usable, but SECTILE_REQUIRE_ISA promises it", k)
			}
			t.Logf("%v: not on this CPU or build", k)
			continue
		}
		team := NewTeam(threads)
		t.Cleanup(team.Close)
		b[k.Name] = NewCPU(team, Pins{rows: map[string]string{op: k.Name}})
	}
	return b
}
