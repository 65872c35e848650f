package data

import (
	"fmt"
	"testing"

	"github.com/sectile-ml/sectile/asm"
)

// The AVX2 kernels give the integers of the Go loops, for images of all
// shapes.
func TestVectorIsScalar(t *testing.T) {
	if !asm.Has(asm.AVX2) {
		t.Skip("no AVX2")
	}
	defer func(v bool) { vector = v }(vector)
	var s Scratch
	both := func(name string, do func(m *Image)) {
		t.Helper()
		var got, want Image
		vector = true
		do(&got)
		vector = false
		do(&want)
		same(t, name, &got, &want)
	}
	r := NewStream(3, 0, 0, 0, 0)
	for i := range 400 {
		h, w, c := 1+r.IntN(60), 1+r.IntN(60), 1+2*(i%2)
		in := &Image{h, w, c, noise(1, h, w, c).Pix}
		if i%5 == 0 { // extremes
			for p := range in.Pix {
				in.Pix[p] = uint8(255 * (p / c % 2))
			}
		}
		box := Box{r.IntN(h), r.IntN(w), 0, 0}
		box.Height, box.Width = 1+r.IntN(h-box.Top), 1+r.IntN(w-box.Left)
		oh, ow := 1+r.IntN(80), 1+r.IntN(80)
		for _, f := range []Filter{Bilinear, Bicubic} {
			both(fmt.Sprintf("filter %d %+v of %dx%dx%d to %dx%d", f, box, h, w, c, oh, ow), func(m *Image) { Resize(m, oh, ow, in, box, f, &s) })
		}
		sigma := r.Uniform(0.05, 3)
		both(fmt.Sprintf("blur %v of %dx%dx%d", sigma, h, w, c), func(m *Image) {
			*m = *copyImage(in)
			Blur(m, sigma, &s)
		})
	}
}
