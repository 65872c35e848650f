package kernels

import "math"

// softmaxRow is a row of the table "softmax". Below
// L[i] = fma(x[i], scale, -u) - v[i], with v nil nothing is subtracted.
type softmaxRow struct {
	Kernel

	// ExpSum is the sum of exp(L[i] - m) in 16 lanes.
	ExpSum func(n int, x *float32, scale, u float32, v *float32, m float32) float32

	// ExpCols is sum[i] += exp(L[i] - m[i]).
	ExpCols func(n int, sum, x *float32, scale, u float32, v, m *float32)

	// Exp is dst[i] = w * fma(exp(L[i]), s, -q[i]), q nil for zeros.
	Exp func(n int, dst, x *float32, scale, u float32, v *float32, s float32, q *float32, w float32)
}

type softmaxState struct {
	softmax       *softmaxRow
	logSoftmaxes  freelist[logSoftmaxJob]
	crossEntropys freelist[crossEntropyJob]
	softEntropys  freelist[softCrossEntropyJob]
	lses          freelist[lseJob]
	sinkhorns     freelist[sinkhornJob]
}

func (s *softmaxState) init(c *CPU) { s.softmax = usable(c.pins, softmaxRows)[0] }

// rowKernels are the rows that the ops of the softmax family run on.
type rowKernels struct {
	vec     *vecRow
	reduce  *reduceRow
	softmax *softmaxRow
}

func (c *CPU) rowKernels() rowKernels { return rowKernels{c.vec, c.reduce, c.softmax} }

// shift is what a row's exponents are lowered by: its maximum, or 0 where that
// is infinite, so that exp(-Inf - shift) is 0 and not NaN, and the
// log-sum-exp of a row of -Inf is -Inf.
func shift(max float32) float32 {
	if math.IsInf(float64(max), 0) {
		return 0
	}
	return max
}

// expCost is the time of n exponentials with the passes around them, in
// nanoseconds.
func expCost(n int) int { return n/2 + 50 }

type logSoftmaxJob struct {
	LogSoftmaxArgs
	rowKernels
	grad bool
	per  int
}

// LogSoftmax computes y = (x - max) - log(sum(exp(x - max))).
func (c *CPU) LogSoftmax(a *LogSoftmaxArgs) { c.logSoftmax(a, false) }

// LogSoftmaxGrad computes dx (+)= -fma(exp(y), sum(dy), -dy).
func (c *CPU) LogSoftmaxGrad(a *LogSoftmaxArgs) { c.logSoftmax(a, true) }

func (c *CPU) logSoftmax(a *LogSoftmaxArgs, grad bool) {
	j := c.logSoftmaxes.get()
	j.LogSoftmaxArgs, j.rowKernels, j.grad = *a, c.rowKernels(), grad
	j.per = rowsPerTile(a.C)
	c.team.Do(tiles(a.Rows, j.per), expCost(a.Rows*a.C), j)
	c.logSoftmaxes.put(j)
}

// Tile serves rows [i*per, (i+1)*per).
func (j *logSoftmaxJob) Tile(w *Worker, i int) {
	lo := i * j.per
	n := min(j.per, j.Rows-lo)
	if j.grad {
		tmp := first(w.Scratch(j.C))
		for r := lo; r < lo+n; r++ {
			y, dy := first(j.Y.At(r*j.C, j.C).F32()), first(j.DY.At(r*j.C, j.C).F32())
			j.writeExp(j.C, first(j.DX.At(r*j.C, j.C).F32()), y, 1, 0, nil, j.reduce.Sum(j.C, dy), dy, -1, j.Accumulate, tmp)
		}
		return
	}
	s := w.Scratch(2 * n)
	peak, log := s[:n], s[n:]
	for r := range n {
		x := first(j.X.At((lo+r)*j.C, j.C).F32())
		peak[r] = shift(j.reduce.Max(j.C, x, 1, 0, nil))
		log[r] = j.softmax.ExpSum(j.C, x, 1, peak[r], nil, 0)
	}
	j.vec.Map[MapLog](n, first(log), first(log), first(log), 0, 0)
	for r := range n {
		x, y := first(j.X.At((lo+r)*j.C, j.C).F32()), first(j.Y.At((lo+r)*j.C, j.C).F32())
		j.vec.Map[MapAffine](j.C, y, x, x, 1, -peak[r])
		j.vec.Map[MapAffine](j.C, y, y, y, 1, -log[r])
	}
}

// writeExp is dst (+)= w * fma(exp(fma(x, scale, -u) - v), s, -q) with tmp as
// long as dst.
func (k *rowKernels) writeExp(n int, dst, x *float32, scale, u float32, v *float32, s float32, q *float32, w float32, acc bool, tmp *float32) {
	if !acc {
		k.softmax.Exp(n, dst, x, scale, u, v, s, q, w)
		return
	}
	k.softmax.Exp(n, tmp, x, scale, u, v, s, q, w)
	k.vec.add(n, dst, tmp)
}
