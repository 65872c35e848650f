package data

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// entry is a file of a store: its path there, slash-separated, the store's
// number for it, and the label the store knows, or -1.
type entry struct {
	path  string
	at    int
	label int
	rest  string // what is left of path once common folders are taken off
}

// arranged are the images among a store's files.
type arranged struct {
	train, test []entry
	classes     []string
	notes       []string
	others      []string // files that are no images
}

// read are the extensions of files that Decode reads, unread those of images
// that it does not.
var (
	read   = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif"}
	unread = []string{".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".npy", ".tga"}
)

// splits are the names of folders that are the parts of a set: which part, and
// which of two is preferred (the lower).
var splits = map[string]struct {
	test bool
	rank int
}{
	"train": {}, "training": {},
	"val": {true, 0}, "valid": {true, 0}, "validation": {true, 0}, "dev": {true, 0},
	"test": {true, 1}, "testing": {true, 1},
	"unlabeled": {true, 2}, "unlabelled": {true, 2}, "extra": {true, 2}, "query": {true, 2},
}

// hidden reports whether a path leads through a folder or file that is not
// meant to be seen.
func hidden(p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		if part == "__MACOSX" || strings.HasPrefix(part, ".") && part != "." && part != ".." {
			return true
		}
	}
	return false
}

func isImage(p string) bool { return slices.Contains(read, strings.ToLower(path.Ext(p))) }

// arrange finds the images, the split and the classes; Open says how.
func arrange(all []entry) arranged {
	var a arranged
	var images []entry
	var foreign []string
	for _, e := range all {
		e.rest = path.Clean(e.path)
		switch {
		case hidden(e.rest):
		case isImage(e.rest):
			images = append(images, e)
		default:
			a.others = append(a.others, e.path)
			if slices.Contains(unread, strings.ToLower(path.Ext(e.rest))) {
				foreign = append(foreign, e.path)
			}
		}
	}
	if len(foreign) > 0 {
		a.notes = append(a.notes, fmt.Sprintf("not read, convert to JPEG or PNG: %s", sample(foreign)))
	}
	slices.SortStableFunc(images, func(a, b entry) int { return comparePaths(a.rest, b.rest) })
	stripCommon(images, nil)
	a.train = images
	if parts, ok := partition(images); ok {
		a.train, a.test = parts["train"], parts["test"]
		for _, p := range []string{"left out"} {
			if n := len(parts[p]); n > 0 {
				a.notes = append(a.notes, fmt.Sprintf("%d images of further parts are left out: %s", n, parts[p][0].path))
			}
		}
		stripCommon(a.train, nil)
		stripCommon(a.test, folders(a.train))
	}
	a.classes = folders(a.train, a.test)
	for _, part := range [][]entry{a.train, a.test} {
		for i := range part {
			e := &part[i]
			if f, ok := folder(e.rest); ok && e.label < 0 {
				e.label, _ = slices.BinarySearch(a.classes, f)
			}
		}
	}
	return a
}

// partition tells the parts of a split apart, if the outermost folders name
// one: "train", "test" and "left out".
func partition(images []entry) (parts map[string][]entry, ok bool) {
	best := -1 // rank of the part to test on
	train := false
	for _, e := range images {
		f, in := folder(e.rest)
		s, known := splits[strings.ToLower(f)]
		if !in || !known {
			return nil, false
		}
		train = train || !s.test
		if s.test && (best < 0 || s.rank < best) {
			best = s.rank
		}
	}
	if !train || best < 0 {
		return nil, false
	}
	parts = map[string][]entry{}
	for _, e := range images {
		f, _ := folder(e.rest)
		e.rest = e.rest[len(f)+1:]
		part := "train"
		if s := splits[strings.ToLower(f)]; s.test {
			part = "test"
			if s.rank != best || s.rank == 2 {
				part = "left out"
			}
		}
		parts[part] = append(parts[part], e)
	}
	return parts, true
}

// stripCommon takes off outer folders that hold all images, except those
// named in keep.
func stripCommon(images []entry, keep []string) {
	for len(images) > 0 {
		top, ok := folder(images[0].rest)
		if !ok || slices.Contains(keep, top) {
			return
		}
		for _, e := range images {
			if f, ok := folder(e.rest); !ok || f != top {
				return
			}
		}
		for i := range images {
			images[i].rest = images[i].rest[len(top)+1:]
		}
	}
}

// folder is the outermost folder of a path, if it has one.
func folder(p string) (name string, ok bool) {
	i := strings.IndexByte(p, '/')
	return p[:max(i, 0)], i >= 0
}

// folders are the outermost folders of all images, sorted; nil without any.
func folders(parts ...[]entry) []string {
	seen := map[string]bool{}
	var names []string
	for _, part := range parts {
		for _, e := range part {
			if f, ok := folder(e.rest); ok && !seen[f] {
				seen[f] = true
				names = append(names, f)
			}
		}
	}
	slices.Sort(names)
	return names
}

// comparePaths orders paths folder by folder: "a/z" before "a-b/y".
func comparePaths(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			switch {
			case a[i] == '/':
				return -1
			case b[i] == '/':
				return 1
			}
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// sample counts files and names a few.
func sample(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	s := strings.Join(names[:min(len(names), 3)], ", ")
	if len(names) > 3 {
		s += ", ..."
	}
	if len(names) == 1 {
		return "1 file, " + s
	}
	return fmt.Sprintf("%d files, %s", len(names), s)
}
