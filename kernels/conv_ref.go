package kernels

import "slices"

// The references of the three passes: obvious loops over generic floats. In
// float64 they are the oracle of every backend.

// Conv2D is the reference in float64.
func (Ref64) Conv2D(a *ConvArgs) { refConv2D[float64](a) }

// Conv2DGradInput is the reference in float64.
func (Ref64) Conv2DGradInput(a *ConvArgs) { refConv2DGradInput[float64](a) }

// Conv2DGradWeight is the reference in float64.
func (Ref64) Conv2DGradWeight(a *ConvArgs) { refConv2DGradWeight[float64](a) }

// refConv2D is y[n,oh,ow,oc] (+)= sum over kh, kw, c of x[n,ih,iw,c]*w[oc,kh,kw,c]
// with ih = oh*StrideH - PadH + kh*DilH; x is +0 outside of the image.
func refConv2D[F Float](a *ConvArgs) {
	x, w, y := loadedRef[F](a.X, &a.ProX, a.C), vals[F](a.Wt), vals[F](a.Y)
	oh, ow := a.OH(), a.OW()
	cg, og := a.C/a.Groups, a.OC/a.Groups
	stats := newStatsRef[F](&a.Epi.Stats, a.N*oh*ow, a.OC)
	for o := range y {
		oc, p := o%a.OC, o/a.OC
		n, y0, x0 := p/(oh*ow), p/ow%oh*a.StrideH-a.PadH, p%ow*a.StrideW-a.PadW
		var sum F
		for kh := range a.KH {
			for kw := range a.KW {
				ih, iw := y0+kh*a.DilH, x0+kw*a.DilW
				inside, at := ih >= 0 && ih < a.H && iw >= 0 && iw < a.W, ((n*a.H+ih)*a.W+iw)*a.C+oc/og*cg
				for c, wc := range w[((oc*a.KH+kh)*a.KW+kw)*cg:][:cg] {
					var v F
					if inside {
						v = x[at+c]
					}
					sum += v * wc
				}
			}
		}
		if a.Accumulate {
			sum += y[o]
		}
		y[o] = epilogueRef(&a.Epi, stats, p, oc, sum)
	}
}

// refConv2DGradInput is dx[n,ih,iw,c] (+)= sum over kh, kw, oc of
// dy[n,oh,ow,oc]*w[oc,kh,kw,c] for the taps with ih + PadH - kh*DilH =
// oh*StrideH; dy is +0 outside of the output.
func refConv2DGradInput[F Float](a *ConvArgs) {
	dy, w, dx := loadedRef[F](a.Y, &a.ProY, a.OC), vals[F](a.Wt), vals[F](a.X)
	oh, ow := a.OH(), a.OW()
	cg, og := a.C/a.Groups, a.OC/a.Groups
	for i := range dx {
		c, p := i%a.C, i/a.C
		n, ih, iw := p/(a.H*a.W), p/a.W%a.H, p%a.W
		g := c / cg
		var sum F
		for kh := range a.KH {
			for kw := range a.KW {
				y, x := ih+a.PadH-kh*a.DilH, iw+a.PadW-kw*a.DilW
				if y%a.StrideH != 0 || x%a.StrideW != 0 {
					continue
				}
				y, x = y/a.StrideH, x/a.StrideW
				inside, at := y >= 0 && y < oh && x >= 0 && x < ow, ((n*oh+y)*ow+x)*a.OC
				for oc := g * og; oc < (g+1)*og; oc++ {
					var v F
					if inside {
						v = dy[at+oc]
					}
					sum += v * w[((oc*a.KH+kh)*a.KW+kw)*cg+c%cg]
				}
			}
		}
		if a.Accumulate {
			sum += dx[i]
		}
		dx[i] = sum
	}
}

// refConv2DGradWeight is dw[oc,kh,kw,c] (+)= sum over the pixels whose tap
// lies inside of the image of dy[n,oh,ow,oc]*x[n,ih,iw,c].
func refConv2DGradWeight[F Float](a *ConvArgs) {
	x, dy, dw := loadedRef[F](a.X, &a.ProX, a.C), loadedRef[F](a.Y, &a.ProY, a.OC), vals[F](a.Wt)
	oh, ow := a.OH(), a.OW()
	cg, og := a.C/a.Groups, a.OC/a.Groups
	for i := range dw {
		c, kw, kh, oc := i%cg, i/cg%a.KW, i/cg/a.KW%a.KH, i/cg/a.KW/a.KH
		var sum F
		for line := range a.N * oh {
			n, ih := line/oh, line%oh*a.StrideH-a.PadH+kh*a.DilH
			if ih < 0 || ih >= a.H {
				continue
			}
			at := (n*a.H+ih)*a.W*a.C + oc/og*cg + c
			for o := range ow {
				if iw := o*a.StrideW - a.PadW + kw*a.DilW; iw >= 0 && iw < a.W {
					sum += dy[(line*ow+o)*a.OC+oc] * x[at+iw*a.C]
				}
			}
		}
		if a.Accumulate {
			sum += dw[i]
		}
		dw[i] = sum
	}
}

// loadedRef is an operand of c channels as its prologue makes it.
func loadedRef[F Float](m Mem, p *Prologue, c int) []F {
	v := slices.Clone(vals[F](m))
	for i := range v {
		v[i] = prologueRef(p, i/c, i%c, c, v[i])
	}
	return v
}
