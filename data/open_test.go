package data

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// list is a source in words: name, label and red level of every image.
func list(t testing.TB, s Source) string {
	t.Helper()
	if s == nil {
		return "none"
	}
	var words []string
	var m Image
	for i := range s.Len() {
		if err := s.Image(i, &m); err != nil {
			t.Fatal(err)
		}
		words = append(words, fmt.Sprintf("%s:%d:%d", NameOf(s, i), s.Label(i), m.Pix[0]))
	}
	return strings.Join(words, " ")
}

// layouts are trees and what Open makes of them, in folders, zips and tars.
var layouts = []struct {
	name        string
	files       map[string]string
	classes     string
	train, test string
}{
	{"classes", map[string]string{"cat/1.png": "", "cat/10.PNG": "", "cat/sub/2.jpg": "", "a-b/3.jpeg": "", "a/4.gif": "", "readme.txt": "x"},
		"a a-b cat", "a/4.gif:0:4 a-b/3.jpeg:1:3 cat/1.png:2:1 cat/10.PNG:2:10 cat/sub/2.jpg:2:2", "none"},
	{"flat", map[string]string{"2.png": "", "1.png": ""}, "", "1.png:-1:1 2.png:-1:2", "none"},
	{"one folder is no class", map[string]string{"pictures/of/2.png": "", "pictures/of/1.png": ""}, "", "pictures/of/1.png:-1:1 pictures/of/2.png:-1:2", "none"},
	{"mixed", map[string]string{"5.png": "", "x/1.png": "", "y/2.png": ""}, "x y", "5.png:-1:5 x/1.png:0:1 y/2.png:1:2", "none"},
	{"below one folder", map[string]string{"set/x/1.png": "", "set/y/2.png": ""}, "x y", "set/x/1.png:0:1 set/y/2.png:1:2", "none"},
	{"split", map[string]string{"d/train/x/1.png": "", "d/train/y/2.png": "", "d/Val/y/3.png": "", "d/Val/z/4.png": ""},
		"x y z", "d/train/x/1.png:0:1 d/train/y/2.png:1:2", "d/Val/y/3.png:1:3 d/Val/z/4.png:2:4"},
	{"split, test of one class", map[string]string{"train/x/1.png": "", "train/y/2.png": "", "test/y/3.png": ""},
		"x y", "train/x/1.png:0:1 train/y/2.png:1:2", "test/y/3.png:1:3"},
	{"split, no classes", map[string]string{"train/images/1.png": "", "test/images/3.png": ""}, "", "train/images/1.png:-1:1", "test/images/3.png:-1:3"},
	{"split, three parts", map[string]string{"train/1.png": "", "test/3.png": "", "val/4.png": "", "unlabeled/5.png": ""}, "", "train/1.png:-1:1", "val/4.png:-1:4"},
	{"a class called train", map[string]string{"train/1.png": "", "car/3.png": "", "test/4.png": ""}, "car test train", "car/3.png:0:3 test/4.png:1:4 train/1.png:2:1", "none"},
	{"hidden", map[string]string{"x/1.png": "", "y/2.png": "", "x/._1.png": "", ".cache/3.png": "", "__MACOSX/x/1.png": "", "x/Thumbs.db": "t", "empty/": ""},
		"x y", "x/1.png:0:1 y/2.png:1:2", "none"},
	{"unicode", map[string]string{"Ünï/日本 1.png": "", "b c/2.png": "", "ж/3.png": ""}, "b c|Ünï|ж", "b c/2.png:0:2 Ünï/日本 1.png:1:1 ж/3.png:2:3", "none"},
}

func check(t *testing.T, o *Opened, err error, kind, classes, train, test string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	sep := " "
	if strings.Contains(classes, "|") {
		sep = "|"
	}
	if got := strings.Join(o.Classes, sep); got != classes || o.Kind != kind || o.Channels != 3 || o.Labels != len(o.Classes) {
		t.Errorf("%s with %d channels, %d classes %q, want %s with %q", o.Kind, o.Channels, o.Labels, got, kind, classes)
	}
	if got := list(t, o.Train); got != train {
		t.Errorf("train\n%s, want\n%s", got, train)
	}
	if got := list(t, o.Test); got != test {
		t.Errorf("test\n%s, want\n%s", got, test)
	}
}

