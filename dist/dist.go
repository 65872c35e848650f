// Package dist lets the ranks of a training run compute as one.
//
// A [Group] is what a rank sees of the others. Batch-norm moments, Sinkhorn's
// sums, gathered negatives, averaged gradients and k-means results go through
// it and through nothing else, so a method is written once: [Solo] is the
// group of one, [InProcess] makes n ranks of one process.
//
// Words: rank, one of the n equal computers of a run, each with a share of
// every batch; collective, a call that all ranks make together, in the same
// order and with the same lengths; all-reduce, a collective after which every
// rank holds the combination of all; all-gather, one after which every rank
// holds all pieces, in rank order; broadcast, one after which every rank holds
// the root's values.
//
// Results do not depend on timing: sums add left to right in rank order, and
// every rank receives the same bits.
package dist

import (
	"errors"
	"fmt"
)

// Group is one rank's end of a group. A rank calls its collectives from one
// goroutine at a time; Abort may be called from any.
//
// Names without a number take float64, names ending in 32 take float32.
// Memory is the caller's again when a call returns, and must not overlap
// another rank's.
//
// An error ends the group: that call and all later ones of all ranks return
// the first error, and what the interrupted call would have written is
// undefined. It is an [*AbortError], or a [*CallError] where the ranks' calls
// do not fit together.
type Group interface {
	// Rank is this rank's number, 0 <= Rank < Size.
	Rank() int
	// Size is the number of ranks.
	Size() int

	// AllReduceSum sets x[i] to the sum of the ranks' x[i]: x_0 + x_1 + ...,
	// in this order, in x's precision. Sinkhorn's row sums, losses.
	AllReduceSum(x []float64) error
	// AllReduceSum32 does it in float32: a bucket of gradients.
	AllReduceSum32(x []float32) error
	// AllReduceMax sets x[i] to the largest of the ranks' x[i]; NaN if one is.
	// The shift of a distributed log-sum-exp.
	AllReduceMax(x []float64) error

	// AllGather sets dst to the ranks' src joined in rank order;
	// len(dst) = Size·len(src). (n, mean, M2) of batch norm.
	AllGather(dst, src []float64) error
	// AllGather32 does it in float32: negatives, keys, features.
	AllGather32(dst, src []float32) error

	// Broadcast32 sets x to the root's x: weights, centroids.
	Broadcast32(x []float32, root int) error
	// BroadcastInts does it for ints: cluster ids.
	BroadcastInts(x []int, root int) error

	// Barrier returns once all ranks have called it.
	Barrier() error

	// Abort ends the group: calls that wait, and all later ones, return an
	// *AbortError with this rank and this cause. A nil cause says that the
	// rank leaves in peace ([ErrLeft]): harmless if the others are done too.
	// Only the first error counts. [Solo] ignores it: nobody waits for it.
	Abort(cause error)
}

// ErrLeft is the cause of an AbortError when a rank had no more to do while
// others still waited for it.
var ErrLeft = errors.New("left the group")

// AbortError says which rank ended the group, and why.
type AbortError struct {
	Rank  int
	Cause error
}

func (e *AbortError) Error() string { return fmt.Sprintf("dist: rank %d: %v", e.Rank, e.Cause) }

// Unwrap returns the cause.
func (e *AbortError) Unwrap() error { return e.Cause }

// CallError is a collective that cannot be carried out: two ranks that made
// different calls, or one whose arguments break its rule (then the second call
// is empty and Rule is not).
type CallError struct {
	RankA, RankB int
	CallA, CallB string
	Rule         string
}

func (e *CallError) Error() string {
	if e.Rule != "" {
		return fmt.Sprintf("dist: rank %d called %s: %s", e.RankA, e.CallA, e.Rule)
	}
	return fmt.Sprintf("dist: calls differ: rank %d called %s, rank %d called %s", e.RankA, e.CallA, e.RankB, e.CallB)
}
