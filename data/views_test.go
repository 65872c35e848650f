package data

import (
	"hash/fnv"
	"math"
	"strings"
	"testing"
)

// noise is a set of n images of random levels.
func noise(n, h, w, c int) *Set {
	s := &Set{Name: "noise", N: n, H: h, W: w, C: c, Pix: make([]uint8, n*h*w*c)}
	r := NewStream(7, 0, 0, 0, 0)
	for i := range s.Pix {
		s.Pix[i] = uint8(r.IntN(256))
	}
	for i := range n {
		s.Labels = append(s.Labels, i%10)
	}
	return s
}

func mustViews(t testing.TB, r Recipe, m MultiCrop) *Views {
	t.Helper()
	v, err := NewViews(r, m)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// allSteps is a recipe with every step on.
func allSteps(channels int) Recipe {
	r := GreyTone()
	r.Colour, r.Grey, r.Solarize = ColourJitter{0.8, 0.4, 0.4, 0.4, 0.1}, 0.2, 0.2
	r.Flip, r.Blur = 0.5, Chance{0.5, [2]float64{0.1, 2}}
	for len(r.Mean) < channels {
		r.Mean, r.Std = append(r.Mean, 0.4), append(r.Std, 0.2)
	}
	return r
}

var twoSizes = MultiCrop{{2, 28, [2]float64{0.3, 1}}, {4, 14, [2]float64{0.15, 0.5}}}

func TestViewIsPure(t *testing.T) {
	for _, channels := range []int{1, 3} {
		v, set := mustViews(t, allSteps(channels), twoSizes), noise(20, 28, 33, channels)
		draw := func(i, crop int, s *Scratch) []float32 {
			var m Image
			if err := set.Image(i, &m); err != nil {
				t.Fatal(err)
			}
			out := make([]float32, v.crops[crop].size*v.crops[crop].size*channels)
			if err := v.View(out, &m, Key{1, 2, i, crop}, s); err != nil {
				t.Fatal(err)
			}
			return out
		}
		var kept Scratch
		var forward [][]float32
		for i := range set.N {
			for crop := range v.Crops() {
				forward = append(forward, draw(i, crop, &kept))
			}
		}
		for at := len(forward) - 1; at >= 0; at-- {
			again := draw(at/v.Crops(), at%v.Crops(), new(Scratch))
			for i, x := range again {
				if math.Float32bits(x) != math.Float32bits(forward[at][i]) {
					t.Fatalf("view %d: value %d is %v in one order and %v in another", at, i, forward[at][i], x)
				}
				if x != x || math.Abs(float64(x)) > 5 {
					t.Fatalf("view %d: value %d is %v", at, i, x)
				}
			}
		}
	}
}

// The bits of a view are part of every result, on every machine: this hash may
// not change.
func TestViewIsPinned(t *testing.T) {
	v, set := mustViews(t, allSteps(3), twoSizes), noise(4, 28, 70, 3)
	h := fnv.New64a()
	var m Image
	var s Scratch
	for i := range set.N {
		if err := set.Image(i, &m); err != nil {
			t.Fatal(err)
		}
		for crop, c := range v.crops {
			out := make([]float32, c.size*c.size*3)
			if err := v.View(out, &m, Key{3, 1, i, crop}, &s); err != nil {
				t.Fatal(err)
			}
			for _, x := range out {
				b := math.Float32bits(x)
				h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
			}
		}
	}
	if got := h.Sum64(); got != 0x5e5db70af2f5777d {
		t.Errorf("hash %#x", got)
	}
}

// plainTone is steps 4 to 7 of a Recipe as the formula says, in float64, for
// one channel.
func plainTone(r Recipe, v *Views, m *Image, key Key) []float64 {
	st := NewStream(key.Seed, ViewPurpose, key.Epoch, key.Index, key.Crop)
	size := v.crops[key.Crop].size
	box, _ := CropBox(m.H, m.W, v.scale[key.Crop], v.recipe.Ratio, st.Float64)
	var crop Image
	Resize(&crop, size, size, m, box, r.Filter, new(Scratch))
	gamma := math.Exp(st.Uniform(-r.Gamma, r.Gamma))
	n := r.FieldSize
	grid := make([]float64, n*n)
	for i := range grid {
		grid[i] = st.Uniform(r.Field[0], r.Field[1])
	}
	// weight of grid point i at pixel x: a triangle round its centre, the ends level
	weight := func(i, x int) float64 {
		at := min(max((float64(x)+0.5)*float64(n)/float64(size)-0.5, 0), float64(n-1))
		return max(0, 1-math.Abs(at-float64(i)))
	}
	out := make([]float64, size*size)
	mean := 0.0
	for p := range out {
		f := 0.0
		for i, g := range grid {
			f += g * weight(i/n, p/size) * weight(i%n, p%size)
		}
		out[p] = math.Pow(float64(crop.Pix[p])/255, gamma) * f
		mean += out[p] / float64(len(out))
	}
	c, b := 1.0, 1.0
	if st.Float64() < r.Tone.P {
		c, b = st.Uniform(r.Tone.Range[0], r.Tone.Range[1]), st.Uniform(r.Tone.Range[0], r.Tone.Range[1])
	}
	for p, x := range out {
		out[p] = (min(max((x-mean)*c+mean*b, 0), 1) - float64(r.Mean[0])) / float64(r.Std[0])
	}
	return out
}

func TestToneFollowsFormula(t *testing.T) {
	r := GreyTone()
	v, set := mustViews(t, r, twoSizes), noise(30, 28, 28, 1)
	var m Image
	var s Scratch
	got := make([]float32, 28*28)
	for i := range set.N {
		set.Image(i, &m)
		for crop := range v.Crops() {
			key := Key{5, 0, i, crop}
			if err := v.View(got, &m, key, &s); err != nil {
				t.Fatal(err)
			}
			for p, want := range plainTone(r, v, &m, key) {
				if math.Abs(float64(got[p])-want) > 1e-5 {
					t.Fatalf("image %d, crop %d, pixel %d: %v, want %v", i, crop, p, got[p], want)
				}
			}
		}
	}
}

func TestPlain(t *testing.T) {
	v, set := mustViews(t, GreyTone(), twoSizes), noise(1, 28, 28, 1)
	var m Image
	set.Image(0, &m)
	out := make([]float32, 28*28)
	if err := v.Plain(out, &m, 28, 28, new(Scratch)); err != nil {
		t.Fatal(err)
	}
	for i, x := range out {
		if want := (float64(m.Pix[i])/255 - 0.286) / 0.353; math.Abs(float64(x)-want) > 1e-6 {
			t.Fatalf("pixel %d: %v, want %v", i, x, want)
		}
	}
	if err := v.Plain(out, &m, 28, 20, new(Scratch)); err == nil {
		t.Error("a size no crop has: no error")
	}
	m.C = 3
	if err := v.Plain(out, &m, 28, 28, new(Scratch)); err == nil {
		t.Error("an image with three channels: no error")
	}
}

func TestGroups(t *testing.T) {
	v := mustViews(t, GreyTone(), MultiCrop{{1, 28, [2]float64{0.3, 1}}, {1, 28, [2]float64{0.5, 1}}, {3, 14, [2]float64{0.1, 0.3}}, {1, 28, [2]float64{1, 1}}})
	want := []Group{{0, 2, 28}, {2, 3, 14}, {5, 1, 28}}
	for i, g := range v.Groups() {
		if g != want[i] {
			t.Errorf("group %d is %+v, want %+v", i, g, want[i])
		}
	}
}

func TestRecipeErrors(t *testing.T) {
	one := MultiCrop{{1, 28, [2]float64{0.3, 1}}}
	for want, change := range map[string]func(*Recipe, *MultiCrop){
		"ratio":              func(r *Recipe, _ *MultiCrop) { r.Ratio = [2]float64{2, 1} },
		"flip happens":       func(r *Recipe, _ *MultiCrop) { r.Flip = math.NaN() },
		"grey happens":       func(r *Recipe, _ *MultiCrop) { r.Grey = 1.5 },
		"turns hues":         func(r *Recipe, _ *MultiCrop) { r.Colour.Hue = 1 },
		"of strength -1":     func(r *Recipe, _ *MultiCrop) { r.Colour.Contrast = -1 },
		"blur range":         func(r *Recipe, _ *MultiCrop) { r.Blur.Range[0] = -1 },
		"gamma 9":            func(r *Recipe, _ *MultiCrop) { r.Gamma = 9 },
		"field of 65":        func(r *Recipe, _ *MultiCrop) { r.FieldSize = 65 },
		"2 means":            func(r *Recipe, _ *MultiCrop) { r.Mean = []float32{1, 2} },
		"standard deviation": func(r *Recipe, _ *MultiCrop) { r.Std = []float32{0} },
		"filter 7":           func(r *Recipe, _ *MultiCrop) { r.Filter = 7 },
		"no crops":           func(_ *Recipe, m *MultiCrop) { *m = nil },
		"multi-crop: 0":      func(_ *Recipe, m *MultiCrop) { *m = MultiCrop{{}} },
	} {
		r, m := GreyTone(), one
		change(&r, &m)
		if _, err := NewViews(r, m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestViewAllocatesNothing(t *testing.T) {
	v, set := mustViews(t, allSteps(1), twoSizes), noise(1, 100, 100, 1)
	var m Image
	var s Scratch
	set.Image(0, &m)
	dst := make([]float32, 28*28)
	epoch := 0
	draw := func() {
		epoch++
		for crop := range v.Crops() {
			v.View(dst, &m, Key{0, epoch, 0, crop}, &s)
		}
	}
	for range 300 {
		draw()
	}
	if n := testing.AllocsPerRun(100, draw); n != 0 {
		t.Errorf("%v allocations for %d views", n, v.Crops())
	}
}

func BenchmarkView(b *testing.B) {
	for _, bench := range []struct {
		name   string
		set    *Set
		recipe Recipe
		crop   Crop
	}{
		{"recipe=greytone/image=28/size=28", noise(64, 28, 28, 1), GreyTone(), Crop{1, 28, [2]float64{0.3, 1}}},
		{"recipe=greytone/image=28/size=14", noise(64, 28, 28, 1), GreyTone(), Crop{1, 14, [2]float64{0.15, 0.5}}},
		{"recipe=crop/image=256/size=224", noise(8, 256, 256, 3), Recipe{Mean: make([]float32, 3), Std: []float32{1, 1, 1}}, Crop{1, 224, [2]float64{0.14, 1}}},
		{"recipe=swav/image=256/size=224", noise(8, 256, 256, 3), Recipe{Mean: make([]float32, 3), Std: []float32{1, 1, 1}, Flip: 0.5,
			Colour: ColourJitter{0.8, 0.8, 0.8, 0.8, 0.2}, Grey: 0.2, Blur: Chance{0.5, [2]float64{0.1, 2}}}, Crop{1, 224, [2]float64{0.14, 1}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			v := mustViews(b, bench.recipe, MultiCrop{bench.crop})
			images := make([]Image, bench.set.N)
			for i := range images {
				bench.set.Image(i, &images[i])
			}
			var s Scratch
			dst := make([]float32, bench.crop.Size*bench.crop.Size*bench.set.C)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				v.View(dst, &images[i%len(images)], Key{0, i, i % len(images), 0}, &s)
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "views/s")
		})
	}
}

// Images of any shape give views and plain views, in bounded memory.
func TestImagesOfAnyShape(t *testing.T) {
	var s Scratch
	dst := make([]float32, 28*28*3)
	for _, filter := range []Filter{Bilinear, Bicubic} {
		for _, channels := range []int{1, 3} {
			r := allSteps(channels)
			r.Filter, r.Blur.P = filter, 1
			v := mustViews(t, r, twoSizes)
			for _, shape := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {3, 500}, {500, 3}, {28, 28}, {64, 65}, {1, 100000}, {100000, 1}} {
				m := Image{shape[0], shape[1], channels, noise(1, shape[0], shape[1], channels).Pix}
				for crop := range v.Crops() {
					if err := v.View(dst, &m, Key{1, 1, 1, crop}, &s); err != nil {
						t.Fatal(err)
					}
				}
				if err := v.Plain(dst, &m, 32, 28, &s); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if n := len(s.mid) + len(s.crop.Pix); n > 1<<20 {
		t.Errorf("%d bytes of scratch", n)
	}
	if err := mustViews(t, allSteps(1), twoSizes).View(dst, &Image{H: 0, W: 3, C: 1}, Key{}, &s); err == nil {
		t.Error("an image without pixels: no error")
	}
}
