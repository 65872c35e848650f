package data

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// tarStore is the files of tar archives, each known by where its bytes are, so
// that they can be read in any order.
type tarStore struct {
	root   string
	shards []string // relative to root, slash-separated
	files  []tarFile
}

type tarFile struct {
	shard      int
	name       string
	from, size int64
}

func (s *tarStore) name(at int) string {
	f := s.files[at]
	return s.shard(f.shard) + ": " + f.name
}

func (s *tarStore) shard(i int) string { return filepath.Join(s.root, filepath.FromSlash(s.shards[i])) }

func (s *tarStore) read(at int, buf []byte, limit int64) ([]byte, error) {
	t := s.files[at]
	f, err := os.Open(s.shard(t.shard))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(io.NewSectionReader(f, t.from, t.size), buf, t.size, limit)
}

// openTars reads all headers of the archives, once.
func openTars(root string, shards []string, o OpenOptions) (*Opened, error) {
	s := &tarStore{root: root, shards: shards}
	var all []entry
	var notes []string
	parts := shardParts(shards)
	for i := range shards {
		f, err := os.Open(s.shard(i))
		if err != nil {
			return nil, err
		}
		index, odd, err := indexTar(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w: copy or download it again", s.shard(i), err)
		}
		if odd > 0 {
			notes = append(notes, fmt.Sprintf("%s: %d links and sparse files are left out", s.shard(i), odd))
		}
		for _, e := range index.entries {
			e.at += len(s.files)
			if parts != nil {
				e.path = parts[i] + "/" + e.path
			}
			all = append(all, e)
		}
		for _, t := range index.files {
			t.shard = i
			s.files = append(s.files, t)
		}
	}
	name := root
	if len(shards) == 1 {
		name = s.shard(0)
	}
	return ofFiles("tar of images", name, s, all, notes, o)
}

// shardParts are the parts of a split that the shards' names begin with, nil
// where one names none: train-0001.tar, train/0001.tar.
func shardParts(shards []string) []string {
	var parts []string
	for _, s := range shards {
		word, _, _ := strings.Cut(strings.ToLower(s), "/")
		word, _, _ = strings.Cut(word, ".")
		word = strings.TrimRight(word, "0123456789-_")
		if _, ok := splits[word]; !ok {
			return nil
		}
		parts = append(parts, word)
	}
	return parts
}

// tarIndex is what the headers of one archive say.
type tarIndex struct {
	files   []tarFile
	entries []entry
}

// indexTar reads the headers of an archive. archive/tar reads whole blocks and
// nothing ahead, so that after a header the file stands at the bytes it
// describes. odd counts the files whose bytes are not there in one piece.
func indexTar(f io.ReadSeeker) (index tarIndex, odd int, err error) {
	r := tar.NewReader(f)
	labels := map[string]int{}
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return tarIndex{}, 0, err
		}
		switch {
		case h.Typeflag == tar.TypeReg && h.PAXRecords["GNU.sparse.major"] == "" && h.PAXRecords["GNU.sparse.map"] == "":
		case h.Typeflag == tar.TypeDir:
			continue
		default:
			odd++
			continue
		}
		from, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return tarIndex{}, 0, err
		}
		p := strings.TrimLeft(strings.ReplaceAll(h.Name, `\`, "/"), "/")
		if path.Ext(p) == ".cls" {
			if n, ok := classNumber(r); ok {
				labels[sampleKey(p)] = n
			}
			continue
		}
		index.entries = append(index.entries, entry{path: p, at: len(index.files), label: -1})
		index.files = append(index.files, tarFile{name: h.Name, from: from, size: h.Size})
	}
	for i := range index.entries {
		if n, ok := labels[sampleKey(index.entries[i].path)]; ok {
			index.entries[i].label = n
		}
	}
	return index, odd, nil
}

// isTar tells a tar archive by its first header.
func isTar(head []byte) bool { return len(head) >= 262 && string(head[257:262]) == "ustar" }

// sampleKey is what the files of one sample share: the path up to the first
// dot of the file's name.
//
// Source: WebDataset.
func sampleKey(p string) string {
	dir, file := path.Split(p)
	file, _, _ = strings.Cut(file, ".")
	return dir + file
}

// classNumber reads the label of a .cls file.
func classNumber(r io.Reader) (int, bool) {
	b, err := io.ReadAll(io.LimitReader(r, 32))
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return n, err == nil && 0 <= n && n < 1<<20
}
