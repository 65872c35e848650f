package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// OpenOptions say how images are read. The zero value reads them whole, in
// their own colours, without a cache.
type OpenOptions struct {
	// Channels is 1 for grey or 3 for RGB images; 0 means 3, but 1 for IDX.
	Channels int
	// Short, if not 0, is the shorter side to which larger images are reduced
	// after decoding; see Shrink, and MultiCrop.Short.
	Short int
	// CacheBytes is how much memory decoded images may stay in, those that are
	// asked for first; see Cache.
	CacheBytes int64
	// MaxPixels and MaxBytes refuse larger images and files before memory is
	// taken for them; 0 means the constants of these names.
	MaxPixels int
	MaxBytes  int64
}

// MaxBytes is the size of an image's file up to which it is read unless
// another limit is asked for.
const MaxBytes = 256 << 20

// Opened is what Open found at a path.
type Opened struct {
	Kind     string // "image folder", "zip of images", "tar of images", "CIFAR-10", "CIFAR-100", "IDX"
	Train    Source
	Test     Source // nil: there is none
	Channels int
	// Labels is the number of classes, 0 where none are known; Classes names
	// them, or is nil.
	Labels  int
	Classes []string
	// Notes say what was left unread, and why: one sentence each.
	Notes []string

	close func() error
}

// Close closes the archive that the images are read from.
func (o *Opened) Close() error {
	if o.close == nil {
		return nil
	}
	return o.close()
}

// Named is a Source whose images have names: those of their files.
type Named interface{ Name(i int) string }

// NameOf is the name of image i of a source, or "image i" where it has none.
func NameOf(s Source, i int) string {
	if n, ok := s.(Named); ok {
		return n.Name(i)
	}
	return fmt.Sprintf("image %d", i)
}

// Open finds out what a path is, by what is in it, and opens it:
//
//   - a folder of JPEG, PNG and GIF files (Decode), at any depth;
//   - a zip file of them;
//   - a tar file of them, or a folder of tar files (shards), whose labels may
//     also be files KEY.cls beside KEY.jpg, as WebDataset writes them;
//   - the folder of CIFAR-10 or CIFAR-100, binary version (OpenCIFAR);
//   - the folder of a set of the MNIST family (OpenIDX).
//
// Folders name classes: an image's class is its first folder, once folders
// that hold everything and the split's are taken off. An image outside of
// any, and all of them where there is but one folder, have no label, -1.
// Where the outermost folders are all called train and val, test or the like,
// they are the split. Images, and the numbers of the classes, come in order of
// their paths, folder by folder, whatever the file system's order. Symbolic
// links are followed; hidden files, __MACOSX and empty folders are left out.
//
// Nothing is decoded here: an image that cannot be read is an error of
// Source.Image, and the Loader skips, counts and names it. An error says what
// is wrong with which path and what to do.
func Open(path string, o OpenOptions) (*Opened, error) {
	if o.Channels != 0 && o.Channels != 1 && o.Channels != 3 || o.Short < 0 || o.CacheBytes < 0 {
		return nil, fmt.Errorf("%s: %d channels, shorter side %d, cache of %d bytes: want 1 or 3 channels, or 0, and nothing negative", path, o.Channels, o.Short, o.CacheBytes)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file or folder: name one with images", path)
	}
	if err != nil {
		return nil, err
	}
	var opened *Opened
	if info.IsDir() {
		opened, err = openFolder(path, o)
	} else {
		opened, err = openFile(path, o)
	}
	if err != nil {
		return nil, err
	}
	opened.finish(o)
	return opened, nil
}