func TestOpenLayouts(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			o, err := Open(tree(t, l.files), OpenOptions{})
			check(t, o, err, "image folder", l.classes, l.train, l.test)
			path := filepath.Join(t.TempDir(), "a.bin")
			writeZip(t, path, l.files)
			o, err = Open(path, OpenOptions{})
			check(t, o, err, "zip of images", l.classes, l.train, l.test)
			writeTar(t, path, l.files)
			o, err = Open(path, OpenOptions{})
			check(t, o, err, "tar of images", l.classes, l.train, l.test)
			if n := len(o.Notes); n == 0 || !strings.Contains(o.Notes[0], "1 links") {
				t.Errorf("notes %q", o.Notes)
			}
		})
	}
}

func TestOpenNotes(t *testing.T) {
	o, err := Open(tree(t, map[string]string{"train/1.png": "", "val/2.png": "", "test/3.png": "", "train/4.webp": "w", "train/5.HEIC": "h"}), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(o.Notes, "\n")
	for _, want := range []string{"2 files, train/4.webp, train/5.HEIC", "1 images of further parts are left out: test/3.png"} {
		if !strings.Contains(got, want) {
			t.Errorf("notes %q, want %q", got, want)
		}
	}
}

func TestOpenLinks(t *testing.T) {
	root := tree(t, map[string]string{"x/1.png": "", "y/2.png": ""})
	elsewhere := tree(t, map[string]string{"3.png": "", "deep/4.png": ""})
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Skip(err)
		}
	}
	link(elsewhere, "z")
	link(filepath.Join(root, "x", "1.png"), "y/9.png")
	link(root, "x/loop")
	link("nowhere", "x/broken.png")
	o, err := Open(root, OpenOptions{})
	check(t, o, err, "image folder", "x y z", "x/1.png:0:1 y/2.png:1:2 y/9.png:1:1 z/3.png:2:3 z/deep/4.png:2:4", "none")
	if got := strings.Join(o.Notes, "\n"); !strings.Contains(got, "broken links: 1 file, x/broken.png") || !strings.Contains(got, "1 file, x/loop") {
		t.Errorf("notes %q", got)
	}
	// Through a link to the folder itself.
	other := filepath.Join(t.TempDir(), "l")
	if err := os.Symlink(elsewhere, other); err != nil {
		t.Skip(err)
	}
	o, err = Open(other, OpenOptions{})
	check(t, o, err, "image folder", "deep", "3.png:-1:3 deep/4.png:0:4", "none")
}

