package kernels

// The references of the pools: windows and taps as the formula writes them,
// gradients scattered from each window in turn.

// Pool computes Y, and Index for PoolMax.
func (Ref64) Pool(a *PoolArgs) { refPool[float64](a) }

// PoolGrad computes dX from dY.
func (Ref64) PoolGrad(a *PoolArgs) { refPoolGrad[float64](a) }

func refPool[F Float](a *PoolArgs) {
	x, y := vals[F](a.X), vals[F](a.Y)
	a.eachWindow(func(o, valid int, tap func(f func(t, i int))) {
		var v F
		best := -1
		tap(func(t, i int) {
			switch {
			case a.Kind != PoolMax:
				v += x[i]
			case best < 0 || !(x[i] <= v) && v == v:
				v, best = x[i], t
			}
		})
		switch a.Kind {
		case PoolMax:
			a.Index.I32()[o] = int32(best)
		case PoolAvg:
			v /= F(a.KH * a.KW)
		case PoolAvgValid:
			v /= F(valid)
		}
		y[o] = v
	})
}

func refPoolGrad[F Float](a *PoolArgs) {
	dx, dy := vals[F](a.X), vals[F](a.Y)
	if !a.Accumulate {
		clear(dx[:a.N*a.H*a.W*a.C])
	}
	a.eachWindow(func(o, valid int, tap func(f func(t, i int))) {
		tap(func(t, i int) {
			switch a.Kind {
			case PoolMax:
				if a.Index.I32()[o] == int32(t) {
					dx[i] += dy[o]
				}
			case PoolAvg:
				dx[i] += dy[o] / F(a.KH*a.KW)
			case PoolAvgValid:
				dx[i] += dy[o] / F(valid)
			}
		})
	})
}

// eachWindow calls f for each output element o, windows in row-major order,
// with the number of its taps inside the image and with an iterator over them:
// tap t reads input element i.
func (a *PoolArgs) eachWindow(f func(o, valid int, tap func(func(t, i int)))) {
	o := 0
	for n := range a.N {
		for oh := range a.OH() {
			for ow := range a.OW() {
				h0, h1 := clip(oh*a.StrideH-a.PadH, a.KH, a.H)
				w0, w1 := clip(ow*a.StrideW-a.PadW, a.KW, a.W)
				for c := range a.C {
					f(o, (h1-h0)*(w1-w0), func(g func(t, i int)) {
						for h := h0; h < h1; h++ {
							for w := w0; w < w1; w++ {
								t := (h-oh*a.StrideH+a.PadH)*a.KW + w - ow*a.StrideW + a.PadW
								g(t, ((n*a.H+h)*a.W+w)*a.C+c)
							}
						}
					})
					o++
				}
			}
		}
	}
}
