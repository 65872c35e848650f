package dist

import "fmt"

// op names a collective.
type op uint8

const (
	sum64 op = iota
	sum32
	max64
	gather64
	gather32
	broadcast32
	broadcastInts
	barrier
)

var opNames = [...]string{
	sum64: "AllReduceSum", sum32: "AllReduceSum32", max64: "AllReduceMax",
	gather64: "AllGather", gather32: "AllGather32",
	broadcast32: "Broadcast32", broadcastInts: "BroadcastInts", barrier: "Barrier",
}

// call is everything about a collective that all ranks must agree on: n is the
// length each rank brings, dst the length a gather fills, root a broadcast's
// source.
type call struct {
	op           op
	n, dst, root int
}

func (c call) String() string {
	switch c.op {
	case gather64, gather32:
		return fmt.Sprintf("%s(dst of %d, src of %d)", opNames[c.op], c.dst, c.n)
	case broadcast32, broadcastInts:
		return fmt.Sprintf("%s(%d, root %d)", opNames[c.op], c.n, c.root)
	case barrier:
		return opNames[c.op]
	}
	return fmt.Sprintf("%s(%d)", opNames[c.op], c.n)
}

// check reports what is wrong with a call that all of size ranks agree on.
func (c call) check(rank, size int) error {
	switch c.op {
	case gather64, gather32:
		if c.dst != size*c.n {
			return &CallError{RankA: rank, CallA: c.String(), Rule: fmt.Sprintf("dst holds %d · src", size)}
		}
	case broadcast32, broadcastInts:
		if c.root < 0 || c.root >= size {
			return &CallError{RankA: rank, CallA: c.String(), Rule: fmt.Sprintf("root is one of %d ranks", size)}
		}
	}
	return nil
}
