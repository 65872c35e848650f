package ptx

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

var (
	entries  = regexp.MustCompile(`(?m)^\s*\.visible\s+\.entry\s+(\w+)`)
	comments = regexp.MustCompile(`(?m)//.*$`)
)

// TestCatalogue holds catalogue and files to each other: every entry of every
// file is listed once, and every listed kernel exists with its block size.
func TestCatalogue(t *testing.T) {
	listed := map[string]*Kernel{}
	for i, k := range All() {
		if k.Index() != i {
			t.Errorf("%s: index %d at place %d", k.Name, k.Index(), i)
		}
		if o := listed[k.Name]; o != nil {
			t.Errorf("%s is in %s and in %s", k.Name, o.File, k.File)
		}
		listed[k.Name] = k
	}
	names, err := fs.Glob(files, "*.ptx")
	if err != nil || len(names) == 0 {
		t.Fatal("no files", err)
	}
	found := map[string]bool{}
	for _, file := range names {
		text := comments.ReplaceAllString(Text(file), "")
		for _, line := range []string{".version 7.0", ".target sm_80", ".address_size 64"} {
			if !strings.Contains(text, line) {
				t.Errorf("%s: no %q", file, line)
			}
		}
		at := entries.FindAllStringSubmatchIndex(text, -1)
		for i, m := range at {
			name := text[m[2]:m[3]]
			end := len(text)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			found[name] = true
			k := listed[name]
			if k == nil || k.File != file {
				t.Errorf("%s: entry %s is not in the catalogue", file, name)
				continue
			}
			if want := blockOf(text[m[0]:end]); want != k.Block {
				t.Errorf("%s: .maxntid is %d, the catalogue says %d", name, want, k.Block)
			}
		}
	}
	for name, k := range listed {
		if !found[name] {
			t.Errorf("%s: no entry in %s", name, k.File)
		}
	}
}

var maxntid = regexp.MustCompile(`\.maxntid\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?`)

// blockOf is the product of an entry's .maxntid, 0 without one.
func blockOf(entry string) int {
	m := maxntid.FindStringSubmatch(entry)
	if m == nil {
		return 0
	}
	n := 1
	for _, s := range m[1:] {
		if s == "" {
			continue
		}
		v := 0
		for _, c := range s {
			v = 10*v + int(c-'0')
		}
		n *= v
	}
	return n
}
