package kernels

// The shared schedule, for layers whose U is large against the tiles that it
// serves: a fused block would read all of U for few tiles and, cut by columns,
// transform the same pixels again and again. Here a round has two phases. The
// team transforms up to winogradRound floats of V to Work, and then each item
// owns winogradCols destination channels of all the round's tiles: its part of U
// passes through the core once, while V comes from the third cache. Where weights
// are not prepared the item makes its part of U in scratch (2.4 MB at 512
// channels), and what memory would have to write and to read again, 38 MB,
// exists nowhere. That a later round makes it again costs no more than to keep
// it did.

// winogradRound is the floats of V of a round: 10 MB, 128 tiles of 512 channels.
const winogradRound = 5 << 20 / 2

// winogradShares reports whether layers from sc to dc channels take the shared
// schedule: U is more than the third cache has for it, and there are 16 items.
// 512 to 512 channels at 7x7, batch 32, take 14.0 ms instead of 25 (two threads
// of a Zen 4, weights transformed inside), with prepared weights 12.5 instead
// of 18; a single image 1.3 instead of 6. At 256 channels the two are equal.
func winogradShares(sc, dc int) bool { return sc > 256 && dc > 15*winogradCols }

// cutShared cuts the tiles into rounds of about equal size, V of which takes at
// most round floats.
func (p *winogradPlan) cutShared(round int) {
	p.shared = true
	p.blocks = ceilDiv(p.all, max(1, round/(p.freqs*p.ldv)))
	p.tiles = ceilDiv(p.all, p.blocks)
	p.perItem = winogradCols
	p.lay()
}

// sharedFloats is the floats of V in Work.
func (p *winogradPlan) sharedFloats() int { return p.freqs * p.freqV }

// rounds runs the blocks one after the other.
func (j *winogradJob) rounds(c *CPU) {
	const items, most = 32, 8
	for j.first = 0; j.first < j.all; j.first += j.tiles {
		n := min(j.tiles, j.all-j.first)
		j.input = winogradInputJob{winogradJob: j, n: n, per: max(1, min(most, n/items))}
		c.team.Do(ceilDiv(n, j.input.per), n*j.freqs*j.sc/4, &j.input)
		c.team.Do(j.colItems, j.cost(n), j)
	}
	j.first, j.input = 0, winogradInputJob{}
}

// winogradInputJob transforms a round's tiles, a few an item.
type winogradInputJob struct {
	*winogradJob
	n   int // tiles of the round
	per int // of an item
}

// Tile transforms a few tiles.
func (i *winogradInputJob) Tile(w *Worker, item int) {
	t := item * i.per
	s := winogradScratch(w.Scratch(ScratchFloats))
	i.transform(&s, i.first+t, min(i.per, i.n-t), i.v[t*i.ldv:])
}
