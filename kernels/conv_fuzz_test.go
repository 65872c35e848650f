package kernels

import (
	"math/rand/v2"
	"testing"
)

// FuzzConv makes a call out of any numbers and tries it on every backend.
// testdata/fuzz/FuzzConv has one shape of each kind; what fails is added there.
//
//	go test -run '^$' -fuzz FuzzConv ./kernels
func FuzzConv(f *testing.F) {
	check := newConvCheck(f)
	f.Fuzz(func(t *testing.T, n, h, w, c, oc, kh, kw, strides, pads, dils, groups uint8, seed uint64) {
		g := 1 + int(groups)%32
		s := ConvShape{N: int(n) % 34, H: 1 + int(h)%40, W: 1 + int(w)%40, C: g * (1 + int(c)%129), OC: g * (1 + int(oc)%129),
			KH: 1 + int(kh)%11, KW: 1 + int(kw)%11, StrideH: 1 + int(strides)%5, StrideW: 1 + int(strides)/5%5,
			PadH: int(pads) % 12, PadW: int(pads) / 12 % 12, DilH: 1 + int(dils)%4, DilW: 1 + int(dils)/4%4, Groups: g}
		const flop, values = 4_000_000, 1 << 17
		if s.H+2*s.PadH <= s.DilH*(s.KH-1) || s.W+2*s.PadW <= s.DilW*(s.KW-1) || s.FLOP() > flop ||
			max(s.N*s.H*s.W*s.C, s.N*s.OH()*s.OW()*s.OC, s.OC*s.KH*s.KW*s.C/g) > values {
			t.Skip("no output, or too much of it")
		}
		if err := check.try(t, randomCall(rand.New(rand.NewPCG(seed, 1)), s)); err != nil {
			t.Error(err)
		}
	})
}
