package data

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"
)

func TestRecipes(t *testing.T) {
	simclr := func() (Recipe, MultiCrop) { return SimCLR(1) }
	for name, c := range map[string]struct {
		recipe        func() (Recipe, MultiCrop)
		crops, jitter float64
		hue           float64
	}{
		"swav": {SwAV, 0.14, 0.8, 0.2}, "moco v1": {MoCoV1, 0.2, 0.4, 0.4}, "moco v2": {MoCoV2, 0.2, 0.4, 0.1},
		"simclr": {simclr, 0.08, 0.8, 0.2}, "supervised": {Supervised, 0.08, 0, 0},
	} {
		r, m := c.recipe()
		if m[0].Size != 224 || m[0].Scale != [2]float64{c.crops, 1} || r.Colour.Contrast != c.jitter || r.Colour.Hue != c.hue || r.Flip != 0.5 {
			t.Errorf("%s: %+v, %v", name, r, m)
		}
		small, few := Small(r, m, 32)
		if few[0].Size != 32 || small.Blur.P != 0 || small.Colour != r.Colour || m[0].Size != 224 {
			t.Errorf("%s, small: %+v, %v", name, small, few)
		}
		v := mustViews(t, small.Under(CIFAR10), few)
		dst := make([]float32, 32*32*3)
		var img Image
		if err := errors.Join(noise(1, 32, 32, 3).Image(0, &img), v.View(dst, &img, Key{}, new(Scratch)), v.Plain(dst, &img, 32, 32, new(Scratch))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		mustViews(t, r, m)
	}
	if _, m := Small(Recipe{}, MultiCrop{{6, 96, [2]float64{0.05, 0.14}}}, 96); m[0].Size != 41 {
		t.Errorf("96 of 224 in 96 pixels is %d", m[0].Size)
	}
}

// Every step after the crop gives the mirror image of a mirror image, so that
// it does not matter when a recipe flips.
func TestStepsCommuteWithFlip(t *testing.T) {
	r := allSteps(3)
	r.Flip = 0
	for i := range 30 {
		var a, b Scratch
		noise(30, 21, 34, 3).Image(i, &a.crop)
		noise(30, 21, 34, 3).Image(i, &b.crop)
		FlipH(&b.crop)
		x, y := NewStream(1, 2, 3, 4, i), NewStream(1, 2, 3, 4, i)
		r.levels(&x, &a)
		r.levels(&y, &b)
		FlipH(&b.crop)
		same(t, "flipped", &b.crop, &a.crop)
	}
}

// After GreyFirst the jitter sees a grey image: with P 1 all views are grey,
// and a jitter before it would have changed their levels.
func TestGreyFirst(t *testing.T) {
	r := Recipe{Colour: ColourJitter{1, 0, 0, 0, 0.5}, Grey: 1, GreyFirst: true}
	var s Scratch
	var want Image
	noise(1, 20, 20, 3).Image(0, &s.crop)
	noise(1, 20, 20, 3).Image(0, &want)
	Grey(&want)
	st := NewStream(0, 0, 0, 0, 0)
	r.levels(&st, &s)
	same(t, "grey first", &s.crop, &want)
	r.GreyFirst = false
	noise(1, 20, 20, 3).Image(0, &s.crop)
	r.levels(&st, &s)
	if far(&s.crop, &want) == 0 {
		t.Error("grey last: the hue did not matter")
	}
}

func TestMeasure(t *testing.T) {
	set := noise(40, 9, 7, 3)
	got, err := Measure(t.Context(), set, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for c := range 3 {
		var sum, sq, n float64
		for i := c; i < len(set.Pix); i += 3 {
			v := float64(set.Pix[i]) / 255
			sum, sq, n = sum+v, sq+v*v, n+1
		}
		mean := sum / n
		if std := math.Sqrt(sq/n - mean*mean); math.Abs(float64(got.Mean[c])-mean) > 1e-6 || math.Abs(float64(got.Std[c])-std) > 1e-6 {
			t.Errorf("channel %d: %v, want %v %v", c, got, mean, std)
		}
	}
	few, err := Measure(t.Context(), set, 4)
	if err != nil || few.Mean[0] == got.Mean[0] || math.Abs(float64(few.Mean[0]-got.Mean[0])) > 0.1 {
		t.Errorf("of four images: %v, %v", few, err)
	}
	flat := &Set{N: 1, H: 2, W: 2, C: 1, Pix: make([]uint8, 4)}
	if s, err := Measure(t.Context(), flat, 1); err != nil || s.Mean[0] != 0 || s.Std[0] != 1 {
		t.Errorf("black: %v, %v", s, err)
	}
	flat.Pix = nil
	if _, err := Measure(t.Context(), flat, 1); err == nil {
		t.Error("nothing to read: no error")
	}
}

func TestRate(t *testing.T) {
	set := noise(5, 40, 40, 1)
	v := mustViews(t, allSteps(1), twoSizes)
	for _, decoded := range []int{0, 3} {
		if r, err := Rate(t.Context(), set, v, 2, decoded, 10*time.Millisecond); err != nil || r <= 0 {
			t.Errorf("%v images/s, %v", r, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Rate(ctx, set, v, 2, 0, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	set.Pix = nil
	if _, err := Rate(t.Context(), set, v, 2, 0, time.Hour); err == nil {
		t.Error("no images: no error")
	}
}
