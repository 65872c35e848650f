package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sectile-ml/sectile/asm"
)

// convCheck holds cases to the contract: one backend of the fused instruction
// sets and one of plain Go to the reference, and those that promise the same
// bits (other threads, another order of tiles, the other fused instruction set)
// to that one.
type convCheck struct {
	alike [2][]*CPU // fused, plain; the first of each is held to the reference
	worst float64   // largest error as a part of its bound
}

// shuffled is a team with the scratch of two threads whose tiles run one at a time in
// an order drawn anew for each op, over scratch that holds NaN.
func shuffled() *Team {
	t := NewTeam(1)
	r := rand.New(rand.NewPCG(1, 2))
	workers := []*Worker{{}, {ID: 1}}
	for _, w := range workers {
		s := w.Scratch(1 << 16)
		for i := range s {
			s[i] = float32(math.NaN())
		}
	}
	t.inOrder = func(n int, job Job) {
		for _, i := range r.Perm(n) {
			job.Tile(workers[r.IntN(len(workers))], i)
		}
	}
	return t
}

// newConvCheck takes every instruction set that this machine has.
func newConvCheck(t testing.TB) *convCheck {
	check := &convCheck{}
	for _, name := range []string{"avx512", "avx2", "go"} {
		isa, _ := asm.ParseISA(name)
		pins, err := ParsePins(name)
		if err != nil {
			if isa&^requireISA() == 0 {
				t.Fatalf("SECTILE_REQUIRE_ISA promises %s: %v", name, err)
			}
			continue
		}
		alike := &check.alike[0]
		if isa == 0 {
			alike = &check.alike[1]
		}
		teams := []*Team{NewTeam(1), shuffled()}
		if len(*alike) == 0 && isa != 0 {
			teams = append(teams, NewTeam(3))
		}
		for _, team := range teams {
			*alike = append(*alike, NewCPU(team, pins))
			t.Cleanup(team.Close)
		}
	}
	return check
}

// try runs a case on every backend.
func (check *convCheck) try(t testing.TB, c convCase) error {
	o := c.oracle()
	return check.each(t, c, o.data, func(cpu *CPU, out, part []float32) error {
		worst, err := o.judge(cpu, out, part)
		check.worst = max(check.worst, worst)
		return err
	})
}

// each hands the first run of each kind to judge, and holds the others and the
// same call as single passes to its bits.
func (check *convCheck) each(t testing.TB, c convCase, d *convData, judge func(cpu *CPU, out, part []float32) error) error {
	for _, alike := range check.alike {
		var out, part []float32
		for i, cpu := range alike {
			cpu.team.Enter() // helpers join small ops, too
			o, p := c.run(t, cpu, d)
			cpu.team.Leave()
			if i == 0 {
				if err := judge(cpu, o, p); err != nil {
					return err
				}
				out, part = o, p
			} else if err := agree(o, out, p, part); err != nil {
				return fmt.Errorf("%v: %w on %s (backend %d of it) and on %s", c, err, cpu.Name(), i, alike[0].Name())
			}
		}
		if len(alike) > 0 && alike[0].kernel.Needs != 0 {
			o, p := c.unfused(t, alike[0], d)
			if err := agree(o, out, p, part); err != nil {
				return fmt.Errorf("%v: %w as single passes and fused on %s", c, err, alike[0].Name())
			}
		}
	}
	return nil
}

// agree names the first element of two outputs, or of their statistics,
// whose bits differ.
func agree(a, b, partA, partB []float32) error {
	if k := differBeyondNaN(a, b); k >= 0 {
		return fmt.Errorf("element %d is %g and %g", k, a[k], b[k])
	}
	if k := differBeyondNaN(partA, partB); k >= 0 {
		return fmt.Errorf("statistic %d is %g and %g", k, partA[k], partB[k])
	}
	return nil
}

// differBeyondNaN is the first element whose bits differ, or -1; one NaN is
// like another.
func differBeyondNaN(a, b []float32) int {
	for i, x := range a {
		if y := b[i]; math.Float32bits(x) != math.Float32bits(y) && (x == x || y == y) {
			return i
		}
	}
	return -1
}

// checkAll runs cases 0..n-1 on as many goroutines as there are CPUs, each with a
// convCheck of its own, and reports the errors of the first few that fail. done is
// called after each case, by one goroutine at a time.
func checkAll(t *testing.T, n int, try func(check *convCheck, i int) error, done func(cases int)) {
	var next, failed atomic.Int64
	var mu sync.Mutex
	var cases int
	var worst float64
	var group sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		check := newConvCheck(t)
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() < 3; i = int(next.Add(1)) - 1 {
				if err := try(check, i); err != nil {
					failed.Add(1)
					t.Error(err)
				}
				mu.Lock()
				cases++
				worst = max(worst, check.worst)
				if done != nil {
					done(cases)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	t.Logf("%d cases; the largest error is %.2g of its bound", cases, worst)
}
