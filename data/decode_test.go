package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// picture is an RGB test image without hard edges.
func picture(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(40 + 150*x/w), uint8(200 - 120*y/h), uint8(90 + 60*(x+y)/(w+h)), 255})
		}
	}
	return m
}

func encode(t testing.TB, kind string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch kind {
	case "jpeg":
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t *testing.T, file []byte, channels int) *Image {
	t.Helper()
	m := new(Image)
	if err := Decode(m, file, channels, 0); err != nil {
		t.Fatal(err)
	}
	return m
}

// far is the largest difference of levels.
func far(a, b *Image) int {
	if a.H != b.H || a.W != b.W || a.C != b.C || len(a.Pix) != len(b.Pix) {
		return 1000
	}
	d := 0
	for i, v := range a.Pix {
		d = max(d, int(v)-int(b.Pix[i]), int(b.Pix[i])-int(v))
	}
	return d
}

// levels is an image of the given pixels in one row.
func levels(channels int, pix ...uint8) *Image {
	return &Image{1, len(pix) / channels, channels, pix}
}

func TestDecodePNG(t *testing.T) {
	row := image.Rect(0, 0, 2, 1)
	for _, c := range []struct {
		name string
		in   image.Image
		want *Image
	}{
		{"rgb", &image.NRGBA{Pix: []uint8{1, 2, 3, 255, 4, 5, 6, 255}, Stride: 8, Rect: row}, levels(3, 1, 2, 3, 4, 5, 6)},
		{"alpha is dropped", &image.NRGBA{Pix: []uint8{1, 2, 3, 0, 4, 5, 6, 9}, Stride: 8, Rect: row}, levels(3, 1, 2, 3, 4, 5, 6)},
		{"16 bits", &image.NRGBA64{Pix: []uint8{1, 9, 2, 9, 3, 9, 255, 255, 4, 9, 5, 9, 6, 9, 255, 255}, Stride: 16, Rect: row}, levels(3, 1, 2, 3, 4, 5, 6)},
		{"16 bits, alpha", &image.NRGBA64{Pix: []uint8{1, 9, 2, 9, 3, 9, 0, 5, 4, 9, 5, 9, 6, 9, 7, 7}, Stride: 16, Rect: row}, levels(3, 1, 2, 3, 4, 5, 6)},
		{"grey", &image.Gray{Pix: []uint8{7, 200}, Stride: 2, Rect: row}, levels(3, 7, 7, 7, 200, 200, 200)},
		{"grey 16", &image.Gray16{Pix: []uint8{7, 255, 200, 1}, Stride: 4, Rect: row}, levels(3, 7, 7, 7, 200, 200, 200)},
		{"palette", &image.Paletted{Pix: []uint8{1, 0}, Stride: 2, Rect: row, Palette: color.Palette{color.RGBA{4, 5, 6, 255}, color.RGBA{1, 2, 3, 255}}}, levels(3, 1, 2, 3, 4, 5, 6)},
		{"palette, alpha", &image.Paletted{Pix: []uint8{1, 0}, Stride: 2, Rect: row, Palette: color.Palette{color.NRGBA{4, 5, 6, 0}, color.NRGBA{1, 2, 3, 99}}}, levels(3, 1, 2, 3, 4, 5, 6)},
	} {
		file := encode(t, "png", c.in)
		same(t, c.name, decode(t, file, 3), c.want)
		want := copyImage(c.want)
		want.toGrey()
		same(t, c.name+" as grey", decode(t, file, 1), want)
	}
}

func TestDecodeGIF(t *testing.T) {
	p := color.Palette{color.RGBA{1, 2, 3, 255}, color.RGBA{4, 5, 6, 255}}
	frame := func(r image.Rectangle, pix ...uint8) *image.Paletted {
		return &image.Paletted{Pix: pix, Stride: r.Dx(), Rect: r, Palette: p}
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame(image.Rect(1, 0, 2, 1), 1), frame(image.Rect(0, 0, 3, 1), 0, 0, 0)},
		Delay: []int{1, 1}, Config: image.Config{ColorModel: p, Width: 3, Height: 1}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "first frame on its canvas", decode(t, b.Bytes(), 3), levels(3, 0, 0, 0, 4, 5, 6, 0, 0, 0))
}

