package kernels

func refBroadcast[F Float](a *BroadcastArgs) {
	dst, x, y := vals[F](a.Dst), vals[F](a.A), vals[F](a.B)
	d, i := a.Dims, 0
	for i0 := range d[0] {
		for i1 := range d[1] {
			for i2 := range d[2] {
				for i3 := range d[3] {
					var p, q F
					if a.Op.operands() > 0 {
						p = x[i0*a.SA[0]+i1*a.SA[1]+i2*a.SA[2]+i3*a.SA[3]]
					}
					if a.Op.operands() > 1 {
						q = y[i0*a.SB[0]+i1*a.SB[1]+i2*a.SB[2]+i3*a.SB[3]]
					}
					store(dst, i, refApply(a.Op, p, q, F(a.S), F(a.T)), a.Accumulate)
					i++
				}
			}
		}
	}
}

// Broadcast is the reference in float64.
func (Ref64) Broadcast(a *BroadcastArgs) { refBroadcast[float64](a) }
