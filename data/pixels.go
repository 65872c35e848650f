package data

import (
	"fmt"
	"image"
	"image/color"
)

// take makes m the decoded picture d on a black canvas, with 1 or 3 channels.
// Only a GIF's first picture can be smaller than its canvas.
func (m *Image) take(d image.Image, canvas image.Rectangle, channels int) error {
	if g, ok := d.(*image.Gray); ok && channels == 1 {
		m.Reshape(g.Rect.Dy(), g.Rect.Dx(), 1)
		for y := range m.H {
			copy(m.Pix[y*m.W:(y+1)*m.W], g.Pix[y*g.Stride:])
		}
		return nil
	}
	at := d.Bounds()
	m.Reshape(canvas.Dy(), canvas.Dx(), 3)
	if !at.In(canvas) {
		return fmt.Errorf("picture %v beyond its canvas %v: save it again, or remove it", at, canvas)
	}
	if at != canvas {
		clear(m.Pix)
	}
	row := func(y int) []uint8 { return m.Pix[3*((at.Min.Y+y)*m.W+at.Min.X):][:3*at.Dx()] }
	switch d := d.(type) {
	case *image.YCbCr:
		ycbcr(row, d)
	case *image.Gray:
		spread(row, at, d.Pix, d.Stride, 1)
	case *image.Gray16:
		spread(row, at, d.Pix, d.Stride, 2)
	case *image.RGBA: // opaque
		gather(row, at, d.Pix, d.Stride, 1)
	case *image.NRGBA:
		gather(row, at, d.Pix, d.Stride, 1)
	case *image.RGBA64: // opaque
		gather(row, at, d.Pix, d.Stride, 2)
	case *image.NRGBA64:
		gather(row, at, d.Pix, d.Stride, 2)
	case *image.CMYK:
		cmyk(row, d)
	case *image.Paletted:
		paletted(row, d)
	default:
		return fmt.Errorf("pixels of type %T: convert it to 8-bit RGB", d)
	}
	if channels == 1 {
		m.toGrey()
	}
	return nil
}

// spread writes grey levels of size bytes, the high one first, to three
// channels.
func spread(row func(y int) []uint8, at image.Rectangle, pix []uint8, stride, size int) {
	for y := range at.Dy() {
		to, from := row(y), pix[y*stride:]
		for x := range at.Dx() {
			v := from[x*size]
			p := to[3*x : 3*x+3]
			p[0], p[1], p[2] = v, v, v
		}
	}
}

// gather leaves out the alpha of pixels of 4 levels of size bytes.
func gather(row func(y int) []uint8, at image.Rectangle, pix []uint8, stride, size int) {
	for y := range at.Dy() {
		to, from := row(y), pix[y*stride:]
		for x := range at.Dx() {
			p, q := to[3*x:3*x+3], from[4*size*x:4*size*x+4*size]
			p[0], p[1], p[2] = q[0], q[size], q[2*size]
		}
	}
}

// cmyk is level (255-k) - c (255-k)/255, rounded.
//
// Source: Pillow, src/libImaging/Convert.c, cmyk2rgb.
func cmyk(row func(y int) []uint8, d *image.CMYK) {
	for y := range d.Rect.Dy() {
		to, from := row(y), d.Pix[y*d.Stride:]
		for x := range d.Rect.Dx() {
			p, q := to[3*x:3*x+3], from[4*x:4*x+4]
			light := 255 - uint32(q[3])
			for c := range p {
				v := uint32(q[c])*light + 128
				p[c] = uint8(light - (v+v>>8)>>8)
			}
		}
	}
}

// paletted looks levels up; an index beyond the palette is black.
func paletted(row func(y int) []uint8, d *image.Paletted) {
	var table [256][3]uint8
	for i, c := range d.Palette {
		switch c := c.(type) {
		case color.RGBA:
			table[i] = [3]uint8{c.R, c.G, c.B}
		case color.NRGBA: // a transparent entry of a PNG keeps its colour
			table[i] = [3]uint8{c.R, c.G, c.B}
		}
	}
	for y := range d.Rect.Dy() {
		to, from := row(y), d.Pix[y*d.Stride:]
		for x := range d.Rect.Dx() {
			copy(to[3*x:3*x+3], table[from[x]][:])
		}
	}
}

// toGrey makes an RGB image grey, in place.
func (m *Image) toGrey() {
	for i := range m.H * m.W {
		m.Pix[i] = luma(m.Pix[3*i : 3*i+3])
	}
	m.C, m.Pix = 1, m.Pix[:m.H*m.W]
}

// toRGB makes a grey image one of three equal channels, in place.
func (m *Image) toRGB() {
	n := m.H * m.W
	grey := m.Pix
	m.Pix = grow(m.Pix, 3*n)
	copy(m.Pix, grey[:n])
	m.C = 3
	for i := n - 1; i >= 0; i-- {
		v := m.Pix[i]
		p := m.Pix[3*i : 3*i+3]
		p[0], p[1], p[2] = v, v, v
	}
}