func TestDecodeJPEG(t *testing.T) {
	// Go's encoder writes chroma at half the resolution: sizes odd and even.
	for _, size := range [][2]int{{1, 1}, {16, 16}, {33, 47}, {100, 75}} {
		m := picture(size[0], size[1])
		want := decode(t, encode(t, "png", m), 3)
		if d := far(decode(t, encode(t, "jpeg", m), 3), want); d > 12 {
			t.Errorf("%v: %d levels from the original", size, d)
		}
	}
	grey := image.NewGray(image.Rect(0, 0, 20, 9))
	for i := range grey.Pix {
		grey.Pix[i] = uint8(i)
	}
	file := encode(t, "jpeg", grey)
	one, three := decode(t, file, 1), decode(t, file, 3)
	one.toRGB()
	same(t, "grey", three, one)
}

// cmykJPEG is an 8x8 JPEG of four components that are 255 where bright says so
// and else 0. transform is Adobe's: 0 CMYK, 2 YCCK; both are stored inverted.
func cmykJPEG(transform byte, bright [4]bool) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, transform}
	b = append(b, 0xff, 0xdb, 0, 67, 0)
	b = append(b, bytes.Repeat([]byte{8}, 64)...) // a DC of n moves levels by n from 128
	b = append(b, 0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0)
	// Codes of DC: 0 is eight bits, 10 none; of AC: 0 is the end of the block.
	b = append(b, 0xff, 0xc4, 0, 21, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0)
	b = append(b, 0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, 0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)
	bits, n := uint64(0), 0
	put := func(v, size int) { bits, n = bits<<size|uint64(v), n+size }
	for _, b := range bright {
		put(0, 1)
		if b {
			put(128, 8) // +128
		} else {
			put(127, 8) // -128
		}
		put(0, 1)
	}
	put(1<<(64-n)-1, 64-n)
	b = binary.BigEndian.AppendUint64(b, bits)
	return append(b, 0xff, 0xd9)
}

func TestDecodeCMYK(t *testing.T) {
	m := decode(t, cmykJPEG(0, [4]bool{false, true, true, true}), 3)
	same(t, "cyan ink", &Image{1, 2, 3, m.Pix[:6]}, levels(3, 0, 255, 255, 0, 255, 255))
	m = decode(t, cmykJPEG(0, [4]bool{true, true, true, false}), 3)
	same(t, "black ink", &Image{1, 1, 3, m.Pix[:3]}, levels(3, 0, 0, 0))
	m = decode(t, cmykJPEG(2, [4]bool{true, true, true, true}), 1)
	if m.H != 8 || m.W != 8 || m.C != 1 {
		t.Errorf("YCCK: [%d,%d,%d]", m.H, m.W, m.C)
	}
	// Pillow's formula, over its whole range.
	for c := range 256 {
		for k := range 256 {
			d := &image.CMYK{Pix: []uint8{uint8(c), 0, 255, uint8(k)}, Stride: 4, Rect: image.Rect(0, 0, 1, 1)}
			if err := m.take(d, d.Rect, 3); err != nil {
				t.Fatal(err)
			}
			exact := float64(255-k) * float64(255-c) / 255
			if got := float64(m.Pix[0]); got < exact-0.51 || got > exact+0.51 || m.Pix[1] != uint8(255-k) || m.Pix[2] != 0 {
				t.Fatalf("c %d k %d: %v, want %v", c, k, m.Pix, exact)
			}
		}
	}
}

// Chroma at half the resolution is interpolated as libjpeg does, at every
// width and height.
func TestChroma(t *testing.T) {
	r := NewStream(1, 0, 0, 0, 0)
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410} {
		for w := 1; w < 12; w++ {
			for h := 1; h < 6; h++ {
				d := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
				for _, p := range [][]uint8{d.Y, d.Cb, d.Cr} {
					for i := range p {
						p[i] = uint8(r.IntN(256))
					}
				}
				var m Image
				if err := m.take(d, d.Rect, 3); err != nil {
					t.Fatal(err)
				}
				for y := range h {
					for x := range w {
						l := float64(d.Y[d.YOffset(x, y)])
						b, c := chromaAt(d, d.Cb, x, y)-128, chromaAt(d, d.Cr, x, y)-128
						for i, v := range []float64{l + 1.402*c, l - 0.34414*b - 0.71414*c, l + 1.772*b} {
							v = min(max(v, 0), 255)
							if got := float64(m.Pix[3*(y*w+x)+i]); got < v-2 || got > v+2 {
								t.Fatalf("%v %dx%d: pixel (%d,%d) channel %d is %v, want %v", ratio, h, w, y, x, i, got, v)
							}
						}
					}
				}
			}
		}
	}
}

