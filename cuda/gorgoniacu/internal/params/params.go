// Package params reads the parameter lists of PTX kernels.
package params

import (
	"regexp"
	"strconv"
)

// Param is where a kernel's parameter lies in its block.
type Param struct{ At, Size int }

var (
	comment = regexp.MustCompile(`//.*|(?s:/\*.*?\*/)`)
	entry   = regexp.MustCompile(`(?s)\.entry\s+(\w+)\s*\(([^)]*)\)`)
	aParam  = regexp.MustCompile(`\.param\s+\.[usbf](\d+)\s+\w+`)
)

// Entries reads the scalar parameters of every kernel of a PTX text; each lies
// at the next multiple of its size.
func Entries(ptx string) map[string][]Param {
	all := map[string][]Param{}
	for _, e := range entry.FindAllStringSubmatch(comment.ReplaceAllString(ptx, ""), -1) {
		list, at := []Param{}, 0
		for _, m := range aParam.FindAllStringSubmatch(e[2], -1) {
			bits, _ := strconv.Atoi(m[1])
			size := max(bits/8, 1)
			at = (at + size - 1) &^ (size - 1)
			list = append(list, Param{at, size})
			at += size
		}
		all[e[1]] = list
	}
	return all
}
