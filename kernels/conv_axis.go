package kernels

// convAxis is one image axis of an indirect product. Position g of the grid
// is written to g*dstStep+dst of the destination axis and its tap t reads
// g*step+off+t*tapStep of the source axis, zero outside [0, src). Tap t is
// kernel index k0+t*dk.
//
// Forward has one grid, the whole output. The input gradient has one grid per
// parity class: input positions that are equal modulo the stride see the same
// taps, and in their own coordinates they form a convolution of stride 1.
type convAxis struct {
	n, src             int
	step, off, tapStep int
	taps, k0, dk       int
	dst, dstStep, size int // size of the destination axis
}

// forwardAxis is the axis of a forward convolution.
func forwardAxis(in, out, kernel, stride, pad, dil int) convAxis {
	return convAxis{
		n: out, src: in, step: stride, off: -pad, tapStep: dil,
		taps: kernel, dk: 1, dstStep: 1, size: out,
	}
}

// inputAxis is the axis of parity class r of an input gradient: input
// positions g*stride+r, whose taps k satisfy (r+pad-k*dil) mod stride = 0.
// Such k are an arithmetic progression, and so are the outputs they read.
func inputAxis(in, out, kernel, stride, pad, dil, r int) convAxis {
	a := convAxis{
		n: max(0, (in-r+stride-1)/stride), src: out, step: 1,
		dst: r, dstStep: stride, size: in,
	}
	for a.k0 < kernel && (r+pad-a.k0*dil)%stride != 0 {
		a.k0++
	}
	if a.k0 == kernel {
		return a
	}
	a.dk = stride / gcd(stride, dil)
	a.taps = (kernel - a.k0 + a.dk - 1) / a.dk
	a.off = (r + pad - a.k0*dil) / stride
	a.tapStep = -(dil * a.dk / stride)
	return a
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// dense reports whether position g reads source position g and no other.
func (a *convAxis) dense() bool { return a.taps == 1 && a.step == 1 && a.off == 0 && a.n == a.src }

// reach is the range [lo, hi) of source positions, clipped to the image, that
// grid positions [g0, g1) read.
func (a *convAxis) reach(g0, g1 int) (lo, hi int) {
	first, last := a.off, a.off+(a.taps-1)*a.tapStep
	if last < first {
		first, last = last, first
	}
	lo = min(max(0, g0*a.step+first), a.src)
	return lo, max(lo, min(a.src, (g1-1)*a.step+last+1))
}

// inside is the range [g0, g1) of grid positions whose tap t lies in [lo, hi)
// of the source.
func (a *convAxis) inside(t, lo, hi int) (g0, g1 int) {
	o := a.off + t*a.tapStep
	g0 = min(max(0, ceilDiv(lo-o, a.step)), a.n)
	return g0, max(g0, min(a.n, ceilDiv(hi-o, a.step)))
}

// ceilDiv is ceil(a/b) for b > 0.
func ceilDiv(a, b int) int {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}

// convGrid is the product of one parity class (or of a forward pass).
type convGrid struct {
	y, x     convAxis
	rows     int // of the product: N*y.n*x.n
	perChunk int // taps of a chunk of k, see convTaps
	kc       int // channels of a chunk
	chunks   int
	weights  int // offset of its panels in a group's prepared weights, in units of NR
	merged   int // further columns that a tap covers (convPlan.merge)
	blocks   int // row blocks
}

// cut fills in how k is cut; c is the channels of a tap.
func (g *convGrid) cut(c int) {
	taps := g.y.taps * g.x.taps
	g.perChunk, g.kc = convTaps(max(taps, 1), c)
	g.chunks = ceilDiv(taps, g.perChunk) * ceilDiv(c, g.kc)
}

// chunk is part q of k: taps [t0, t1), channels [c0, c1) of each.
func (g *convGrid) chunk(q, c int) (t0, t1, c0, c1 int) {
	pieces := ceilDiv(c, g.kc)
	t0 = q / pieces * g.perChunk
	t1 = min(g.y.taps*g.x.taps, t0+g.perChunk)
	c0 = q % pieces * g.kc
	return t0, t1, c0, min(c, c0+g.kc)
}

// dense reports whether a row of the grid is the pixel of the source with the
// same number.
func (g *convGrid) dense() bool { return g.x.dense() && g.y.dense() && g.merged == 0 }
