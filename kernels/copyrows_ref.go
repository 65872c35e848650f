package kernels

func refCopyRows[F Float](a *CopyRowsArgs) {
	di, si := a.indices()
	for r := range a.Rows {
		d := a.Dst.At(at(di, r)*a.Dst.Ld, a.C)
		s := a.Src.At(at(si, r)*a.Src.Ld, a.C)
		if !a.Accumulate {
			copy(hostBytesOf(d), hostBytesOf(s))
			continue
		}
		dst, src := vals[F](d), vals[F](s)
		for k := range dst {
			dst[k] += src[k]
		}
	}
}

// CopyRows is the reference in float64.
func (Ref64) CopyRows(a *CopyRowsArgs) { refCopyRows[float64](a) }
