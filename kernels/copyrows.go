package kernels

import "fmt"

type copyRowsJob struct {
	CopyRowsArgs
	row    *vecRow
	di, si []int32
	per    int
}

// CopyRows copies rows by index; every index is checked before a row moves.
func (c *CPU) CopyRows(a *CopyRowsArgs) {
	if a.Rows == 0 || a.C == 0 {
		return
	}
	j := c.copies.get()
	j.CopyRowsArgs, j.row = *a, c.vec
	j.di, j.si = a.indices()
	j.per = rowsPerTile(a.C)
	c.team.Do(tiles(a.Rows, j.per), a.Rows*(4+a.C/8), j)
	c.copies.put(j)
}

// indices checks the argument and gives its index lists, nil where not given.
func (a *CopyRowsArgs) indices() (dst, src []int32) {
	if a.Dst.Type != a.Src.Type {
		panic(&TypeError{Want: a.Dst.Type, Got: a.Src.Type})
	}
	check := func(what string, m Mat, index Mem) []int32 {
		rows := 0 // that m has
		if m.Len >= a.C {
			rows = (m.Len-a.C)/max(m.Ld, 1) + 1
		}
		if index.IsNil() {
			if a.Rows > rows {
				panic(&ArgError{"CopyRows", fmt.Sprintf("%d rows of %s, which has %d", a.Rows, what, rows)})
			}
			return nil
		}
		ix := index.At(0, a.Rows).I32()
		for i, r := range ix {
			if r < 0 || int(r) >= rows {
				panic(&ArgError{"CopyRows", fmt.Sprintf("%s index [%d] is %d, %s has %d rows", what, i, r, what, rows)})
			}
		}
		return ix
	}
	return check("Dst", a.Dst, a.DstIndex), check("Src", a.Src, a.SrcIndex)
}

// at is entry i of an index list.
func at(index []int32, i int) int {
	if index == nil {
		return i
	}
	return int(index[i])
}

// Tile copies rows [i*per, (i+1)*per).
func (j *copyRowsJob) Tile(w *Worker, i int) {
	for r := i * j.per; r < min((i+1)*j.per, j.Rows); r++ {
		d := j.Dst.At(at(j.di, r)*j.Dst.Ld, j.C)
		s := j.Src.At(at(j.si, r)*j.Src.Ld, j.C)
		if j.Accumulate {
			j.row.add(j.C, first(d.F32()), first(s.F32()))
		} else {
			copy(hostBytesOf(d), hostBytesOf(s))
		}
	}
}
