package kernels

import "unsafe"

// Stems have kernels of their own, in which taps over few channels are registers
// and output channels are lanes. A weight gradient then copies no patches and
// leaves no column of a tile empty; a forward pass over one channel needs no
// list of addresses for taps of a single float. Chunks, chains and folds are
// those of the tiles that do this elsewhere, and so are the bits.

// stemTile adds the products of n pixels to the chains acc of 16 output
// channels (asm/conv_stem_amd64.go).
type stemTile func(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)

// stemTiles are the stems that have a kernel: lines of the kernel at once, and
// taps of a line.
type stemTiles struct {
	Grey3, Colour3, Colour7 stemTile
	Grey                    func(n int, x0, x1, x2 *float32, step int, w *float32, ldw int, y *float32, ldy int) // forward, 3x3
}

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

// grey reports whether a forward pass is that of a grey stem with a kernel.
func (p *convPlan) grey(s *ConvShape) bool {
	g := &p.grids[0]
	return p.Stems != nil && s.Groups == 1 && g.merged == 2 && p.tc == 3 && s.KH == 3 && s.DilH == 1 && s.OC%16 == 0 && (g.x.n-1)*g.x.step+3 <= len(zeroTap)
}

// stem computes all columns of the block, n of them from panel p on, pixels of a
// line at a time. The region has no lines outside of the image.
func (b *convBlock) stem(p, n int, c []float32, ld int) {
	g := b.g
	base := uintptr(unsafe.Pointer(unsafe.SliceData(b.copied)))
	width := b.width(n)
	w := b.panel(b.weights, 0, g, p)
	img, y, x := b.m0/(g.y.n*g.x.n), b.m0/g.x.n%g.y.n, b.m0%g.x.n
	for i := 0; i < b.m1-b.m0; {
		run := min(g.x.n-x, b.m1-b.m0-i)
		lines := [3]*float32{&zeroTap[0], &zeroTap[0], &zeroTap[0]}
		for t := range lines {
			if iy := y*g.y.step + g.y.off + t; iy >= 0 && iy < g.y.src {
				at := b.window.base + uintptr(img)*b.window.image + uintptr(iy)*b.window.row + uintptr(x*g.x.step+g.x.off)*b.window.pixel
				lines[t] = &b.copied[(at-base)/4]
			}
		}
		for o := 0; o < n; o += 16 {
			b.Stems.Grey(run, lines[0], lines[1], lines[2], g.x.step, &w[o], width, &c[i*ld+o], ld)
		}
		i += run
		x = 0
		if y++; y == g.y.n {
			y = 0
			img++
		}
	}
}