// chromaAt is chroma at a pixel, in exact numbers.
func chromaAt(d *image.YCbCr, plane []uint8, x, y int) float64 {
	w, h := d.Rect.Dx(), d.Rect.Dy()
	halfX := d.SubsampleRatio == image.YCbCrSubsampleRatio422 || d.SubsampleRatio == image.YCbCrSubsampleRatio420
	halfY := d.SubsampleRatio == image.YCbCrSubsampleRatio440 || d.SubsampleRatio == image.YCbCrSubsampleRatio420
	if !halfX && !halfY || halfX && (w+1)/2 <= 2 {
		return float64(plane[d.COffset(x, y)])
	}
	at := func(half bool, x, n int) (near, far int) {
		if !half {
			return x, x
		}
		return x / 2, min(max(x/2+x%2*2-1, 0), (n+1)/2-1)
	}
	x0, x1 := at(halfX, x, w)
	y0, y1 := at(halfY, y, h)
	p := func(x, y int) float64 { return float64(plane[y*d.CStride+x]) }
	return (9*p(x0, y0) + 3*p(x1, y0) + 3*p(x0, y1) + p(x1, y1)) / 16
}

// pngHeader is the beginning of a PNG that claims a size.
func pngHeader(w, h uint32) []byte {
	c := append([]byte("IHDR"), 0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0)
	binary.BigEndian.PutUint32(c[4:], w)
	binary.BigEndian.PutUint32(c[8:], h)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), c...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(c))
}

func TestDecodeRefuses(t *testing.T) {
	photo, chart := encode(t, "jpeg", picture(40, 30)), encode(t, "png", picture(40, 30))
	giant := bytes.Clone(photo)
	at := bytes.Index(giant, []byte{0xff, 0xc0})
	copy(giant[at+5:], []byte{0xff, 0xff, 0xff, 0xff})
	scans := append(bytes.Clone(photo[:len(photo)-2]), bytes.Repeat([]byte{0xff, 0xda, 0, 0}, maxScans)...)
	for _, c := range []struct {
		want string
		file []byte
	}{
		{"the file is empty", nil},
		{"starts with 68 65", []byte("hello")},
		{"is WebP", []byte("RIFF\x10\x00\x00\x00WEBPVP8 ")},
		{"is TIFF", []byte("II*\x00....")},
		{"is HEIF", []byte("\x00\x00\x00\x18ftypheic")},
		{"is a web page", []byte("<html>not found")},
		{"PNG of 20000x20000 pixels", pngHeader(20000, 20000)},
		{"PNG: ", pngHeader(1<<31-1, 1<<31-1)},
		{"PNG ends too early", pngHeader(10, 10)},
		{"PNG: ", chart[:len(chart)/2]},
		{"JPEG of 65535x65535 pixels", giant},
		{"JPEG ends too early", photo[:len(photo)/2]},
		{"JPEG ends too early", photo[:3]},
		{"JPEG of 101 scans", scans},
		{"GIF", []byte("GIF89a\x00\x00\x00\x00\x00\x00\x00;")},
	} {
		var m Image
		err := Decode(&m, c.file, 3, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: want an error with %q, got %v", c.file[:min(len(c.file), 20)], c.want, err)
		}
		if len(m.Pix) > 0 {
			t.Errorf("%s: memory taken", c.want)
		}
	}
	var m Image
	if err := Decode(&m, photo, 3, 40*30-1); err == nil || !strings.Contains(err.Error(), "limit of 1199") {
		t.Errorf("a limit of the caller: %v", err)
	}
	if err := Decode(&m, photo, 4, 0); err == nil {
		t.Error("4 channels: no error")
	}
	for n := range photo { // every prefix is an error or an image
		if err := Decode(&m, photo[:n], 3, 0); err == nil && n < len(photo)-2 {
			t.Errorf("%d of %d bytes decode", n, len(photo))
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, kind := range []string{"jpeg", "png", "gif"} {
		f.Add(encode(f, kind, picture(9, 7)))
	}
	f.Add(cmykJPEG(2, [4]bool{true, false, true, true}))
	f.Add(pngHeader(5, 5))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, channels := range []int{1, 3} {
			var m Image
			err := Decode(&m, file, channels, 1<<16)
			if err == nil && (m.H <= 0 || m.W <= 0 || m.C != channels || len(m.Pix) != m.H*m.W*m.C) {
				t.Errorf("[%d,%d,%d] of %d bytes", m.H, m.W, m.C, len(m.Pix))
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct{ w, h int }{{32, 32}, {500, 375}} {
		b.Run(fmt.Sprintf("format=jpeg/image=%dx%d", c.w, c.h), func(b *testing.B) {
			file := encode(b, "jpeg", picture(c.w, c.h))
			var m Image
			b.ReportAllocs()
			for b.Loop() {
				if err := Decode(&m, file, 3, 0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
