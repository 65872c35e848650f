package kernels

import "math"

func affineRow(dst, src, scale, shift []float32, relu bool) {
	for i := range dst {
		v := float32(math.FMA(float64(src[i]), float64(scale[i]), float64(shift[i])))
		if relu && !(v > 0) && v == v {
			v = 0
		}
		dst[i] = v
	}
}

func bnBackwardRow(dst, dy, x, mask, a, b, c []float32) {
	for i := range dst {
		d := dy[i]
		if mask != nil && !(mask[i] > 0) {
			d = 0
		}
		t := float32(math.FMA(float64(b[i]), float64(x[i]), float64(c[i])))
		dst[i] = float32(math.FMA(float64(a[i]), float64(d), float64(t)))
	}
}

func addRow(dst, src []float32) {
	for i := range dst {
		dst[i] += src[i]
	}
}

// finish applies the epilogue to m x n of y at row m0, column c0.
func finish(e *Epilogue, y []float32, ld, m0, m, c0, n, chunk int) {
	if !e.Stats.Part.IsNil() {
		part := e.Stats.Part.F32()
		for j := range n {
			var s, q, sh float32
			if !e.Stats.Shift.IsNil() {
				sh = e.Stats.Shift.F32()[c0+j]
			}
			for i := range m {
				d := y[(m0+i)*ld+c0+j] - sh
				s += d
				q = float32(math.FMA(float64(d), float64(d), float64(q)))
			}
			part[2*chunk*ld+c0+j], part[(2*chunk+1)*ld+c0+j] = s, q
		}
	}
	for i := range m {
		row := y[(m0+i)*ld+c0:][:n]
		for j := range row {
			v := row[j]
			if !e.Bias.IsNil() {
				v += e.Bias.F32()[c0+j]
			}
			if !e.Residual.IsNil() {
				v += e.Residual.F32()[(m0+i)*e.Residual.Ld+c0+j]
			}
			if e.ReLU && !(v > 0) && v == v {
				v = 0
			}
			row[j] = v
		}
	}
}

func refLoad[F Float](m Mem, p *Prologue, c int) []F {
	v := vals[F](m)
	if p.Kind == ProNone {
		return v
	}
	out := make([]F, len(v))
	group := p.Group
	if group == 0 {
		group = max(1, len(v)/c)
	}
	for i := range v {
		k := i/c/group*c + i%c
		if p.Kind == ProAffine {
			t := v[i]*vals[F](p.Scale)[k] + vals[F](p.Shift)[k]
			if p.ReLU && !(t > 0) && t == t {
				t = 0
			}
			out[i] = t
			continue
		}
		d := v[i]
		if !p.Mask.IsNil() && !(vals[F](p.Mask)[i] > 0) {
			d = 0
		}
		out[i] = vals[F](p.A)[k]*d + (vals[F](p.B)[k]*vals[F](p.X)[i] + vals[F](p.C)[k])
	}
	return out
}

func refEpilogue[F Float](e *Epilogue, acc []F, c Mat, m, n int, accumulate bool) {
	out := vals[F](c.Mem)
	gs := e.Stats.Group
	if gs == 0 {
		gs = max(1, m)
	}
	if !e.Stats.Part.IsNil() {
		clear(vals[F](e.Stats.Part))
	}
	per := (gs + StatsChunk - 1) / StatsChunk
	for i := range m {
		for j := range n {
			v := acc[i*n+j]
			if accumulate {
				v += out[i*c.Ld+j]
			}
			if !e.Stats.Part.IsNil() {
				d := v
				if !e.Stats.Shift.IsNil() {
					d -= vals[F](e.Stats.Shift)[j]
				}
				chunk := i/gs*per + i%gs/StatsChunk
				p := vals[F](e.Stats.Part)
				p[2*chunk*n+j] += d
				p[(2*chunk+1)*n+j] += d * d
			}
			if !e.Bias.IsNil() {
				v += vals[F](e.Bias)[j]
			}
			if !e.Residual.IsNil() {
				v += vals[F](e.Residual.Mem)[i*e.Residual.Ld+j]
			}
			if e.ReLU && !(v > 0) && v == v {
				v = 0
			}
			out[i*c.Ld+j] = v
		}
	}
}
