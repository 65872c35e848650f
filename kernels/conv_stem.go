package kernels

import "unsafe"

// The weight gradient of a stem, whose taps over few channels are the registers
// of a kernel and whose output channels are its lanes: no patches are copied and
// no column of a tile is empty. Chunks, chains and folds are those of the outer
// tiles that do this elsewhere (weightWide), and so are the bits.

// stemTile adds the products of n pixels to the chains acc of 16 output
// channels (asm/conv_stem_amd64.go).
type stemTile func(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)

// stemTiles are the stems that have a kernel: lines of the kernel at once, and
// taps of a line.
type stemTiles struct{ Grey3, Colour3, Colour7 stemTile }

// tile is the kernel of a shape, nil where there is none, and its lines.
func (t *stemTiles) tile(s *ConvShape) (tile stemTile, lines int) {
	if t == nil || s.DilW != 1 || s.DilH != 1 || s.Groups != 1 || s.OC%16 != 0 {
		return nil, 0
	}
	switch [3]int{s.KH, s.KW, s.C} {
	case [3]int{3, 3, 1}:
		return t.Grey3, 3
	case [3]int{3, 3, 3}:
		return t.Colour3, 3
	case [3]int{7, 7, 3}:
		return t.Colour7, 1
	}
	return nil, 0
}

// stemFloats is the scratch of an item: a line of zeros, the chains of 16
// channels and the sums of all of the item's.
func (p *weightPlan) stemFloats() (zeros, acc, sums int) {
	zeros = (p.pixels*p.s.StrideW+p.s.KW)*p.cg + 16
	return (zeros + 15) &^ 15, p.columns * 16, p.columns * p.oBlock
}

// stem adds the open chunk to the item's sums.
func (b *weightBlock) stem(load bool) {
	r := b.grid.region(b.line0*b.ow+b.x0, (b.line1-1)*b.ow+b.x1)
	w := r.load(b.pack[:r.height()*(r.x1-r.x0)*b.cg], &b.x, &b.grid, 0, b.cg, b.cg)
	base := uintptr(unsafe.Pointer(unsafe.SliceData(b.pack)))
	zeros, acc, _ := b.stemFloats()
	outside, chains, sums := b.copyX[:zeros], b.copyX[zeros:][:acc], b.copyX[zeros+acc:]
	clear(outside)
	n, run := b.x1-b.x0, b.s.KW*b.cg
	ix := b.x0*b.grid.x.step + b.grid.x.off
	for o := 0; o < b.on; o += 16 {
		clear(chains)
		for l := b.line0; l < b.line1; l++ {
			img, iy := l/b.oh, l%b.oh*b.grid.y.step+b.grid.y.off
			dy := b.copyY
			if b.inPlaceY {
				dy = b.y.val[(l*b.ow+b.x0)*b.lda+b.o0+o:]
			} else {
				dy = dy[(l-b.line0)*n*b.lda+o:]
			}
			for t := 0; t < b.s.KH; t += b.stemLines {
				var x [3]*float32
				for i := range b.stemLines {
					x[i] = &outside[0]
					if y := iy + t + i; y >= 0 && y < b.s.H {
						x[i] = &b.pack[(w.base+uintptr(img)*w.image+uintptr(y)*w.row+uintptr(ix)*w.pixel-base)/4]
					}
				}
				b.stemTile(n, &dy[0], b.lda, x[0], x[1], x[2], b.s.StrideW*b.cg, &chains[t*run*16])
			}
		}
		if load {
			b.Rows.add(b.columns, 16, &sums[o], b.oBlock, &chains[0], 16)
		} else {
			b.Rows.copy(b.columns, 16, &sums[o], b.oBlock, &chains[0], 16)
		}
	}
}

// storeStem writes the item's sums to its channels of the lane.
func (b *weightBlock) storeStem() {
	zeros, acc, _ := b.stemFloats()
	sums := b.copyX[zeros+acc:]
	for o := range b.on {
		row := b.out[(b.o0+o)*b.columns:][:b.columns]
		for t := range row {
			row[t] = sums[t*b.oBlock+o]
		}
	}
}
