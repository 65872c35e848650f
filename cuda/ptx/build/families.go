package main

import "fmt"

// family is one kind of product: how its operands are read, and its tiles.
type family struct {
	name    string
	formula string
	a, b    func(c *ctx) operand
	conv    bool
	mapRow  bool
	rare    bool // no large tiles
	two     int  // largest tiles of which two blocks share a multiprocessor: twoF32|twoTF32
}

func rowA(p prologue) func(c *ctx) operand {
	return func(c *ctx) operand { return &alongK{side: newSide(c, "a", p)} }
}
func rowB(c *ctx) operand { return &alongK{side: newSide(c, "b", plain)} }
func colA(p prologue) func(c *ctx) operand {
	return func(c *ctx) operand { return &alongRows{side: newSide(c, "a", p)} }
}
func colB(c *ctx) operand { return &alongRows{side: newSide(c, "b", plain)} }
func pixelA(p prologue) func(c *ctx) operand {
	return func(c *ctx) operand { return &gatherK{side: newSide(c, "a", p)} }
}
func pixelB(p prologue) func(c *ctx) operand {
	return func(c *ctx) operand { return &gatherRows{side: newSide(c, "b", p)} }
}
func weightB(c *ctx) operand { return &weightRows{side: newSide(c, "b", plain)} }

const (
	gemmFormula = "C[M,N] (+)= %s[M,K] %s[K,N]"
	fwdFormula  = "Y[n,i,j,oc] (+)= sum over kh, kw, c of %s[n, i*S-P+kh*D, j*S-P+kw*D, c] Wt[oc,kh,kw,c]: M = N*OH*OW, N = OC, K = KH*KW*C"
	ginFormula  = "dX[n,h,w,c] (+)= sum over kh, kw, oc of %s[n, (h+P-kh*D)/S, (w+P-kw*D)/S, oc] Wt[oc,kh,kw,c], one parity class of (h,w) a launch: M = its pixels, N = C, K = its taps*OC"
	gwFormula   = "dWt[oc,kh,kw,c] (+)= sum over pixels of %s[pixel,oc] %s[pixel under tap (kh,kw),c]: M = OC, N = KH*KW*C, K = N*OH*OW"
	affineText  = "relu?(x*scale+shift)"
	bnText      = "(A*dy' + B*x + C)"
)

var families = []family{
	{name: "gemm_nn", formula: fmt.Sprintf(gemmFormula, "A", "B"), a: rowA(plain), b: colB, two: twoF32 | twoTF32},
	{name: "gemm_nt", formula: fmt.Sprintf(gemmFormula, "A", "B^T"), a: rowA(plain), b: rowB},
	{name: "gemm_tn", formula: fmt.Sprintf(gemmFormula, "A^T", "B"), a: colA(plain), b: colB, two: twoF32 | twoTF32},
	{name: "gemm_tt", formula: fmt.Sprintf(gemmFormula, "A^T", "B^T"), a: colA(plain), b: rowB, rare: true},
	{name: "gemm_nn_affine", formula: fmt.Sprintf(gemmFormula, affineText+" of A", "B"), a: rowA(affine), b: colB, rare: true},
	{name: "gemm_nt_affine", formula: fmt.Sprintf(gemmFormula, affineText+" of A", "B^T"), a: rowA(affine), b: rowB},
	{name: "gemm_nn_bn", formula: fmt.Sprintf(gemmFormula, bnText+" of A", "B"), a: rowA(bnBackward), b: colB},
	{name: "gemm_nt_bn", formula: fmt.Sprintf(gemmFormula, bnText+" of A", "B^T"), a: rowA(bnBackward), b: rowB, rare: true},
	{name: "conv_forward", formula: fmt.Sprintf(fwdFormula, "X"), a: pixelA(plain), b: rowB, conv: true, two: twoTF32},
	{name: "conv_forward_affine", formula: fmt.Sprintf(fwdFormula, affineText), a: pixelA(affine), b: rowB, conv: true},
	{name: "conv_gradinput", formula: fmt.Sprintf(ginFormula, "dY"), a: pixelA(plain), b: weightB, conv: true, mapRow: true, two: twoTF32},
	{name: "conv_gradinput_bn", formula: fmt.Sprintf(ginFormula, bnText), a: pixelA(bnBackward), b: weightB, conv: true, mapRow: true},
	{name: "conv_gradweight", formula: fmt.Sprintf(gwFormula, "dY", "X"), a: colA(plain), b: pixelB(plain), conv: true},
	{name: "conv_gradweight_affine", formula: fmt.Sprintf(gwFormula, "dY", affineText), a: colA(plain), b: pixelB(affine), conv: true, rare: true},
	{name: "conv_gradweight_bn", formula: fmt.Sprintf(gwFormula, bnText, "X"), a: colA(bnBackward), b: pixelB(plain), conv: true, rare: true},
	{name: "conv_gradweight_bn_affine", formula: fmt.Sprintf(gwFormula, bnText, affineText), a: colA(bnBackward), b: pixelB(affine), conv: true},
}

