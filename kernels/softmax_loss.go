package kernels

import "fmt"

// The two cross-entropies. The loss of a row is made in float64 from its
// float32 sums; row i goes to lane i mod 16 and lanes fold 8-4-2-1, in
// float64; the total is rounded once.

type crossEntropyJob struct {
	CrossEntropyArgs
	rowKernels
	labels []int32
	lse    []float32
	loss   []float64 // of each row
	g      float32   // DLoss / count
	grad   bool
	per    int
}

// CrossEntropy writes the loss and the log-sum-exps.
func (c *CPU) CrossEntropy(a *CrossEntropyArgs) { c.crossEntropy(a, false) }

// CrossEntropyGrad computes dx (+)= g*exp(x-LSE), less g at the label, with
// g = DLoss/count rounded once.
func (c *CPU) CrossEntropyGrad(a *CrossEntropyArgs) { c.crossEntropy(a, true) }

func (c *CPU) crossEntropy(a *CrossEntropyArgs, grad bool) {
	j := c.crossEntropys.get()
	j.CrossEntropyArgs, j.rowKernels, j.grad = *a, c.rowKernels(), grad
	var count int
	j.labels, count = a.labels()
	j.lse = a.LSE.At(0, a.Rows).F32()
	j.per = rowsPerTile(a.C)
	if grad {
		j.g = float32(float64(a.DLoss.F32()[0]) / float64(count))
	} else {
		j.loss = sized(j.loss, a.Rows)
	}
	c.team.Do(tiles(a.Rows, j.per), expCost(a.Rows*a.C), j)
	if !grad {
		loss := float32(0)
		if count > 0 {
			loss = float32(sumRows(j.loss) / float64(count))
		}
		a.Loss.F32()[0] = loss
	}
	c.crossEntropys.put(j)
}

// labels checks the labels and counts those that are not ignored.
func (a *CrossEntropyArgs) labels() (l []int32, count int) {
	l = a.Labels.At(0, a.Rows).I32()
	for i, v := range l {
		if int(v) >= a.C {
			panic(&ArgError{"CrossEntropy", fmt.Sprintf("label [%d] is %d of %d classes", i, v, a.C)})
		}
		if v >= 0 {
			count++
		}
	}
	return l, count
}

// sized is s with length n, grown when it must be.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// sumRows adds the losses of rows in 16 lanes.
func sumRows(loss []float64) float64 {
	var lane [Lanes]float64
	for i, v := range loss {
		lane[i%Lanes] += v
	}
	return foldLanes(&lane)
}

// Tile serves rows [i*per, (i+1)*per).
func (j *crossEntropyJob) Tile(w *Worker, i int) {
	lo := i * j.per
	n := min(j.per, j.Rows-lo)
	if j.grad {
		for r := lo; r < lo+n; r++ {
			j.gradient(w, r)
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
		j.lse[lo+r] = peak[r] + log[r]
		j.loss[lo+r] = 0
		if l := j.labels[lo+r]; l >= 0 {
			x := j.X.At((lo+r)*j.C, j.C).F32()[l]
			j.loss[lo+r] = float64(log[r]) - (float64(x) - float64(peak[r]))
		}
	}
}

func (j *crossEntropyJob) gradient(w *Worker, r int) {
	dx, label := j.DX.At(r*j.C, j.C).F32(), j.labels[r]
	if label < 0 {
		if !j.Accumulate {
			clear(dx)
		}
		return
	}
	out := dx
	if j.Accumulate {
		out = w.Scratch(j.C)
	}
	j.softmax.Exp(j.C, first(out), first(j.X.At(r*j.C, j.C).F32()), 1, j.lse[r], nil, 1, nil, j.g)
	out[label] -= j.g
	if j.Accumulate {
		j.vec.add(j.C, first(dx), first(out))
	}
}

type softCrossEntropyJob struct {
	SoftCrossEntropyArgs
	rowKernels
	lse  []float32
	loss []float64
	w    float32 // DLoss * Weight / T
	grad bool
	per  int
}

// SoftCrossEntropy writes the loss and the log-sum-exps of x*InvT.
func (c *CPU) SoftCrossEntropy(a *SoftCrossEntropyArgs) { c.softCrossEntropy(a, false) }

// SoftCrossEntropyGrad computes
// dx (+)= w * fma(exp(fma(x, InvT, -LSE)), sum(q), -q), w = DLoss*Weight*InvT
// rounded once.
func (c *CPU) SoftCrossEntropyGrad(a *SoftCrossEntropyArgs) { c.softCrossEntropy(a, true) }

func (c *CPU) softCrossEntropy(a *SoftCrossEntropyArgs, grad bool) {
	j := c.softEntropys.get()
	j.SoftCrossEntropyArgs, j.rowKernels, j.grad = *a, c.rowKernels(), grad
	j.lse = a.LSE.At(0, a.Rows).F32()
	j.per = rowsPerTile(a.C)
	if grad {
		j.w = float32(float64(a.DLoss.F32()[0]) * float64(a.Weight) * float64(a.InvT))
	} else {
		j.loss = sized(j.loss, a.Rows)
	}
	c.team.Do(tiles(a.Rows, j.per), expCost(a.Rows*a.C), j)
	if !grad {
		store(a.Loss.F32(), 0, float32(float64(a.Weight)*sumRows(j.loss)), a.AccLoss)
	}
	c.softEntropys.put(j)
}

// Tile serves rows [i*per, (i+1)*per).
func (j *softCrossEntropyJob) Tile(w *Worker, i int) {
	lo := i * j.per
	n := min(j.per, j.Rows-lo)
	if j.grad {
		tmp := first(w.Scratch(j.C))
		for r := lo; r < lo+n; r++ {
			x, q := matRow(j.X, r, j.C), matRow(j.Q, r, j.C)
			j.writeExp(j.C, matRow(j.DX, r, j.C), x, j.InvT, j.lse[r], nil, j.reduce.Sum(j.C, q), q, j.w, j.Accumulate, tmp)
		}
		return
	}
	s := w.Scratch(2 * n)
	peak, log := s[:n], s[n:]
	for r := range n {
		x := matRow(j.X, lo+r, j.C)
		peak[r] = shift(j.reduce.Max(j.C, x, j.InvT, 0, nil))
		log[r] = j.softmax.ExpSum(j.C, x, j.InvT, peak[r], nil, 0)
	}
	j.vec.Map[MapLog](n, first(log), first(log), first(log), 0, 0)
	for r := range n {
		x, q := matRow(j.X, lo+r, j.C), matRow(j.Q, lo+r, j.C)
		j.lse[lo+r] = peak[r] + log[r]
		lse := float64(peak[r]) + float64(log[r])
		j.loss[lo+r] = lse*float64(j.reduce.Sum(j.C, q)) - float64(j.reduce.Dot(j.C, q, x))*float64(j.InvT)
	}
}

// matRow is the address of c elements of row r.
func matRow(m Mat, r, c int) *float32 { return first(m.At(r*m.Ld, c).F32()) }