// Names that lead out of an archive, absolute ones and Windows' are names.
func TestOpenOddNames(t *testing.T) {
	files := map[string]string{"../../x/1.png": "", "/y/2.png": "", `z\3.png`: ""}
	path := filepath.Join(t.TempDir(), "a.zip")
	for _, write := range []func(testing.TB, string, map[string]string){writeZip, writeTar} {
		write(t, path, files)
		o, err := Open(path, OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := list(t, o.Train); got != "../../x/1.png:0:1 y/2.png:1:2 z/3.png:2:3" {
			t.Error(got)
		}
		o.Close()
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 {
		t.Error("something was unpacked")
	}
}

func TestOpenTars(t *testing.T) {
	root := t.TempDir()
	for _, d := range []string{"shards", "split"} {
		if err := os.Mkdir(filepath.Join(root, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	// WebDataset: labels in files beside the images.
	writeTar(t, filepath.Join(root, "shards/b-000.tar"), map[string]string{"s1.png": "", "s1.cls": "7\n", "s1.json": "{}", "s2.png": "", "s2.cls": "x"})
	writeTar(t, filepath.Join(root, "shards/b-001.tar"), map[string]string{"s3.png": "", "s3.cls": "0"})
	o, err := Open(filepath.Join(root, "shards"), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, o.Train); got != "s1.png:7:1 s2.png:-1:2 s3.png:0:3" || o.Labels != 8 || o.Classes != nil {
		t.Errorf("%s, %d labels %v", got, o.Labels, o.Classes)
	}
	// Shards named after the parts of a split, a long name in a PAX header.
	long := strings.Repeat("n", 150) + "1.png"
	writeTar(t, filepath.Join(root, "split/train-0.tar"), map[string]string{"x/" + long: "", "y/2.png": ""})
	writeTar(t, filepath.Join(root, "split/val_0.tar"), map[string]string{"y/3.png": ""})
	o, err = Open(filepath.Join(root, "split"), OpenOptions{})
	check(t, o, err, "tar of images", "x y", "train/x/"+long+":0:1 train/y/2.png:1:2", "val/y/3.png:1:3")
}

func TestOpenErrors(t *testing.T) {
	root := tree(t, map[string]string{
		"nothing/": "", "text/a.txt": "x", "webp/a.webp": "x", "photo.png": "", "page.zip": "<html>", "empty.zip": "PK\x05\x06",
		"packed.tgz": "\x1f\x8b\x08", "batch.bin": "\x01\x02", "pickles/data_batch_1": "x", "cut.zip": "PK\x03\x04 and no more", "void": "\n",
	})
	path := filepath.Join(root, "none.zip")
	writeZip(t, path, map[string]string{"a.txt": "x"})
	tarred := filepath.Join(root, "cut.tar")
	writeTar(t, tarred, map[string]string{"1.png": "", "2.png": ""})
	b, _ := os.ReadFile(tarred)
	if err := os.WriteFile(tarred, b[:1600], 0o666); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"missing":    "no such file or folder",
		"nothing":    "no images: found nothing",
		"text":       "no images: found 1 file, a.txt: want .jpg",
		"webp":       "convert to JPEG or PNG",
		"photo.png":  "one PNG file: name the folder",
		"page.zip":   "neither a zip nor a tar",
		"empty.zip":  "copy or download it again",
		"cut.zip":    "copy or download it again",
		"cut.tar":    "copy or download it again",
		"packed.tgz": "packed with gzip",
		"batch.bin":  "name the folder that holds CIFAR's",
		"pickles":    "download the binary version",
		"none.zip":   "no images: found 1 file, a.txt",
		"void":       "neither a zip nor a tar",
	} {
		p := filepath.Join(root, name)
		_, err := Open(p, OpenOptions{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: want an error with %q and the path, got %v", name, want, err)
		}
	}
	if _, err := Open(root, OpenOptions{Channels: 2}); err == nil {
		t.Error("2 channels: no error")
	}
}

func TestOpenOptions(t *testing.T) {
	root := tree(t, map[string]string{"1.png": "", "2.png": string(encode(t, "png", picture(40, 20))), "3.png": "cut", "4.png": string(encode(t, "png", picture(9, 500)))})
	plain, err := Open(root, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var m, kept Image
	for _, o := range []OpenOptions{{CacheBytes: 1 << 20}, {CacheBytes: 2600}, {Short: 100, CacheBytes: 1}} {
		opened, err := Open(root, o)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for i := range 4 {
				if i == 2 {
					if err := opened.Train.Image(i, &m); err == nil || !strings.Contains(err.Error(), filepath.Join(root, "3.png")+": starts with") {
						t.Errorf("a damaged image: %v", err)
					}
					continue
				}
				if err := errors.Join(plain.Train.Image(i, &m), opened.Train.Image(i, &kept)); err != nil {
					t.Fatal(err)
				}
				same(t, fmt.Sprintf("%+v image %d", o, i), &kept, &m)
			}
		}
		if n := opened.Train.(*Cache).Kept(); n != map[int64]int{1 << 20: 3, 2600: 2, 1: 0}[o.CacheBytes] {
			t.Errorf("%+v: %d images kept", o, n)
		}
		if NameOf(opened.Train, 1) != "2.png" {
			t.Error("a name is lost")
		}
	}
	small, err := Open(root, OpenOptions{Short: 10, Channels: 1, MaxPixels: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []*Image{{2, 3, 1, nil}, {10, 20, 1, nil}, nil, nil} {
		err := small.Train.Image(i, &m)
		if want == nil {
			if err == nil {
				t.Errorf("image %d: no error", i)
			}
		} else if err != nil || m.H != want.H || m.W != want.W || m.C != 1 || len(m.Pix) != m.H*m.W || small.Channels != 1 {
			t.Errorf("image %d: [%d,%d,%d], %v", i, m.H, m.W, m.C, err)
		}
	}
	if s := (MultiCrop{{2, 224, [2]float64{0.2, 1}}, {6, 96, [2]float64{0.05, 0.14}}}).Short(); s != 579 {
		t.Errorf("photographs are reduced to %d", s)
	}
	little, err := Open(root, OpenOptions{MaxBytes: 50})
	if err != nil {
		t.Fatal(err)
	}
	if err := little.Train.Image(1, &m); err == nil || !strings.Contains(err.Error(), "more than the limit of 50") {
		t.Errorf("a file of more bytes: %v", err)
	}
}

// A zip's headers may lie about sizes; a file may change while it is used.
func TestSourcesThatLie(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.zip")
	writeZip(t, path, map[string]string{"1.png": "", "2.png": "", "3.png": ""})
	b, _ := os.ReadFile(path)
	at := bytes.Index(b, []byte("PK\x01\x02"))
	for _, size := range [][]byte{{0xff, 0xff, 0xff, 0x7f}, {9, 0, 0, 0}, {0xff, 0xff, 0, 0}} {
		lie := bytes.Clone(b)
		copy(lie[at+24:], size) // uncompressed size of the first file
		if err := os.WriteFile(path, lie, 0o666); err != nil {
			t.Fatal(err)
		}
		o, err := Open(path, OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var m Image
		failed := 0
		for i := range 3 {
			if err := o.Train.Image(i, &m); err != nil {
				failed++
				if !strings.Contains(err.Error(), ".png: ") {
					t.Error(err)
				}
			}
		}
		if failed != 1 {
			t.Errorf("size % x: %d images fail, want 1", size, failed)
		}
		o.Close()
	}
	root := tree(t, map[string]string{"1.png": "", "2.png": ""})
	o, err := Open(root, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "1.png")); err != nil {
		t.Fatal(err)
	}
	var m Image
	if err := o.Train.Image(0, &m); err == nil || strings.Count(err.Error(), "1.png") != 1 {
		t.Errorf("a file that is gone: %v", err)
	}
}

// The images of a folder feed a loader; bad ones are skipped, and past the
// limit it stops and names them.
func TestLoaderOfFiles(t *testing.T) {
	files := map[string]string{}
	for i := range 20 {
		files[fmt.Sprintf("%c/%02d.png", 'a'+i%3, i)] = ""
	}
	files["a/03.png"], files["b/04.png"] = "damaged", "damaged too"
	o, err := Open(tree(t, files), OpenOptions{CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	views := mustViews(t, allSteps(3), twoSizes)
	l := mustLoader(t, LoaderConfig{Source: o.Train, Views: views, Batch: 10})
	for range 4 {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for row, i := range b.Index {
			if b.Labels[row] != o.Train.Label(i) || strings.Contains("a/03.png b/04.png", NameOf(o.Train, i)) {
				t.Errorf("row %d is %s", row, NameOf(o.Train, i))
			}
		}
	}
	if bad := l.Stats().Bad; len(bad) != 2 || !strings.Contains(bad[1].Err.Error(), "04.png") {
		t.Errorf("bad images %v", bad)
	}
	l = mustLoader(t, LoaderConfig{Source: o.Train, Views: views, Batch: 20, MaxBad: 1})
	_, err = l.Next(t.Context())
	var bad *BadImagesError
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "03.png") || !strings.Contains(err.Error(), "04.png") {
		t.Errorf("past the limit: %v", err)
	}
}

// archive is the bytes that write makes of a few files.
func archive(f *testing.F, write func(testing.TB, string, map[string]string)) []byte {
	path := filepath.Join(f.TempDir(), "a")
	write(f, path, map[string]string{"x/1.png": "", "y/2.png": "", "y/2.cls": "3"})
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

func FuzzZip(f *testing.F) {
	f.Add(archive(f, writeZip))
	f.Fuzz(func(t *testing.T, file []byte) {
		o, err := readZip(bytes.NewReader(file), int64(len(file)), "f", OpenOptions{MaxPixels: 1 << 16, MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		o.finish(OpenOptions{})
		var m Image
		for i := range min(o.Train.Len(), 20) {
			if err := o.Train.Image(i, &m); err == nil && len(m.Pix) != m.H*m.W*3 {
				t.Errorf("[%d,%d] of %d bytes", m.H, m.W, len(m.Pix))
			}
			if l := o.Train.Label(i); l < -1 || l >= o.Labels {
				t.Errorf("label %d of %d", l, o.Labels)
			}
		}
	})
}

func FuzzTar(f *testing.F) {
	f.Add(archive(f, writeTar))
	f.Fuzz(func(t *testing.T, file []byte) {
		index, _, err := indexTar(bytes.NewReader(file))
		if err != nil {
			return
		}
		for i, e := range index.entries {
			if f := index.files[i]; e.at != i || f.from < 0 || f.size < 0 {
				t.Errorf("%+v at %+v", e, f)
			}
		}
		arrange(index.entries)
	})
}
