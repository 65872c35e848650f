package kernels

import (
	"fmt"
	"math"
	"testing"
)

// convError is how far a case's output may be from the float64 reference: a
// part of its own that an algorithm adds to each element, and a chain of
// roundings relative to the sum of the absolute products.
type convError struct {
	own   float64
	chain int
}

// errorOf is the bound of the algorithm that the contract gives to a case. An
// algorithm that rounds otherwise than a direct sum has its line here.
func (c convCase) errorOf(cpu *CPU) convError {
	from, depth := c.C, c.KH*c.KW*c.C/c.Groups
	switch c.pass {
	case PassGradInput:
		from, depth = c.OC, c.KH*c.KW*c.OC/c.Groups
	case PassGradWeight:
		depth = c.rowsY()
	}
	// An element is one chain of depth products, and a few roundings around
	// it, whose operands carry two roundings of a prologue each.
	e := convError{chain: min(depth, 768) + depth/200 + 12}
	x, y := c.sizes()
	switch {
	case c.pass == PassForward && cpu.fast(&c.ConvShape):
		e.own = winogradError(cpu.tile(c.OH(), c.OW()), from, x)
	case c.pass == PassGradInput && cpu.fast(&c.ConvShape):
		e.own = winogradError(cpu.tile(c.H, c.W), from, y)
	case c.pass == PassGradWeight && cpu.fastWeight(&c.ConvShape):
		tile := cpu.weightTile(&c.ConvShape)
		e.own = winogradWeightError(tile, c.N*ceilDiv(c.OH(), tile)*ceilDiv(c.OW(), tile), x*y)
	case !cpu.polyphased(&c.ConvShape, c.pass):
	case c.pass == PassForward:
		e.own = polyphaseError(from, x)
	case c.pass == PassGradInput:
		e.own = polyphaseError(from, y)
	default:
		e.own = polyphaseWeightError(c.N*ceilDiv(c.OH(), winogradTile)*ceilDiv(c.OW(), winogradTile), x*y)
	}
	return e
}

// sizes bounds the operands as their prologues make them from values below 1.
func (c convCase) sizes() (x, y float64) {
	x, y = 1, 1
	if c.proX == ProAffine {
		x = 2
	}
	if c.proY == ProBNBackward {
		y = 3
	}
	return x, y
}

// convOracle is what a case should give, and the sums of absolute products.
type convOracle struct {
	convCase
	data                       *convData
	want, part, size, sizePart []float64
}

func (c convCase) oracle() *convOracle {
	o := &convOracle{convCase: c, data: c.data()}
	o.want, o.part = c.reference(o.data)
	o.size, o.sizePart = c.reference(o.data.abs())
	return o
}

// judge compares a run with the reference. worst is the largest error as a
// part of its bound.
func (o *convOracle) judge(cpu *CPU, got, part []float32) (worst float64, err error) {
	e := o.errorOf(cpu)
	for i, want := range o.want {
		off, bound := math.Abs(float64(got[i])-want), e.own+chainBound(e.chain, o.size[i])
		if !(off <= bound) {
			return 0, fmt.Errorf("%v on %s: element %d is %g, want %g: error %g, bound %g", o.convCase, cpu.Name(), i, got[i], want, off, bound)
		}
		if off > 0 {
			worst = max(worst, off/bound)
		}
	}
	own := [2]float64{StatsChunk * e.own, 0} // of a sum and of a sum of squares
	for _, v := range o.want {
		own[1] = max(own[1], 2*(math.Abs(v)+2)*own[0])
	}
	for i, want := range o.part {
		off := math.Abs(float64(part[i]) - want)
		if !(off <= own[i/o.OC%2]+chainBound(2*e.chain+StatsChunk, o.sizePart[i])) {
			return 0, fmt.Errorf("%v on %s: statistic %d is %g, want %g: error %g", o.convCase, cpu.Name(), i, part[i], want, off)
		}
	}
	return worst, nil
}

// check holds runs of the case on each CPU to the reference.
func (c convCase) check(t *testing.T, cpus ...*CPU) {
	t.Helper()
	o := c.oracle()
	for _, cpu := range cpus {
		got, part := c.run(t, cpu, o.data)
		if _, err := o.judge(cpu, got, part); err != nil {
			t.Fatal(err)
		}
	}
}
