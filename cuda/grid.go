package cuda

import (
	"math/bits"

	"github.com/sectile-ml/sectile/kernels"
)

// How work becomes a grid. Three shapes serve all ops but products: chunks of
// dense elements, tiles of a matrix whose columns are channels, and rows that
// are reduced.

// chunkSize is the elements of a chunk: 256 threads of four.
const chunkSize = 1024

// blocksPerSM is how many blocks of 256 threads fill a multiprocessor.
const blocksPerSM = 8

// fill is the number of blocks for n pieces of work that blocks share out
// among themselves: enough to fill the device.
func (d *Device) fill(n int) int { return min(n, blocksPerSM*d.info.SMs) }

// ceil is n/size rounded up.
func ceil(n, size int) int { return (n + size - 1) / size }

// flag is 1 for true.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// vectors reports whether columns can be read 16 bytes at a time: c and the
// leading dimensions are multiples of 4, every operand that is given lies on
// 16 bytes.
func vectors(c int, lds []int, mems ...kernels.Mem) int {
	for _, ld := range lds {
		c |= ld
	}
	at := uint64(0)
	for _, m := range mems {
		at |= m.Dev
	}
	return flag(c%4 == 0 && at%16 == 0)
}

// tile is a grid over [rows, c] in which a thread has four columns of a row at
// a time: 2^lg threads span the columns, 256/2^lg rows are in flight.
type tile struct{ lg, x, y int }

// tile chooses the narrowest power of two that spans c columns; groups is the
// depth of the grid.
func (d *Device) tile(rows, c, groups int) tile {
	t := tile{lg: min(bits.Len(uint(ceil(c, 4)-1)), 8)}
	t.x = ceil(c, 4<<t.lg)
	t.y = min(ceil(rows, 256>>t.lg), max(1, blocksPerSM*d.info.SMs/(t.x*max(1, groups))))
	return t
}

// team says how many threads, 2^lg, reduce a row of c columns, and how many
// blocks rows rows need.
func team(rows, c int) (lg, blocks int) {
	if c > 512 || c > 128 && rows < 64 {
		return 8, rows
	}
	return 5, ceil(rows, 256>>5)
}

// groupsOf is the number of statistics groups and the rows of each.
func groupsOf(rows, group int) (n, size int) {
	if group == 0 || rows == 0 {
		return 1, rows
	}
	return rows / group, group
}

// need panics unless m is memory of this device's side, of type t, with at
// least n elements.
func need(op, name string, m kernels.Mem, t kernels.DType, n int) {
	switch {
	case m.Type != t:
		panic(&kernels.TypeError{Want: t, Got: m.Type})
	case m.Len < n:
		panic(&kernels.ArgError{Op: op, Rule: name + " is too short"})
	}
}

// floats is need for Float32 operands of n elements that have to be there.
func floats(op string, n int, mems ...kernels.Mem) {
	for _, m := range mems {
		need(op, "an operand", m, kernels.Float32, n)
	}
}

// optional is floats for operands that need not be given.
func optional(op string, n int, mems ...kernels.Mem) {
	for _, m := range mems {
		if !m.IsNil() {
			floats(op, n, m)
		}
	}
}

// matrix checks the memory of rows by c elements.
func matrix(op string, rows, c int, mats ...kernels.Mat) {
	for _, m := range mats {
		floats(op, (rows-1)*m.Ld+c, m.Mem)
	}
}
