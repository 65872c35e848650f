package kernels

import "math"

func refSquareNorms[F Float](a *SquareNormsArgs) {
	out := a.Out.F64()
	for i, s := range a.Spans {
		out[2*i], out[2*i+1] = float64(refSquares(vals[F](s.P))), 0
		if withGrad(&s) {
			out[2*i+1] = float64(refSquares(vals[F](s.G)))
		}
	}
}

func refSquares[F Float](x []F) F {
	var s F
	for _, v := range x {
		s += v * v
	}
	return s
}

func refUpdate[F Float](a *UpdateArgs) {
	for i := range a.Spans {
		s := &a.Spans[i]
		switch {
		case !withGrad(s):
		case a.Kind >= UpdateAdam:
			refAdam[F](a, s)
		default:
			refMomentum[F](a, i)
		}
	}
}

// refMomentum is SGD, LARC and LARS of span i, as UpdateKind writes them.
func refMomentum[F Float](a *UpdateArgs, i int) {
	s := &a.Spans[i]
	p, g := vals[F](s.P), vals[F](s.G)
	m := make([]F, len(p))
	if !s.M.IsNil() {
		m = vals[F](s.M)
	}
	wd, lr, mom := F(s.Decay), F(a.LR), F(a.Momentum)
	d := make([]F, len(p))
	for k := range d {
		d[k] = g[k] + wd*p[k]
	}
	var np, ng F
	if s.Adapt && a.Kind != UpdateSGD {
		np, ng = F(math.Sqrt(a.Norms.F64()[2*i])), F(math.Sqrt(a.Norms.F64()[2*i+1]))
	}
	rate := F(1)
	switch a.Kind {
	case UpdateLARC:
		if np > 0 && ng > 0 {
			rate = F(a.Trust) * np / (ng + wd*np + F(a.Eps))
			if a.Clip {
				rate = min(rate/lr, 1)
			}
		} else {
			copy(d, g)
		}
	case UpdateLARS:
		if nd := F(math.Sqrt(float64(refSquares(d)))); np > 0 && nd > 0 {
			rate = F(a.Trust) * np / nd
		}
		rate, lr = rate*lr, 1
	}
	for k := range p {
		v := d[k] * rate
		if a.Step > 0 {
			v += mom * m[k]
		}
		m[k] = v
		if a.Nesterov && a.Kind != UpdateLARS {
			v = d[k]*rate + mom*v
		}
		p[k] -= lr * v
	}
}

func refAdam[F Float](a *UpdateArgs, s *Span) {
	p, g, m, v := vals[F](s.P), vals[F](s.G), vals[F](s.M), vals[F](s.V)
	b1, b2, t := F(a.Beta1), F(a.Beta2), float64(a.Step+1)
	c1, c2 := F(1-math.Pow(float64(b1), t)), F(1-math.Pow(float64(b2), t))
	for k := range p {
		d := g[k]
		if a.Kind == UpdateAdamW {
			p[k] *= 1 - F(a.LR)*F(s.Decay)
		} else {
			d += F(s.Decay) * p[k]
		}
		if a.Step == 0 {
			m[k], v[k] = 0, 0
		}
		m[k] = b1*m[k] + (1-b1)*d
		v[k] = b2*v[k] + (1-b2)*d*d
		p[k] -= F(a.LR) * (m[k] / c1) / (F(math.Sqrt(float64(v[k]/c2))) + F(a.Eps))
	}
}

func refEMA[F Float](a *EMAArgs) {
	for i := range a.Spans {
		s := &a.Spans[i]
		if !withGrad(s) {
			continue
		}
		k, q := vals[F](s.P), vals[F](s.G)
		for e := range k {
			k[e] = F(a.Momentum)*k[e] + (1-F(a.Momentum))*q[e]
		}
	}
}

// SquareNorms is the reference in float64.
func (Ref64) SquareNorms(a *SquareNormsArgs) { refSquareNorms[float64](a) }

// Update is the reference in float64.
func (Ref64) Update(a *UpdateArgs) { refUpdate[float64](a) }

// EMA is the reference in float64.
func (Ref64) EMA(a *EMAArgs) { refEMA[float64](a) }