// finish puts what the options ask for round the sources.
func (o *Opened) finish(options OpenOptions) {
	for _, s := range []Source{o.Train, o.Test} {
		if s == nil {
			continue
		}
		for i := range s.Len() {
			o.Labels = max(o.Labels, s.Label(i)+1)
		}
	}
	left := new(atomic.Int64)
	left.Store(options.CacheBytes)
	wrap := func(s Source) Source {
		set, decoded := s.(*Set)
		if c := options.Channels; decoded && c != 0 && c != o.Channels {
			s = Recolour(s, c)
		}
		if options.Short > 0 && !(decoded && min(set.H, set.W) <= options.Short) {
			s = Shrink(s, options.Short)
		}
		if options.CacheBytes > 0 && !decoded {
			s = newCache(s, left)
		}
		return s
	}
	o.Train = wrap(o.Train)
	if o.Test != nil {
		o.Test = wrap(o.Test)
	}
	if options.Channels != 0 {
		o.Channels = options.Channels
	}
}

// openFolder tells the kinds of folders apart.
func openFolder(path string, o OpenOptions) (*Opened, error) {
	has := func(names ...string) bool {
		for _, n := range names {
			if _, err := os.Stat(filepath.Join(path, n)); err == nil {
				return true
			}
		}
		return false
	}
	switch {
	case has("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"):
		train, test, err := OpenIDX(path)
		return ofSets("IDX", train, test, err)
	case cifarFolder(path) != "":
		train, test, err := OpenCIFAR(path)
		kind := "CIFAR-10"
		if err == nil && len(train.Classes) > 10 {
			kind = "CIFAR-100"
		}
		return ofSets(kind, train, test, err)
	case has("data_batch_1", "cifar-10-batches-py", "cifar-100-python"):
		return nil, fmt.Errorf("%s: CIFAR as Python pickles: download the binary version and name its folder", path)
	}
	found, err := walkFolder(path)
	if err != nil {
		return nil, err
	}
	if len(found.tars) > 0 && !found.images {
		return openTars(path, found.tars, o)
	}
	return ofFiles("image folder", path, folderStore{path, found.paths}, found.entries(), found.notes, o)
}

// openFile tells the kinds of files apart by their first bytes.
func openFile(path string, o OpenOptions) (*Opened, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return openZip(path, o)
	case isTar(head):
		return openTars(filepath.Dir(path), []string{filepath.Base(path)}, o)
	}
	what := "neither a zip nor a tar file: name a folder, a zip or a tar of images"
	if f, err := formatOf(head); err == nil {
		what = "one " + f.name + " file: name the folder, zip or tar that holds the images"
	}
	for magic, kind := range map[string]string{"\x1f\x8b": "gzip", "BZh": "bzip2", "\xfd7zXZ": "xz", "\x28\xb5\x2f\xfd": "zstd", "7z\xbc\xaf": "7z", "Rar!": "rar"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			what = "packed with " + kind + ", which cannot be read in any order: unpack it"
		}
	}
	if strings.HasSuffix(path, ".bin") {
		what = "a single binary file: name the folder that holds CIFAR's"
	}
	return nil, fmt.Errorf("%s: %s", path, what)
}

// ofSets is Opened for images in memory.
func ofSets(kind string, train, test *Set, err error) (*Opened, error) {
	if err != nil {
		return nil, err
	}
	o := &Opened{Kind: kind, Train: train, Channels: train.C, Classes: train.Classes}
	if test != nil {
		o.Test = test
	}
	return o, nil
}

// ofFiles is Opened for encoded images.
func ofFiles(kind, path string, s store, all []entry, notes []string, o OpenOptions) (*Opened, error) {
	a := arrange(all)
	notes = append(notes, a.notes...)
	if len(a.train) == 0 {
		for i := range notes {
			notes[i] = "; " + notes[i]
		}
		return nil, fmt.Errorf("%s: no images: found %s%s: want .jpg, .png or .gif files, in class folders or not", path, sample(a.others), strings.Join(notes, ""))
	}
	if o.Channels == 0 {
		o.Channels = 3
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = MaxBytes
	}
	opened := &Opened{Kind: kind, Channels: o.Channels, Classes: a.classes, Notes: notes}
	opened.Train = &files{store: s, entries: a.train, options: o}
	if len(a.test) > 0 {
		opened.Test = &files{store: s, entries: a.test, options: o}
	}
	return opened, nil
}
