package data

import "fmt"

// Group is a run of crops of one size: crops First to First+Count-1, all
// Size x Size. A batch holds one buffer a group.
type Group struct{ First, Count, Size int }

// Views makes the views of an image. It holds what all views share, is
// read-only after NewViews, and serves any number of goroutines.
type Views struct {
	recipe   Recipe
	channels int
	groups   []Group
	crops    []*canvas // by crop
	scale    [][2]float64
	logs     [256]float64 // ln(x/255)
}

// canvas is what all views of one size share.
type canvas struct {
	size      int
	planned   [planned + 1]taps // by length of the side that is resized
	levels    []float32         // x/255 normalised [256,C]
	mean, inv []float32         // of one row [size*C]
	lerp      []lerp            // of the field [size]
}

// planned is the longest side of a crop whose taps are computed once and for
// all; for longer ones they are a small share of the work.
const planned = 64

// lerp says that a value lies between grid points i and j, f of the way.
type lerp struct {
	i, j int
	f    float32
}

// NewViews prepares a recipe for the crops of images with len(recipe.Mean)
// channels.
func NewViews(recipe Recipe, crops MultiCrop) (*Views, error) {
	recipe, err := recipe.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := crops.check(); err != nil {
		return nil, err
	}
	v := &Views{recipe: recipe, channels: len(recipe.Mean)}
	for x := 1; x < 256; x++ {
		v.logs[x] = ln(float64(x) / 255)
	}
	bySize := map[int]*canvas{}
	for _, c := range crops {
		if bySize[c.Size] == nil {
			bySize[c.Size] = newCanvas(recipe, c.Size)
		}
		if n := len(v.groups); n > 0 && v.groups[n-1].Size == c.Size {
			v.groups[n-1].Count += c.Count
		} else {
			v.groups = append(v.groups, Group{len(v.crops), c.Count, c.Size})
		}
		for range c.Count {
			v.crops = append(v.crops, bySize[c.Size])
			v.scale = append(v.scale, c.Scale)
		}
	}
	return v, nil
}

func newCanvas(r Recipe, size int) *canvas {
	c := &canvas{size: size}
	for n := 1; n <= planned; n++ {
		c.planned[n].plan(n, size, r.Filter)
	}
	channels := len(r.Mean)
	for range size {
		for ch := range channels {
			c.mean = append(c.mean, r.Mean[ch])
			c.inv = append(c.inv, 1/r.Std[ch])
		}
	}
	for x := range 256 {
		for ch := range channels {
			c.levels = append(c.levels, (float32(x)/255-c.mean[ch])*c.inv[ch])
		}
	}
	for x := range size {
		at := float64((float64(x)+0.5)*float64(r.FieldSize))/float64(size) - 0.5
		at = min(max(at, 0), float64(max(r.FieldSize-1, 0)))
		i := int(at)
		c.lerp = append(c.lerp, lerp{i, min(i+1, max(r.FieldSize-1, 0)), float32(at - float64(i))})
	}
	return c
}

// Groups lists the runs of equally large crops, in order of the crops.
func (v *Views) Groups() []Group { return v.groups }

// Crops is the number of views of an image.
func (v *Views) Crops() int { return len(v.crops) }

// Channels is the number of channels of the images and of the views.
func (v *Views) Channels() int { return v.channels }

// Key names a view. Index is usually the number of the image.
type Key struct {
	Seed               uint64
	Epoch, Index, Crop int
}

// View writes crop key.Crop of the image, normalised, to dst [size,size,C]. It
// is a pure function of (image, key): everything random comes from
// NewStream(seed, ViewPurpose, epoch, index, crop). It fails where the image
// has another number of channels, or no pixels.
func (v *Views) View(dst []float32, m *Image, key Key, s *Scratch) error {
	if err := v.check(m); err != nil {
		return err
	}
	r, c := &v.recipe, v.crops[key.Crop]
	stream := NewStream(key.Seed, ViewPurpose, key.Epoch, key.Index, key.Crop)
	box, _ := CropBox(m.H, m.W, v.scale[key.Crop], r.Ratio, stream.Float64)
	s.resize(&s.crop, m, box, c.taps(&s.x, box.Width, r.Filter), c.taps(&s.y, box.Height, r.Filter))
	r.levels(&stream, s)
	if r.Gamma == 0 && r.FieldSize == 0 && r.Tone.P == 0 {
		c.normalise(dst, s.crop.Pix)
		return nil
	}
	v.tone(dst[:len(s.crop.Pix)], c, &stream, s)
	return nil
}

// levels is steps 2 and 3, on s.crop.
func (r *Recipe) levels(stream *Stream, s *Scratch) {
	chance := func(p float64) bool { return p > 0 && stream.Float64() < p }
	if chance(r.Flip) {
		FlipH(&s.crop)
	}
	if r.GreyFirst && chance(r.Grey) {
		Grey(&s.crop)
	}
	if c := &r.Colour; chance(c.P) {
		j := DrawJitter(c.Brightness, c.Contrast, c.Saturation, c.Hue, stream)
		j.Apply(&s.crop)
	}
	if !r.GreyFirst && chance(r.Grey) {
		Grey(&s.crop)
	}
	if chance(r.Blur.P) {
		Blur(&s.crop, stream.Uniform(r.Blur.Range[0], r.Blur.Range[1]), s)
	}
	if chance(r.Solarize) {
		Solarize(&s.crop, 128)
	}
}

// Plain writes the image without anything random to dst [size,size,C]: its
// middle after a resize of the shorter side to short pixels (EvalCrop),
// normalised as the views are. size must be the size of one of the crops; it
// fails where it is not, and where View would.
func (v *Views) Plain(dst []float32, m *Image, short, size int, s *Scratch) error {
	if err := v.check(m); err != nil {
		return err
	}
	for _, c := range v.crops {
		if c.size == size && size <= short {
			EvalCrop(&s.crop, m, short, size, v.recipe.Filter, s)
			c.normalise(dst, s.crop.Pix)
			return nil
		}
	}
	return fmt.Errorf("no view has %d pixels a side and fits in %d: choose the size of a crop", size, short)
}

func (v *Views) check(m *Image) error {
	if m.C != v.channels || m.H <= 0 || m.W <= 0 || len(m.Pix) != m.H*m.W*m.C {
		return fmt.Errorf("image [%d,%d,%d] of %d bytes: the recipe is for %d channels", m.H, m.W, m.C, len(m.Pix), v.channels)
	}
	return nil
}

// taps returns the canvas's own taps for a side of n pixels, or computes them
// into own.
func (c *canvas) taps(own *taps, n int, filter Filter) *taps {
	if n <= planned {
		return &c.planned[n]
	}
	own.plan(n, c.size, filter)
	return own
}

func (c *canvas) normalise(dst []float32, pix []uint8) {
	channels := len(c.mean) / c.size
	for i := 0; i < len(pix); i += channels {
		for ch := range channels {
			dst[i+ch] = c.levels[int(pix[i+ch])*channels+ch]
		}
	}
}
