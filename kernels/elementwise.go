package kernels

import "unsafe"

// mapFn is one elementwise function over n dense elements:
//
//	for i in 0..n-1: dst[i] = f(a[i], b[i]; s, t)
//
// dst may be a or b. Operands that the function does not read are ignored.
type mapFn func(n int, dst, a, b *float32, s, t float32)

// vecRow is a row of the table "vec".
type vecRow struct {
	Kernel
	Map [mapOps]mapFn
}

type vecState struct {
	vec        *vecRow
	maps       freelist[mapJob]
	broadcasts freelist[broadcastJob]
	copies     freelist[copyRowsJob]
	normalizes freelist[rowNormalizeJob]
}

func (s *vecState) init(c *CPU) { s.vec = usable(c.pins, vecRows)[0] }

// mapBlock is the elements of one tile of an elementwise op: four streams of
// it stay in L2, and a call stays under 20 µs.
const mapBlock = 8192

// operands is how many of A and B an elementwise function reads.
func (op MapOp) operands() int {
	switch op {
	case MapFill:
		return 0
	case MapCopy, MapScale, MapReLU, MapExp, MapLog, MapSqrt, MapAffine:
		return 1
	}
	return 2
}

// cost is the estimated time of n elements in nanoseconds.
func (op MapOp) cost(n int) int {
	switch op {
	case MapExp, MapLog, MapSqrt, MapDiv:
		return n / 2
	}
	return n / 8
}

// apply is dst (+)= f(a, b). Accumulating computes f into tmp, which stays in
// L1, and adds it: f is rounded before the sum on every row.
func (r *vecRow) apply(op MapOp, acc bool, n int, dst, a, b *float32, s, t float32, tmp *float32) {
	switch {
	case !acc:
		r.Map[op](n, dst, a, b, s, t)
	case op == MapCopy:
		r.Map[MapAdd](n, dst, dst, a, 0, 0)
	default:
		r.Map[op](n, tmp, a, b, s, t)
		r.Map[MapAdd](n, dst, dst, tmp, 0, 0)
	}
}

// add is dst += a.
func (r *vecRow) add(n int, dst, a *float32) { r.Map[MapAdd](n, dst, dst, a, 0, 0) }

type mapJob struct {
	MapArgs
	row       *vecRow
	dst, x, y []float32
}

// Map computes Dst (+)= f(A, B) in tiles of mapBlock elements.
func (c *CPU) Map(a *MapArgs) {
	j := c.maps.get()
	j.MapArgs, j.row = *a, c.vec
	j.dst = a.Dst.At(0, a.N).F32()
	j.x, j.y = j.dst, j.dst
	if a.Op.operands() > 0 {
		j.x = a.A.At(0, a.N).F32()
	}
	if a.Op.operands() > 1 {
		j.y = a.B.At(0, a.N).F32()
	}
	c.team.Do(tiles(a.N, mapBlock), a.Op.cost(a.N), j)
	c.maps.put(j)
}

// Tile computes elements [i*mapBlock, (i+1)*mapBlock).
func (j *mapJob) Tile(w *Worker, i int) {
	lo := i * mapBlock
	n := min(mapBlock, j.N-lo)
	var tmp *float32
	if j.Accumulate {
		tmp = first(w.Scratch(n))
	}
	j.row.apply(j.Op, j.Accumulate, n, &j.dst[lo], &j.x[lo], &j.y[lo], j.S, j.T, tmp)
}

// tiles is n cut into tiles of size, rounded up.
func tiles(n, size int) int { return (n + size - 1) / size }

// rowsPerTile is how many rows of c elements make a tile of about mapBlock.
func rowsPerTile(c int) int { return max(1, mapBlock/max(c, 1)) }

// first is the address of a slice's first element; an empty slice has one too.
func first(s []float32) *float32 { return unsafe.SliceData(s) }
