package asm

// GroupLanes says which channels the lanes of a vector hold.
type GroupLanes struct {
	In, Out int // channels of a block
	Depth   int // source channels of a group
	_       [5]int
	Index   [8][16]int32 // of channel i of the group that each lane belongs to
}
