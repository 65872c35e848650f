package ptx

import (
	"regexp"
	"strings"
	"testing"
)

// TestParameterNames: an entry may not have a parameter of its own name; ptxas
// 12.9 and 13.0 corrupt their heap on it instead of saying so.
func TestParameterNames(t *testing.T) {
	head := regexp.MustCompile(`(?s)\.entry\s+(\w+)\s*\(([^)]*)\)`)
	seen := 0
	for _, k := range All() {
		for _, m := range head.FindAllStringSubmatch(Text(k.File), -1) {
			if m[1] != k.Name {
				continue
			}
			seen++
			for _, p := range strings.Split(m[2], ",") {
				if f := strings.Fields(p); len(f) > 0 && f[len(f)-1] == k.Name {
					t.Errorf("%s: entry %s has a parameter %s", k.File, k.Name, k.Name)
				}
			}
		}
	}
	if seen != len(All()) {
		t.Errorf("%d entries read, %d listed", seen, len(All()))
	}
}
