package kernels

import (
	"fmt"
	"testing"
)

// runSchedule runs a case by Winograd's algorithm with the plan that cut makes.
func (c convCase) runSchedule(cpu *CPU, d *convData, cut func(p *winogradPlan)) (out, part []float32) {
	a := c.args(d, func(v []float32) Mem { return F32Mem(append([]float32(nil), v...)) })
	j := new(winogradJob)
	j.plan(cpu, &c.ConvShape, c.pass, 0)
	cut(&j.winogradPlan)
	c.prepare(cpu, a, poisoned)
	a.Work = poisoned(max(j.preparedFloats(), j.sharedFloats()))
	j.open(cpu, a, c.pass)
	cut(&j.winogradPlan)
	j.run(cpu, a)
	if !a.Epi.Stats.Part.IsNil() {
		part = a.Epi.Stats.Part.F32()
	}
	return c.out(a).F32(), part
}

// TestWinogradSchedules: fused blocks, one round and several rounds, the last
// one short, give the same bits, whether U is prepared or made by the items.
func TestWinogradSchedules(t *testing.T) {
	cuts := map[string]func(p *winogradPlan){
		"one round": func(p *winogradPlan) { p.cutShared(winogradRound) },
		"rounds of 5 tiles": func(p *winogradPlan) {
			p.cutShared(5 * p.freqs * p.ldv)
			if p.all > 5 && p.blocks < 2 {
				t.Errorf("%d tiles in %d rounds", p.all, p.blocks)
			}
		},
	}
	shapes := []ConvShape{winogradShapes[1], winogradShapes[6], square(11, 4, 48, 112, 3, 1, 1), square(1, 9, 144, 32, 3, 1, 1)}
	if testing.Short() {
		shapes = shapes[:1]
	}
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 3)
		defer cpu.team.Close()
		for i, s := range shapes {
			surround(s, uint64(i), func(c convCase) {
				if c.pass == PassGradWeight {
					return
				}
				d := c.data()
				out, part := c.runSchedule(cpu, d, (*winogradPlan).cutFused)
				for name, cut := range cuts {
					o, p := c.runSchedule(cpu, d, cut)
					if i := differ(out, o); i >= 0 {
						t.Fatalf("%v: element %d is %g fused and %g in %s", c, i, out[i], o[i], name)
					}
					if i := differ(part, p); i >= 0 {
						t.Fatalf("%v: statistic %d is %g fused and %g in %s", c, i, part[i], p[i], name)
					}
				}
			})
		}
	})
}

// TestWinogradShares: the deep layers of ResNets take the shared schedule, ask
// for V alone and not for U, and do so with prepared weights as well.
func TestWinogradShares(t *testing.T) {
	cpu := NewCPU(NewTeam(1), Pins{})
	for _, c := range []struct {
		channels int
		shared   bool
	}{{64, false}, {256, false}, {512, true}} {
		s := square(32, 7, c.channels, c.channels, 3, 1, 1)
		var p winogradPlan
		p.plan(cpu, &s, PassForward, 0)
		if p.shared != c.shared {
			t.Errorf("%d channels: shared is %v", c.channels, p.shared)
		}
		for _, prepared := range []*Prepared{nil, {}} {
			t.Run(fmt.Sprintf("%d/%v", c.channels, prepared != nil), func(t *testing.T) {
				want := 4 * p.preparedFloats()
				switch {
				case c.shared:
					want = 4 * p.freqs * p.freqV
				case prepared != nil:
					want = 0
				}
				if n := cpu.Workspace(&ConvArgs{ConvShape: s, Prepared: prepared}); n != want {
					t.Errorf("workspace of %d bytes, want %d", n, want)
				}
			})
		}
	}
}
