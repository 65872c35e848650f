package kernels

import "math"

// minNorm is what a row's norm is clamped to.
const minNorm = 1e-12

type rowNormalizeJob struct {
	RowNormalizeArgs
	vec  *vecRow
	sums *reduceRow
	grad bool
	per  int
}

// RowNormalize computes y = x * (1/norm) with norm = max(sqrt(x.x), 1e-12) and
// the reciprocal rounded once from float64.
func (c *CPU) RowNormalize(a *RowNormalizeArgs) { c.rowNormalize(a, false) }

// RowNormalizeGrad computes dx (+)= fma(inv, dy, round(-inv*(y.dy)) * y),
// inv = 1/norm; clamped rows get dy / 1e-12 by a float64 division.
func (c *CPU) RowNormalizeGrad(a *RowNormalizeArgs) { c.rowNormalize(a, true) }

func (c *CPU) rowNormalize(a *RowNormalizeArgs, grad bool) {
	j := c.normalizes.get()
	j.RowNormalizeArgs, j.vec, j.sums, j.grad = *a, c.vec, c.reduce, grad
	j.per = rowsPerTile(a.C)
	c.team.Do(tiles(a.Rows, j.per), a.Rows*(20+a.C/4), j)
	c.normalizes.put(j)
}

// Tile serves rows [i*per, (i+1)*per).
func (j *rowNormalizeJob) Tile(w *Worker, i int) {
	for r := i * j.per; r < min((i+1)*j.per, j.Rows); r++ {
		if j.grad {
			j.gradient(w, r)
		} else {
			j.forward(r)
		}
	}
}

func (j *rowNormalizeJob) forward(r int) {
	x, y := first(j.X.At(r*j.C, j.C).F32()), first(j.Y.At(r*j.C, j.C).F32())
	norm := float32(math.Sqrt(float64(j.sums.Dot(j.C, x, x))))
	if norm < minNorm {
		norm = minNorm
	}
	j.vec.Map[MapScale](j.C, y, x, x, float32(1/float64(norm)), 0)
	if !j.Norm.IsNil() {
		j.Norm.F32()[r] = norm
	}
}

func (j *rowNormalizeJob) gradient(w *Worker, r int) {
	y, dy := first(j.Y.At(r*j.C, j.C).F32()), first(j.DY.At(r*j.C, j.C).F32())
	dx := first(j.DX.At(r*j.C, j.C).F32())
	norm := j.Norm.F32()[r]
	if norm <= minNorm {
		d := j.DY.At(r*j.C, j.C).F32()
		for k, out := 0, j.DX.At(r*j.C, j.C).F32(); k < len(d); k++ {
			store(out, k, float32(float64(d[k])/minNorm), j.Accumulate)
		}
		return
	}
	inv, tmp := float32(1/float64(norm)), first(w.Scratch(j.C))
	along := j.sums.Dot(j.C, y, dy)
	j.vec.apply(MapAXPBY, j.Accumulate, j.C, dx, dy, y, inv, -inv*along, tmp)
}
