package data

import (
	"errors"
	"fmt"
	"math"
)

// Crop asks for Count views of Size x Size pixels, each a random part of the
// image whose share of its area is uniform in Scale.
type Crop struct {
	Count int        `json:"count"`
	Size  int        `json:"size"`
	Scale [2]float64 `json:"scale"`
}

// MultiCrop is the list of an image's views, in order. SwAV on ImageNet:
//
//	MultiCrop{{2, 224, [2]float64{0.14, 1}}, {6, 96, [2]float64{0.05, 0.14}}}
//
// Source: SwAV (arXiv 2006.09882), section 3.3.
type MultiCrop []Crop

// Chance is a random operation: it happens with probability P, and its
// parameter is uniform in Range.
type Chance struct {
	P     float64    `json:"p"`
	Range [2]float64 `json:"range"`
}

// ColourJitter is the strength of a colour jitter that happens with probability
// P: brightness, contrast and saturation factors U(max(0,1-x),1+x), hue
// U(-Hue,Hue) of a circle, in random order.
type ColourJitter struct {
	P          float64 `json:"p"`
	Brightness float64 `json:"brightness"`
	Contrast   float64 `json:"contrast"`
	Saturation float64 `json:"saturation"`
	Hue        float64 `json:"hue"`
}

// Recipe says how a view is made of a crop. The zero value of a field leaves
// its step out. The steps, in this order, each drawing from the view's stream
// only where it is asked for:
//
//  1. random resized crop (CropBox, Resize);
//  2. Flip, the probability of a mirror image; Colour jitter (DrawJitter) with
//     its probability; Grey, the probability of Grey, before the jitter with
//     GreyFirst;
//  3. Blur, whose parameter is sigma in pixels; Solarize, the probability of
//     Solarize at 128; then levels x/255 in float32;
//  4. Gamma g: v^exp(U(-g,g));
//  5. Field: times a smooth random field, FieldSize x FieldSize values
//     U(Field) brought to the size of the view bilinearly (half-pixel centres,
//     edges repeated), the same for all channels;
//  6. Tone: v = (v-m) c + m b with the mean m of the view (all channels),
//     contrast c and brightness b drawn from Tone.Range;
//  7. clip to [0,1], subtract Mean, divide by Std, one of each per channel.
//
// A mirror image may come first or last: no step tells left from right, so that
// recipes that flip at the end are covered. Steps 1 to 3 are exact integer operations, the rest is float32 without fused
// multiply-adds: a view has the same bits on every machine.
type Recipe struct {
	Filter    Filter       `json:"filter"` // 0 bilinear, 1 bicubic
	Ratio     [2]float64   `json:"ratio"`  // of width to height; 0,0 means 3/4, 4/3
	Flip      float64      `json:"flip"`
	Colour    ColourJitter `json:"colour"`
	Grey      float64      `json:"grey"`
	GreyFirst bool         `json:"grey_first"`
	Blur      Chance       `json:"blur"`
	Solarize  float64      `json:"solarize"`
	Gamma     float64      `json:"gamma"`
	FieldSize int          `json:"field_size"`
	Field     [2]float64   `json:"field"`
	Tone      Chance       `json:"tone"`
	Mean      []float32    `json:"mean"`
	Std       []float32    `json:"std"`
}

// GreyTone is the recipe of the Fashion-MNIST runs: grey images whose
// brightness says little about what they show. It does not flip: shoes in this
// set nearly all point one way, and flips cost 1.5 points of kNN accuracy.
//
// Source: own.
func GreyTone() Recipe {
	return Recipe{
		Gamma:     1,
		FieldSize: 4, Field: [2]float64{0.5, 1.5},
		Tone: Chance{0.8, [2]float64{0.6, 1.4}},
		Mean: []float32{0.286}, Std: []float32{0.353},
	}
}

// withDefaults returns the recipe with its defaults written out, or what is
// wrong with it.
func (r Recipe) withDefaults() (Recipe, error) {
	if r.Ratio == [2]float64{} {
		r.Ratio = [2]float64{3.0 / 4, 4.0 / 3}
	}
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("recipe: "+format, args...))
		}
	}
	want(r.Filter <= Bicubic, "filter %d is neither Bilinear nor Bicubic", r.Filter)
	want(0 < r.Ratio[0] && r.Ratio[0] <= r.Ratio[1] && r.Ratio[1] <= 1e6, "ratio %v, want 0 < low <= high", r.Ratio)
	for _, p := range []struct {
		name string
		p    float64
	}{{"flip", r.Flip}, {"colour jitter", r.Colour.P}, {"grey", r.Grey}, {"blur", r.Blur.P},
		{"solarize", r.Solarize}, {"tone", r.Tone.P}} {
		want(0 <= p.p && p.p <= 1, "%s happens with probability %v, want [0,1]", p.name, p.p)
	}
	for _, c := range []struct {
		name string
		r    [2]float64
		max  float64
	}{{"blur", r.Blur.Range, 100}, {"field", r.Field, 1e3}, {"tone", r.Tone.Range, 1e3}} {
		want(0 <= c.r[0] && c.r[0] <= c.r[1] && c.r[1] <= c.max, "%s range %v, want 0 <= low <= high <= %v", c.name, c.r, c.max)
	}
	for _, x := range []float64{r.Colour.Brightness, r.Colour.Contrast, r.Colour.Saturation} {
		want(0 <= x && x <= 100, "colour jitter of strength %v, want [0,100]", x)
	}
	want(0 <= r.Colour.Hue && r.Colour.Hue <= 0.5, "colour jitter turns hues by %v, want [0,0.5]", r.Colour.Hue)
	want(0 <= r.Gamma && r.Gamma <= 4, "gamma %v, want [0,4]", r.Gamma)
	want(0 <= r.FieldSize && r.FieldSize <= 64, "field of %d values a side, want 0 to 64", r.FieldSize)
	want((len(r.Mean) == 1 || len(r.Mean) == 3) && len(r.Mean) == len(r.Std),
		"%d means and %d standard deviations, want one of each per channel (1 or 3)", len(r.Mean), len(r.Std))
	for _, s := range r.Std {
		want(s > 0, "standard deviation %v, want more than 0", s)
	}
	return r, errors.Join(errs...)
}

// Short is the shorter side to which photographs may be reduced (OpenOptions)
// before any crop has to be enlarged for it: the largest of
//
//	Size / sqrt(3/4 Scale[0])
//
// where 3/4 is the usual ratio of a crop's sides: 579 for two crops of 224 of at
// least a fifth of the area. A photograph of 12 million pixels then takes 1 MB
// of a cache instead of 36, and its views take less time.
func (m MultiCrop) Short() int {
	short := 0.0
	for _, c := range m {
		short = max(short, float64(c.Size)/math.Sqrt(0.75*c.Scale[0]))
	}
	return int(math.Ceil(short))
}

// check says what is wrong with the list.
func (m MultiCrop) check() error {
	if len(m) == 0 {
		return errors.New("multi-crop: no crops: name at least one")
	}
	for _, c := range m {
		if c.Count <= 0 || c.Size <= 0 || c.Size > 4096 || !(0 < c.Scale[0] && c.Scale[0] <= c.Scale[1] && c.Scale[1] <= 1) {
			return fmt.Errorf("multi-crop: %d crops of %d pixels with scale %v: want a count, a size up to 4096, and 0 < low <= high <= 1", c.Count, c.Size, c.Scale)
		}
	}
	return nil
}
