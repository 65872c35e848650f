package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
)

// MaxPixels is the size up to which an image is decoded unless another limit is
// asked for: Pillow's limit for decompression bombs.
const MaxPixels = 1 << 30 / 4 / 3

// maxScans bounds the passes of a progressive JPEG. Ten are usual; each costs
// time for the whole image and a few bytes of the file.
const maxScans = 100

// format is a kind of file, by how its files begin.
type format struct {
	name, magic string
	at          int // where the magic is
	decode      func(io.Reader) (image.Image, error)
	config      func(io.Reader) (image.Config, error)
}

var formats = []format{
	{"JPEG", "\xff\xd8", 0, jpeg.Decode, jpeg.DecodeConfig},
	{"PNG", "\x89PNG\r\n\x1a\n", 0, png.Decode, png.DecodeConfig},
	{"GIF", "GIF8", 0, gif.Decode, gif.DecodeConfig},
	// what people have that is not read, to be named in errors
	{name: "WebP or another RIFF file", magic: "RIFF"},
	{name: "BMP", magic: "BM"},
	{name: "TIFF", magic: "II*\x00"},
	{name: "TIFF", magic: "MM\x00*"},
	{name: "HEIF or AVIF", magic: "ftyp", at: 4},
	{name: "a web page", magic: "<"},
}

// Decode makes m the image of a JPEG, PNG or GIF file, with 1 channel (grey) or
// 3 (RGB); the file's bytes say which it is, not its name. Of a GIF it is the
// first picture. The rules are those of Pillow's convert("RGB") or ("L"): alpha
// is dropped, palettes are looked up, CMYK (and YCCK) become RGB, grey is
// ITU-R 601 luma. Of 16-bit levels the high byte is kept. The orientation
// that EXIF gives is ignored, as torchvision's loader does.
//
// An image of more than maxPixels pixels (0: MaxPixels) is refused by its
// header, before memory is taken. The error says what is wrong, not where.
//
// Source: the decoders are the standard library's; chroma and colours of a
// JPEG are brought to RGB as libjpeg does, see chroma.go.
//
// Differs: a JPEG's levels lie within 3 of libjpeg-turbo's (0.03 on average)
// and depend on the Go release, whose decoder changed in 1.26; those of a PNG
// are Pillow's. libjpeg decodes some damaged files in part, this function none;
// Pillow clips the levels of 16-bit grey at 255; a transparent pixel of a GIF
// is black.
func Decode(m *Image, file []byte, channels, maxPixels int) error {
	if channels != 1 && channels != 3 {
		return fmt.Errorf("%d channels asked for: want 1 (grey) or 3 (RGB)", channels)
	}
	if maxPixels <= 0 {
		maxPixels = MaxPixels
	}
	f, err := formatOf(file)
	if err != nil {
		return err
	}
	c, err := f.config(bytes.NewReader(file))
	if err != nil {
		return damaged(f.name, err)
	}
	if int64(c.Width)*int64(c.Height) > int64(maxPixels) {
		return fmt.Errorf("%s of %dx%d pixels, more than the limit of %d: shrink it, or raise the limit", f.name, c.Width, c.Height, maxPixels)
	}
	if n := bytes.Count(file, []byte{0xff, 0xda}); f.name == "JPEG" && n > maxScans {
		return fmt.Errorf("JPEG of %d scans, more than %d: save it again", n, maxScans)
	}
	decoded, err := f.read(file)
	if err != nil {
		return damaged(f.name, err)
	}
	if decoded.Bounds().Empty() {
		return fmt.Errorf("%s without pixels: remove it", f.name)
	}
	return m.take(decoded, image.Rect(0, 0, c.Width, c.Height), channels)
}

// read decodes. A decoder that panics has met a file it cannot read.
func (f *format) read(file []byte) (m image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the decoder failed: %v", p)
		}
	}()
	return f.decode(bytes.NewReader(file))
}

func formatOf(file []byte) (*format, error) {
	for i := range formats {
		f := &formats[i]
		if len(file) < f.at || !bytes.HasPrefix(file[f.at:], []byte(f.magic)) {
			continue
		}
		if f.decode == nil {
			return nil, fmt.Errorf("is %s, not JPEG, PNG or GIF: convert or remove it", f.name)
		}
		return f, nil
	}
	if len(file) == 0 {
		return nil, errors.New("the file is empty: remove it, or copy it again")
	}
	return nil, fmt.Errorf("starts with % x, neither JPEG, PNG nor GIF: convert or remove it", file[:min(len(file), 8)])
}

func damaged(kind string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s ends too early: copy it again, or remove it", kind)
	}
	return fmt.Errorf("%s: %w: save it again, or remove it", kind, err)
}
