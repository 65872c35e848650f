package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// dotTile is the rows, and the columns, of a block's tile of products.
const dotTile = 64

// NearestArgs asks for the nearest centroid of each row: Index is the first c
// that maximises X[r].Y[c] - |Y[c]|^2/2, Score that maximum, so that the
// squared distance is |X[r]|^2 - 2 Score[r].
type NearestArgs struct {
	Rows, Centroids, D int
	X                  kernels.Mem // [Rows, D]
	Y                  kernels.Mem // [Centroids, D]
	Index              kernels.Mem // Int32 [Rows]
	Score              kernels.Mem // [Rows]; nil: not wanted
}

// Nearest assigns rows to centroids without storing a distance. No op of
// kernels.Backend calls it yet.
func (d *Device) Nearest(a *NearestArgs) {
	const op = "Nearest"
	floats(op, a.Rows*a.D, a.X)
	floats(op, a.Centroids*a.D, a.Y)
	need(op, "Index", a.Index, kernels.Int32, a.Rows)
	optional(op, a.Rows, a.Score)
	half := d.scratch(4 * a.Centroids)
	l := d.op(ptx.HalfSquares)
	l.mem(a.Y)
	l.mem(half)
	l.i32(a.Centroids)
	l.i32(a.D)
	l.rows(a.Centroids, a.D, vectors(a.D, nil, a.Y))

	l = d.op(ptx.Nearest)
	l.mem(a.X)
	l.mem(a.Y)
	l.mem(half)
	l.mem(a.Index)
	l.mem(a.Score)
	l.i32(a.Rows)
	l.i32(a.Centroids)
	l.i32(a.D)
	l.run(ceil(a.Rows, dotTile), 1, 1, 0)
}
