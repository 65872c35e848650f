package kernels

func refReduce[F Float](a *ReduceArgs) {
	x := vals[F](a.X)
	for o := range a.Outer {
		rows := x[o*a.Axis*a.Inner:]
		if a.Op == ReduceArgMax {
			argMaxCols(a.Y.I32()[o*a.Inner:][:a.Inner], rows, a.Axis, a.Inner)
			continue
		}
		y := vals[F](a.Y)
		for i := range a.Inner {
			var s F
			m := rows[i]
			for r := range a.Axis {
				v := rows[r*a.Inner+i]
				s += v
				if m == m && (v > m || v != v) {
					m = v
				}
			}
			switch a.Op {
			case ReduceMean:
				s /= F(a.Axis)
			case ReduceMax:
				s = m
			}
			store(y, o*a.Inner+i, s, a.Accumulate)
		}
	}
}

// Reduce is the reference in float64.
func (Ref64) Reduce(a *ReduceArgs) { refReduce[float64](a) }
