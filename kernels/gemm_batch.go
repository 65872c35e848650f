package kernels

// batchJob is a batch of products, each small enough for one thread: a tile is
// a product.
type batchJob struct {
	g    *gemmState
	args GemmArgs
	plan gemmPlan
}

// batch runs n products. Where they are few or large, or need memory of their
// own, each is shared by the team; else each is one thread's. The bits are the
// same either way: they depend on a product's shape alone.
func (g *gemmState) batch(a *GemmArgs, n int) {
	one := a.Product(0)
	p := g.kernel.plan(&one, 1, true)
	if n < 2*g.team.Size() || p.packAll || p.lanes > 1 {
		for i := range n {
			one = a.Product(i)
			g.Gemm(&one)
		}
		return
	}
	b := g.batches.get()
	b.g, b.args, b.plan = g, *a, p
	g.team.Do(n, 2*n*a.M*a.N*a.K/g.kernel.Rate, b)
	*b = batchJob{}
	g.batches.put(b)
}

// Tile is product i.
func (b *batchJob) Tile(w *Worker, i int) {
	j := b.g.jobs.get()
	one := b.args.Product(i)
	j.set(b.plan, &one, b.g.kernel)
	j.packs = j.packed()
	for u := range j.rowUnits * j.colUnits {
		j.Tile(w, u)
	}
	*j = gemmJob{}
	b.g.jobs.put(j)
}
