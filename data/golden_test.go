package data

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// same fails where two images differ, and says where.
func same(t *testing.T, name string, got, want *Image) {
	t.Helper()
	if got.H != want.H || got.W != want.W || got.C != want.C {
		t.Errorf("%s: [%d,%d,%d], want [%d,%d,%d]", name, got.H, got.W, got.C, want.H, want.W, want.C)
		return
	}
	for i, v := range got.Pix {
		if v != want.Pix[i] {
			t.Errorf("%s: row %d, column %d, channel %d is %d, want %d", name, i/got.C/got.W, i/got.C%got.W, i%got.C, v, want.Pix[i])
			return
		}
	}
}

func copyImage(m *Image) *Image {
	c := *m
	c.Pix = append([]uint8(nil), m.Pix...)
	return &c
}

// channel is one channel as a grey image.
func channel(m *Image, c int) *Image {
	g := &Image{H: m.H, W: m.W, C: 1}
	for i := c; i < len(m.Pix); i += m.C {
		g.Pix = append(g.Pix, m.Pix[i])
	}
	return g
}

func TestResizeGolden(t *testing.T) {
	g := openGolden(t, "image")
	in := g.image(t, "image")
	var s Scratch
	var out Image
	check := func(name string, box Box, filter Filter) {
		want := g.image(t, name)
		Resize(&out, want.H, want.W, in, box, filter, &s)
		same(t, name, &out, want)
		for c := range 3 {
			Resize(&out, want.H, want.W, channel(in, c), box, filter, &s)
			same(t, fmt.Sprint(name, " channel ", c), &out, channel(want, c))
		}
	}
	for filter, kind := range []string{"bilinear", "bicubic"} {
		for _, size := range []string{"16x16", "24x64", "37x20", "70x90"} {
			check("resize."+kind+"."+size, in.Whole(), Filter(filter))
		}
		for i := range 3 {
			b := g.ints(t, fmt.Sprintf("crop_resize%d.box", i))
			check(fmt.Sprintf("crop_resize%d.%s", i, kind), Box{b[0], b[1], b[2], b[3]}, Filter(filter))
		}
	}
	EvalCrop(&out, in, 28, 24, Bilinear, &s)
	same(t, "eval_crop", &out, g.image(t, "eval_crop"))
}

func TestColourGolden(t *testing.T) {
	g := openGolden(t, "image")
	in := g.image(t, "image")
	for _, f := range []float64{0, 0.2, 0.75, 1, 1.4, 1.8} {
		at := strings.ReplaceAll(fmt.Sprint(f), ".", "_")
		for _, op := range []struct {
			name string
			do   func(*Image, float32)
		}{{"brightness.", Brightness}, {"contrast.", Contrast}, {"saturation.", Saturation}} {
			m := copyImage(in)
			op.do(m, float32(f))
			same(t, op.name+at, m, g.image(t, op.name+at))
		}
	}
	for _, f := range []float64{-0.2, -0.05, 0, 0.1, 0.2} {
		name := "hue." + strings.NewReplacer("-", "m", ".", "_").Replace(fmt.Sprint(f))
		m := copyImage(in)
		Hue(m, f)
		same(t, name, m, g.image(t, name))
	}
	hsv := copyImage(in)
	for i := 0; i < len(hsv.Pix); i += 3 {
		p := hsv.Pix[i : i+3]
		p[0], p[1], p[2] = toHSV(p[0], p[1], p[2])
	}
	same(t, "hsv", hsv, g.image(t, "hsv"))
	for name, change := range map[string]func(*Image){
		"gray":         Grey,
		"solarize.128": func(m *Image) { Solarize(m, 128) },
		"jitter":       (&Jitter{[4]int{2, 0, 3, 1}, 1.3, 0.6, 1.7, -0.12}).Apply,
		"hflip":        FlipH,
	} {
		m := copyImage(in)
		change(m)
		same(t, name, m, g.image(t, name))
	}
}

func TestBlurGolden(t *testing.T) {
	g := openGolden(t, "image")
	in := g.image(t, "image")
	var s Scratch
	radii := g.floats(t, "blur.radius_table", "F64")
	for i := 0; i < len(radii); i += 2 {
		sigma, radius := radii[i], radii[i+1]
		if got := float64(boxRadius(float32(sigma))); math.Abs(got-radius) > 1e-6*radius {
			t.Errorf("sigma %v: box radius %v, want %v", sigma, got, radius)
		}
		name := "blur." + strings.ReplaceAll(fmt.Sprint(sigma), ".", "_")
		want := g.image(t, name)
		m := copyImage(in)
		Blur(m, sigma, &s)
		same(t, name, m, want)
		m = channel(in, 1)
		Blur(m, sigma, &s)
		same(t, name+" channel 1", m, channel(want, 1))
	}
}

func TestCropBoxGolden(t *testing.T) {
	g := openGolden(t, "image")
	sizes, draws, boxes := g.floats(t, "rrc.size_scale", "F64"), g.floats(t, "rrc.draws", "F64"), g.ints(t, "rrc.box")
	for i := range len(sizes) / 4 {
		c, d, want := sizes[4*i:], draws[40*i:], boxes[5*i:]
		next := func() float64 { v := d[0]; d = d[1:]; return v }
		box, attempt := CropBox(int(c[0]), int(c[1]), [2]float64{c[2], c[3]}, [2]float64{3.0 / 4, 4.0 / 3}, next)
		if box != (Box{want[0], want[1], want[2], want[3]}) || attempt != want[4] {
			t.Errorf("row %d: %+v after %d attempts, want %v", i, box, attempt, want[:5])
		}
	}
}

func TestNormaliseGolden(t *testing.T) {
	g := openGolden(t, "image")
	in := g.image(t, "image")
	for name, std := range map[string]float32{"normalize.imagenet": 0.229, "normalize.swav": 0.228} {
		want := g.floats(t, name, "F32") // CHW
		c := newCanvas(Recipe{Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{std, 0.224, 0.225}}, in.W)
		got := make([]float32, len(want))
		c.normalise(got, in.Pix)
		for i, v := range got {
			if w := want[i%3*in.H*in.W+i/3]; math.Abs(float64(v)-w) > 1e-6 {
				t.Fatalf("%s: value %d is %v, want %v", name, i, v, w)
			}
		}
	}
}
