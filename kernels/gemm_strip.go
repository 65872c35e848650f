package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

const (
	// edgeTiles is how many tiles go through scratch at once where a strip
	// has fewer columns than its panel.
	edgeTiles = 8

	// callFMAs bounds one call of a micro-kernel: about 20 µs at 120 GFLOP/s
	// (assembly cannot be preempted).
	callFMAs = 1 << 20
)

// edgeFloats is the length of the scratch that rowStrip and outerTile need.
func (k *GemmKernel) edgeFloats() int { return edgeTiles * max(k.MR, k.OuterMR) * k.NR }

// rowStrip computes m x n of C against one panel, n at most its width: what
// RowTile does to whole tiles, here with any m and n. rows holds
// ceil(m/MR)*segs*MR addresses laid out as RowTile reads them; those of rows
// beyond m repeat a valid address. edge is scratch of edgeFloats.
func (k *GemmKernel) rowStrip(m, n, segs, kc int, rows []uintptr, b, c *float32, ldc int, load bool, edge []float32) {
	k.strip(k.Row, m, n, segs, kc, rows, b, k.width(n), c, ldc, load, edge, nil)
}

// strip is rowStrip with row for its whole tiles of full width (Row or
// RowPast), rows of B ldb apart, and what to fetch meanwhile.
func (k *GemmKernel) strip(row RowTile, m, n, segs, kc int, rows []uintptr, b *float32, ldb int, c *float32, ldc int, load bool, edge []float32, next *streams) {
	tile, w := k.Row, k.width(n)
	if w < k.NR {
		tile, row = k.RowNarrow, k.RowNarrow
	}
	most, whole := max(1, callFMAs/(k.MR*w*max(1, segs*kc))), m/k.MR
	if n < w {
		most, whole = min(most, edgeTiles), 0
	}
	each := segs * perTile(kc)
	for t, step := 0, 0; t*k.MR < m; t += step {
		p := (*unsafe.Pointer)(unsafe.Pointer(&rows[t*segs*k.MR]))
		ct := (*float32)(unsafe.Add(unsafe.Pointer(c), t*k.MR*ldc*4))
		if t < whole {
			step = next.tiles(min(most, whole-t), each)
			ahead, by := next.take(step*each, b)
			row(step, segs, kc, p, b, ldb, ct, ldc, load, ahead, by)
			continue
		}
		rest := m - t*k.MR
		step = min(most, edgeTiles, (rest+k.MR-1)/k.MR)
		last := RowTail{k.MR, tile}
		if rest < k.MR && w == k.NR {
			last = k.tail(rest)
		}
		ahead, by := next.take(step*each, b)
		if last.Rows == rest && n == w {
			last.Tile(1, segs, kc, p, b, ldb, ct, ldc, load, ahead, by)
			continue
		}
		last.Tile(step, segs, kc, p, b, ldb, &edge[0], w, false, ahead, by)
		k.fold(min(rest, step*k.MR), n, edge, w, ct, ldc, load)
	}
}

// tail is the smallest tile of full width that has m rows.
func (k *GemmKernel) tail(m int) RowTail {
	for _, t := range k.Tails {
		if m <= t.Rows {
			return t
		}
	}
	return RowTail{k.MR, k.Row}
}

// outerTile computes one tile of m x n of C: what OuterTile does to a whole
// tile, here with m at most OuterMR and n at most the panel's width. A and B
// are readable over the whole tile all the same (packed and padded there).
func (k *GemmKernel) outerTile(m, n int, seg []asm.Seg, lda, ldb int, c *float32, ldc int, load bool, edge []float32) {
	k.outerOn(m, n, seg, lda, ldb, c, ldc, load, false, edge, nil)
}

// outerOn is outerTile whose chain may go on, with what to fetch meanwhile.
func (k *GemmKernel) outerOn(m, n int, seg []asm.Seg, lda, ldb int, c *float32, ldc int, load, on bool, edge []float32, next *streams) {
	tile, w := k.Outer, k.width(n)
	if w < k.NR {
		tile = k.OutNarrow
	}
	var p *asm.Seg
	if len(seg) > 0 {
		p = &seg[0]
	}
	pairs := 0
	if next != nil {
		for i := range seg {
			pairs += perTile(seg[i].K)
		}
	}
	ahead, step := next.take(pairs, c)
	if m == k.OuterMR && n == w {
		tile(len(seg), p, lda, ldb, c, ldc, load, on, ahead, step)
		return
	}
	if on {
		for i := range m {
			copy(edge[i*w:][:n], unsafe.Slice(advance(c, i*ldc), n))
		}
	}
	tile(len(seg), p, lda, ldb, &edge[0], w, false, on, ahead, step)
	k.fold(m, n, edge, w, c, ldc, load)
}

// fold stores or adds the m x n part of a scratch tile into C.
func (k *GemmKernel) fold(m, n int, edge []float32, w int, c *float32, ldc int, load bool) {
	if load {
		k.Rows.add(m, n, c, ldc, &edge[0], w)
		return
	}
	k.Rows.copy(m, n, c, ldc, &edge[0], w)
}
