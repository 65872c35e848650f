package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// CopyRows copies or adds rows by index, as 4-byte words. An index outside its
// matrix traps: the device's failure comes out of the next Sync or download.
func (d *Device) CopyRows(a *kernels.CopyRowsArgs) {
	const op = "CopyRows"
	if a.Rows == 0 || a.C == 0 {
		return
	}
	size := a.Dst.Type.Size()
	switch {
	case a.Dst.Type != a.Src.Type:
		panic(&kernels.TypeError{Want: a.Dst.Type, Got: a.Src.Type})
	case a.Accumulate && a.Dst.Type != kernels.Float32:
		panic(&kernels.TypeError{Want: kernels.Float32, Got: a.Dst.Type})
	case a.C*size%4 != 0 || a.Dst.Ld*size%4 != 0 || a.Src.Ld*size%4 != 0 || (a.Dst.Dev|a.Src.Dev)%4 != 0:
		panic(&kernels.ArgError{Op: op, Rule: "rows that are no whole 4-byte words"})
	}
	drows, srows := rowsOf(a.Dst, a.C), rowsOf(a.Src, a.C)
	if a.DstIndex.IsNil() && a.Rows > drows || a.SrcIndex.IsNil() && a.Rows > srows {
		panic(&kernels.ArgError{Op: op, Rule: "more rows than the matrix has"})
	}
	for _, index := range []kernels.Mem{a.DstIndex, a.SrcIndex} {
		if !index.IsNil() {
			need(op, "an index", index, kernels.Int32, a.Rows)
		}
	}
	words := a.C * size / 4
	lds := []int{a.Dst.Ld * size / 4, a.Src.Ld * size / 4}
	t := d.tile(a.Rows, words, 1)
	l := d.op(ptx.CopyRows)
	l.mem(a.Dst.Mem)
	l.mem(a.Src.Mem)
	l.mem(a.DstIndex)
	l.mem(a.SrcIndex)
	l.i32(a.Rows)
	l.i32(words)
	l.i32(lds[0])
	l.i32(lds[1])
	l.i32(drows)
	l.i32(srows)
	l.i32(t.lg)
	l.i32(vectors(words, lds, a.Dst.Mem, a.Src.Mem))
	l.i32(flag(a.Accumulate))
	l.run(t.x, t.y, 1, 0)
}

// rowsOf is how many rows of c elements m has.
func rowsOf(m kernels.Mat, c int) int {
	if m.Len < c {
		return 0
	}
	return (m.Len-c)/max(m.Ld, 1) + 1
}
