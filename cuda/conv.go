package cuda

import (
	"iter"

	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// Conv2D is Y (+)= X * Wt as an implicit product: M = N*OH*OW, N = OC,
// K = KH*KW*C; nothing is copied out of X.
func (d *Device) Conv2D(a *kernels.ConvArgs) { d.conv("Conv2D", a, kernels.PassForward) }

// Conv2DGradInput is the gradient of X: M = N*H*W, K = KH*KW*OC. A stride is
// served by one product per parity of (h, w), which knows its taps: no
// multiplication by zeros.
func (d *Device) Conv2DGradInput(a *kernels.ConvArgs) {
	d.conv("Conv2DGradInput", a, kernels.PassGradInput)
}

// Conv2DGradWeight is the gradient of Wt: M = OC, N = KH*KW*C, K = N*OH*OW, in
// splits of the pixels that a second pass adds in order.
func (d *Device) Conv2DGradWeight(a *kernels.ConvArgs) {
	d.conv("Conv2DGradWeight", a, kernels.PassGradWeight)
}

func (d *Device) conv(op string, a *kernels.ConvArgs, pass kernels.Pass) {
	if a.N == 0 || a.OC == 0 || a.C == 0 {
		return
	}
	pixels := a.N * a.OH() * a.OW()
	floats(op, a.N*a.H*a.W*a.C, a.X)
	floats(op, a.OC*a.KH*a.KW*a.C/a.Groups, a.Wt)
	floats(op, pixels*a.OC, a.Y)
	checkEpilogue(op, &a.Epi, pixels, a.OC)
	checkPrologue(op, &a.ProX, a.N*a.H*a.W, a.C)
	checkPrologue(op, &a.ProY, pixels, a.OC)
	b := *a
	b.Pass = pass
	for t := range convTiles(&b) {
		d.product(op, &t)
	}
}

// convTiles are the products of a convolution's pass.
func convTiles(a *kernels.ConvArgs) iter.Seq[tileArgs] {
	return func(yield func(tileArgs) bool) {
		switch {
		case a.Pass == kernels.PassForward && pointwise(a):
			yield(pointwiseForward(a))
		case a.Pass == kernels.PassForward:
			yield(convForward(a))
		case a.Pass == kernels.PassGradWeight:
			yield(convGradWeight(a))
		case pointwise(a):
			yield(pointwiseGradInput(a))
		default:
			for h := range min(a.StrideH, a.H) {
				for w := range min(a.StrideW, a.W) {
					if !yield(convGradInput(a, h, w)) {
						return
					}
				}
			}
		}
	}
}

// pointwise reports whether pixels are rows of a plain product.
func pointwise(a *kernels.ConvArgs) bool {
	return a.KH == 1 && a.KW == 1 && a.StrideH == 1 && a.StrideW == 1 && a.PadH == 0 && a.PadW == 0 && a.Groups == 1
}

func pointwiseForward(a *kernels.ConvArgs) tileArgs {
	m := a.N * a.H * a.W
	g := kernels.GemmArgs{M: m, N: a.OC, K: a.C, TransB: true, A: kernels.Mat{Mem: a.X, Ld: a.C}, B: kernels.Mat{Mem: a.Wt, Ld: a.C},
		C: kernels.Mat{Mem: a.Y, Ld: a.OC}, Accumulate: a.Accumulate, Pro: a.ProX, Epi: a.Epi, Work: a.Work}
	return gemmTile(&g)
}

func pointwiseGradInput(a *kernels.ConvArgs) tileArgs {
	m := a.N * a.H * a.W
	g := kernels.GemmArgs{M: m, N: a.C, K: a.OC, A: kernels.Mat{Mem: a.Y, Ld: a.OC}, B: kernels.Mat{Mem: a.Wt, Ld: a.C},
		C: kernels.Mat{Mem: a.X, Ld: a.C}, Accumulate: a.Accumulate, Pro: a.ProY, Work: a.Work}
	return gemmTile(&g)
}

// convForward walks the input with the convolution's stride.
func convForward(a *kernels.ConvArgs) tileArgs {
	cg, og := a.C/a.Groups, a.OC/a.Groups
	k := a.KH * a.KW * cg
	return tileArgs{
		kernels: []*ptx.Product{ptx.ConvForward, ptx.ConvForwardAffine}[a.ProX.Kind],
		m:       a.N * a.OH() * a.OW(), n: og, k: k, a: a.X, b: a.Wt, c: a.Y, ldb: k, ldc: a.OC,
		za: cg, zb: og * k, zc: og, groups: a.Groups, channels: a.OC,
		vecA:       vectors(cg, nil, append(prologueMems(&a.ProX), a.X)...) == 1,
		vecB:       vectors(k, nil, a.Wt) == 1,
		accumulate: a.Accumulate, epi: a.Epi, p: a.ProX, pRows: a.N * a.H * a.W, pWidth: a.C, work: a.Work,
		conv: forwardGather(a),
	}
}

// forwardGather is the input's pixels under the taps of the output's.
func forwardGather(a *kernels.ConvArgs) *gather {
	return &gather{srcH: a.H, srcW: a.W, srcC: a.C, strideH: a.StrideH, strideW: a.StrideW, offH: -a.PadH, offW: -a.PadW, dilH: a.DilH, dilW: a.DilW,
		area: a.OH() * a.OW(), rowW: a.OW(), ck: a.C / a.Groups, tw: a.KW}
}

// axis is one axis of a parity class of the input gradient: pixels
// first + i*stride for i < n read output pixel i + off - t*step under tap
// tap0 + t*tapStep, t < taps.
type axis struct{ n, off, step, tap0, tapStep, taps int }

// classAxis solves (first + pad - tap*dil) mod stride = 0 for the taps.
func classAxis(size, first, stride, pad, dil, taps int) axis {
	x := axis{n: ceil(size-first, stride), tapStep: stride / gcd(stride, dil)}
	x.step = x.tapStep * dil / stride
	for tap := 0; tap < min(x.tapStep, taps); tap++ {
		if (first+pad-tap*dil)%stride == 0 {
			x.tap0, x.off, x.taps = tap, (first+pad-tap*dil)/stride, ceil(taps-tap, x.tapStep)
		}
	}
	return x
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// convGradInput is the product of one parity class: pixels (h0 + i*StrideH,
// w0 + j*StrideW) of dX.
func convGradInput(a *kernels.ConvArgs, h0, w0 int) tileArgs {
	cg, og := a.C/a.Groups, a.OC/a.Groups
	y := classAxis(a.H, h0, a.StrideH, a.PadH, a.DilH, a.KH)
	x := classAxis(a.W, w0, a.StrideW, a.PadW, a.DilW, a.KW)
	return tileArgs{
		kernels: map[kernels.ProKind]*ptx.Product{kernels.ProNone: ptx.ConvGradInput, kernels.ProBNBackward: ptx.ConvGradInputBN}[a.ProY.Kind],
		m:       a.N * y.n * x.n, n: cg, k: y.taps * x.taps * og, a: a.Y, b: a.Wt, c: a.X, ldc: a.C,
		za: og, zb: og * a.KH * a.KW * cg, zc: cg, groups: a.Groups, channels: a.C,
		vecA:       vectors(og, nil, append(prologueMems(&a.ProY), a.Y)...) == 1,
		vecB:       vectors(cg, nil, a.Wt) == 1,
		accumulate: a.Accumulate, p: a.ProY, pRows: a.N * a.OH() * a.OW(), pWidth: a.OC, work: a.Work,
		conv: &gather{srcH: a.OH(), srcW: a.OW(), srcC: a.OC, strideH: 1, strideW: 1, offH: y.off, offW: x.off, dilH: -y.step, dilW: -x.step,
			area: y.n * x.n, rowW: x.n, ck: og, tw: max(1, x.taps),
			wOC: a.KH * a.KW * cg, wTH: y.tapStep * a.KW * cg, wTW: x.tapStep * cg, wBase: (y.tap0*a.KW + x.tap0) * cg,
			outArea: a.H * a.W, outW: a.W, outSH: a.StrideH, outSW: a.StrideW, outH0: h0, outW0: w0},
	}
}

// convGradWeight sums over pixels: dY is A transposed, the gathered input is B.
func convGradWeight(a *kernels.ConvArgs) tileArgs {
	cg, og := a.C/a.Groups, a.OC/a.Groups
	n, pixels := a.KH*a.KW*cg, a.N*a.OH()*a.OW()
	return tileArgs{
		kernels: [][2]*ptx.Product{{ptx.ConvGradWeight, ptx.ConvGradWeightAffine}, {ptx.ConvGradWeightBN, ptx.ConvGradWeightBNAffine}}[flag(a.ProY.Kind != kernels.ProNone)][a.ProX.Kind],
		m:       og, n: n, k: pixels, a: a.Y, b: a.X, c: a.Wt, lda: a.OC, ldc: n,
		za: og, zb: cg, zc: og * n, groups: a.Groups, stacked: true, channels: n,
		vecA:       vectors(og, []int{a.OC}, append(prologueMems(&a.ProY), a.Y)...) == 1,
		vecB:       vectors(cg, nil, append(prologueMems(&a.ProX), a.X)...) == 1,
		accumulate: a.Accumulate, p: a.ProY, pRows: pixels, pWidth: a.OC, q: a.ProX, qRows: a.N * a.H * a.W, qWidth: a.C, work: a.Work,
		conv: forwardGather(a),
	}
}
