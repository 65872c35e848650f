package kernels

// Broadcast walks the rows of the innermost axis. Axes that are dense in both
// operands (or broadcast in both) are merged first, so that a bias over NHWC
// is one loop over N*H*W rows of C and two equal shapes are a single row.

type broadcastJob struct {
	BroadcastArgs
	row     *vecRow
	axes    int // of Dims, SA and SB after merging
	rows, n int
	per     int // rows of a tile, when a row is not cut
	segs    int // tiles of a row, when it is
	dst     []float32
	x, y    []float32
}

// Broadcast computes Dst (+)= f(A, B) with strided operands.
func (c *CPU) Broadcast(a *BroadcastArgs) {
	total := a.Dims[0] * a.Dims[1] * a.Dims[2] * a.Dims[3]
	if total == 0 {
		return
	}
	j := c.broadcasts.get()
	j.BroadcastArgs, j.row = *a, c.vec
	j.dst = a.Dst.At(0, total).F32()
	j.x, j.y = nil, nil
	if a.Op.operands() > 0 {
		j.x = a.A.At(0, reach(&a.Dims, &a.SA)).F32()
	} else {
		j.SA = [4]int{}
	}
	if a.Op.operands() > 1 {
		j.y = a.B.At(0, reach(&a.Dims, &a.SB)).F32()
	} else {
		j.SB = [4]int{}
	}
	j.merge()
	j.n = j.Dims[j.axes-1]
	j.rows = total / j.n
	j.per, j.segs = rowsPerTile(j.n), tiles(j.n, mapBlock)
	n := tiles(j.rows, j.per)
	if j.segs > 1 {
		n = j.rows * j.segs
	}
	c.team.Do(n, a.Op.cost(total), j)
	c.broadcasts.put(j)
}

// reach is the number of elements that a strided operand spans.
func reach(dims, stride *[4]int) int {
	n := 1
	for i, d := range dims {
		n += (d - 1) * stride[i]
	}
	return n
}

// merge drops axes of size 1 and joins neighbours that one stride covers.
func (j *broadcastJob) merge() {
	k := 0
	for i := range 4 {
		if j.Dims[i] == 1 {
			continue
		}
		if k > 0 && j.SA[k-1] == j.SA[i]*j.Dims[i] && (j.Op.operands() < 2 || j.SB[k-1] == j.SB[i]*j.Dims[i]) {
			j.Dims[k-1] *= j.Dims[i]
			j.SA[k-1], j.SB[k-1] = j.SA[i], j.SB[i]
			continue
		}
		j.Dims[k], j.SA[k], j.SB[k] = j.Dims[i], j.SA[i], j.SB[i]
		k++
	}
	if k == 0 {
		j.Dims[0], j.SA[0], j.SB[0] = 1, 1, 1
		k = 1
	}
	j.axes = k
}

// Tile computes a few rows, or a piece of one.
func (j *broadcastJob) Tile(w *Worker, i int) {
	if j.segs > 1 {
		lo := i % j.segs * mapBlock
		j.span(w, i/j.segs, lo, min(mapBlock, j.n-lo))
		return
	}
	for r := i * j.per; r < min((i+1)*j.per, j.rows); r++ {
		j.span(w, r, 0, j.n)
	}
}

// span computes elements [lo, lo+n) of row r.
func (j *broadcastJob) span(w *Worker, r, lo, n int) {
	in := j.axes - 1
	sa, sb := j.SA[in], j.SB[in]
	pa, pb := lo*sa, lo*sb
	for k, q := in-1, r; k >= 0; k-- {
		pa += q % j.Dims[k] * j.SA[k]
		pb += q % j.Dims[k] * j.SB[k]
		q /= j.Dims[k]
	}
	tmp := w.Scratch(3 * mapBlock)
	op, s, t := j.Op, j.S, j.T
	var x, y []float32
	switch op.operands() {
	case 1:
		x = strided(tmp[mapBlock:], j.x, pa, sa, n)
		y = x
	case 2:
		if sb == 0 && sa == 1 {
			if o, s2, t2, ok := op.scalarB(j.y[pb], s, t); ok {
				op, s, t, sb, pb = o, s2, t2, 1, -1
			}
		} else if sa == 0 && sb == 1 {
			if o, s2, t2, ok := op.scalarA(j.x[pa]); ok {
				op, s, t, sa, pa = o, s2, t2, 1, -1
			}
		}
		switch {
		case pb == -1:
			x = j.x[pa:]
			y = x
		case pa == -1:
			x = j.y[pb:]
			y = x
		default:
			x = strided(tmp[mapBlock:], j.x, pa, sa, n)
			y = strided(tmp[2*mapBlock:], j.y, pb, sb, n)
		}
	default:
		x, y = tmp, tmp
	}
	d := j.dst[r*j.n+lo:]
	j.row.apply(op, j.Accumulate, n, first(d), first(x), first(y), s, t, first(tmp))
}

// strided is n elements of x from p on, gathered into tmp unless they lie side
// by side.
func strided(tmp, x []float32, p, stride, n int) []float32 {
	if stride == 1 || n == 1 {
		return x[p : p+n]
	}
	for i := range n {
		tmp[i] = x[p+i*stride]
	}
	return tmp
}

// scalarB is f(., b) as a one-operand function with the same bits.
func (op MapOp) scalarB(b, s, t float32) (MapOp, float32, float32, bool) {
	switch op {
	case MapAdd:
		return MapAffine, 1, b, true
	case MapSub:
		return MapAffine, 1, -b, true
	case MapMul, MapExpGrad:
		return MapScale, b, 0, true
	case MapAXPY:
		return MapAffine, s, b, true
	case MapAXPBY:
		return MapAffine, s, t * b, true
	}
	return 0, 0, 0, false
}

// scalarA is f(a, .) as a one-operand function with the same bits.
func (op MapOp) scalarA(a float32) (MapOp, float32, float32, bool) {
	switch op {
	case MapAdd:
		return MapAffine, 1, a, true
	case MapSub:
		return MapAffine, -1, a, true
	case MapMul, MapExpGrad:
		return MapScale, a, 0, true
	}
	return 0, 0, 0, false
}