// A large tile in 128 registers lets two blocks share a multiprocessor; where
// that would spill on some card, one has to do.
const (
	twoF32 = 1 << iota
	twoTF32
)

// entry prints the kernel of a family on a tile.
func (f family) entry(t tile) *Kernel {
	k := NewKernel(f.name+t.suffix(), t.threads)
	if t.BM == 128 && (f.two&twoF32 != 0 && !t.tf32 || f.two&twoTF32 != 0 && t.tf32) {
		k.MinCTA = 2
	}
	if t.BM == 64 && !t.tf32 {
		k.MinCTA = 3 // 168 registers; ptxas would spill a few for a fourth block
	}
	k.Params = tileParams
	if f.conv {
		k.Params = append(append([]Param{}, tileParams...), convParams...)
	}
	k.Shared = []Shared{{"smem", max(t.ring(), t.pieceRows()*t.BN*4), 128}, {"red", 2 * 8 * t.BN * 4, 128}}
	k.Header = t.header(k)
	c := begin(k, t)
	c.mapRow = f.mapRow
	a, b := f.a(c), f.b(c)
	a.setup(c)
	b.setup(c)
	if t.tf32 {
		m := newTensor(c)
		c.mainLoop(a, b, func() { m.multiply(c) })
		c.epilogue(m.spill)
	} else {
		m := newSIMT(c)
		c.mainLoop(a, b, func() { m.multiply(c) })
		c.epilogue(m.spill)
	}
	return k
}

func (t tile) header(k *Kernel) []string {
	h := []string{fmt.Sprintf("%s: %d x %d of C a block, %d threads, %d of k a step", k.Name, t.BM, t.BN, t.threads, bk)}
	flop := 2 * t.BM * t.BN * bk
	bytes := (t.BM + t.BN) * bk * 4
	if t.tf32 {
		n := t.TM / 16 * t.TN / 8 * bk / 8
		h = append(h, fmt.Sprintf("warp %d x %d; a step: %d mma.sync m16n8k8 and %d shared words a thread", t.TM, t.TN, n, (t.TM/16*4+t.TN/8*2)*bk/8))
	} else {
		h = append(h, fmt.Sprintf("thread %d x %d: acc[i*%d+j] is row 4*ty+i%%4+%d*(i/4), column 4*tx+j%%4+%d*(j/4)", t.TM, t.TN, t.TN, t.BM/2, t.BN/2),
			fmt.Sprintf("a step: %d fused multiply-adds and %d shared vectors a thread", t.TM*t.TN*bk, (t.TM+t.TN)/4*bk))
	}
	return append(h, fmt.Sprintf("a step of the block: %d FLOP, %d bytes from global memory, %.0f FLOP a byte", flop, bytes, float64(flop)/float64(bytes)),
		fmt.Sprintf("shared: 2 stages of %d bytes (C passes through them) and %d for sums; no bank conflicts in the loop", t.stage(), 2*8*t.BN*4))
}
