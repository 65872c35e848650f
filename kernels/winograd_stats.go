package kernels

import "sync/atomic"

// count sets the counters of an epilogue. Tiles do not follow the order of
// pixels that statistics have, so a chunk of pixels is finished, whole and in
// order, by the item that writes the last of them.
func (j *winogradJob) count() {
	n := j.chunks * j.colItems
	if cap(j.left) < n {
		j.left = make([]atomic.Int32, n)
	}
	j.left = j.left[:n]
	for i := range j.left {
		_, m := j.chunk(i / j.colItems)
		j.left[i].Store(int32(m))
	}
}

// chunk is the pixels of statistics chunk q.
func (p *winogradPlan) chunk(q int) (first, n int) {
	per := ceilDiv(p.statRows, StatsChunk)
	at := q % per * StatsChunk
	return q/per*p.statRows + at, min(StatsChunk, p.statRows-at)
}

// chunkOf is the chunk that a pixel belongs to and the first pixel after it.
func (p *winogradPlan) chunkOf(pixel int) (q, end int) {
	group := pixel / p.statRows
	q = group*ceilDiv(p.statRows, StatsChunk) + pixel%p.statRows/StatsChunk
	first, n := p.chunk(q)
	return q, first + n
}

// finish counts the pixels of tiles [m0, m1) as written, in n channels from c0
// on, and runs the epilogue over the chunks that are complete with them.
func (j *winogradJob) finish(m0, m1, col, c0, n int) {
	tw, th := j.to.tw, j.to.th
	current, count := 0, 0
	for t := m0; t < m1; {
		img, ty, tx := t/(tw*th), t/tw%th, t%tw
		run := min(tw-tx, m1-t)
		x0, x1 := tx*j.to.tile, min(j.to.w, (tx+run)*j.to.tile)
		for y := ty * j.to.tile; y < min(j.to.h, (ty+1)*j.to.tile); y++ {
			pixel := (img*j.to.h + y) * j.to.w
			for p := pixel + x0; p < pixel+x1; {
				q, end := j.chunkOf(p)
				if q != current {
					j.done(current, col, count, c0, n)
					current, count = q, 0
				}
				end = min(end, pixel+x1)
				count += end - p
				p = end
			}
		}
		t += run
	}
	j.done(current, col, count, c0, n)
}

// done takes count pixels off chunk q and finishes it after the last.
func (j *winogradJob) done(q, col, count, c0, n int) {
	if count == 0 || j.left[q*j.colItems+col].Add(int32(-count)) > 0 {
		return
	}
	first, m := j.chunk(q)
	j.gemm.Rows.epilogueBlock(j.epi, first, c0, m, n, q, j.dc, &j.dst[first*j.dc+c0], j.dc)
}
