package data

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// folderStore is a Source's files in a folder; paths are slash-separated.
type folderStore struct {
	root  string
	paths []string
}

func (s folderStore) name(at int) string {
	return filepath.Join(s.root, filepath.FromSlash(s.paths[at]))
}

func (s folderStore) read(at int, buf []byte, limit int64) ([]byte, error) {
	f, err := os.Open(s.name(at))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readAll(f, buf, info.Size(), limit)
}

// found is what a walk through a folder met.
type found struct {
	paths  []string // slash-separated, relative to the root
	tars   []string
	images bool
	notes  []string
}

func (f *found) entries() []entry {
	all := make([]entry, len(f.paths))
	for i, p := range f.paths {
		all[i] = entry{path: p, at: i, label: -1}
	}
	return all
}

// walkFolder lists the files below root. Links are followed, but not into a
// folder that the way there leads through. A part that cannot be read is an
// error: it would be missing silently.
func walkFolder(root string) (*found, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	f := new(found)
	var loops, broken []string
	var walk func(dir string, way []fs.FileInfo) error
	walk = func(dir string, way []fs.FileInfo) error {
		list, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
		if err != nil {
			return fmt.Errorf("%w: make it readable, or move it away", err)
		}
		for _, d := range list {
			p := path.Join(dir, d.Name())
			if hidden(d.Name()) {
				continue
			}
			kind := d.Type()
			if kind.IsRegular() {
				f.add(p)
				continue
			}
			if !kind.IsDir() && kind&fs.ModeSymlink == 0 {
				continue // a socket, a device
			}
			info, err := os.Stat(filepath.Join(root, filepath.FromSlash(p)))
			switch {
			case err != nil:
				broken = append(broken, p)
			case info.Mode().IsRegular():
				f.add(p)
			case info.IsDir() && contains(way, info):
				loops = append(loops, p)
			case info.IsDir():
				if err := walk(p, append(way[:len(way):len(way)], info)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := walk("", []fs.FileInfo{info}); err != nil {
		return nil, err
	}
	if len(broken) > 0 {
		f.notes = append(f.notes, "broken links: "+sample(broken))
	}
	if len(loops) > 0 {
		f.notes = append(f.notes, "links back to a folder above them: "+sample(loops))
	}
	return f, nil
}

func (f *found) add(p string) {
	f.paths = append(f.paths, p)
	f.images = f.images || isImage(p)
	if strings.EqualFold(path.Ext(p), ".tar") {
		f.tars = append(f.tars, p)
	}
}

func contains(way []fs.FileInfo, info fs.FileInfo) bool {
	for _, w := range way {
		if os.SameFile(w, info) {
			return true
		}
	}
	return false
}
