package autograd

import (
	"fmt"
	"strings"
)

// Shape is the sizes of up to four axes, as a comparable value.
type Shape struct {
	Rank int
	Dim  [4]int
}

// Dims is the shape with the given sizes. It panics beyond four axes.
func Dims(d ...int) Shape {
	var s Shape
	s.Rank = copy(s.Dim[:], d)
	if s.Rank != len(d) {
		panic(&rankError{len(d)})
	}
	return s
}

type rankError struct{ rank int }

func (e *rankError) Error() string { return fmt.Sprintf("autograd: rank %d, at most 4", e.rank) }

// Len is the number of elements.
func (s Shape) Len() int {
	n := 1
	for _, d := range s.Dim[:s.Rank] {
		n *= d
	}
	return n
}

// Rows is the product of all sizes but the last, Cols the last: the matrix a
// kernel over rows sees.
func (s Shape) Rows() int {
	if s.Rank == 0 {
		return 1
	}
	n := 1
	for _, d := range s.Dim[:s.Rank-1] {
		n *= d
	}
	return n
}

// Cols is the size of the last axis, 1 for a scalar.
func (s Shape) Cols() int {
	if s.Rank == 0 {
		return 1
	}
	return s.Dim[s.Rank-1]
}

// Slice is the sizes as a new slice.
func (s Shape) Slice() []int { return append([]int(nil), s.Dim[:s.Rank]...) }

func (s Shape) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, d := range s.Dim[:s.Rank] {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, d)
	}
	b.WriteByte(']')
	return b.String()
}
