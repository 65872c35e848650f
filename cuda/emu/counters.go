package emu

import "math/bits"

// Counters are what a kernel's launches did, added up.
type Counters struct {
	Launches, Blocks int64
	Instructions     int64 // by warps, also those that a predicate switched off
	Barriers         int64 // that a warp passed
	Loads, Stores    int64 // instructions to global memory
	LoadBytes        int64 // asked for, by all lanes
	StoreBytes       int64
	LoadSectors      int64 // of 32 bytes, distinct in each instruction
	StoreSectors     int64
	SharedAccesses   int64 // instructions to shared memory
	SharedWavefronts int64 // passes that they take
	BankConflicts    int64 // passes more than if no two words shared a bank
	Matrix           int64 // mma instructions
}

func (c *Counters) add(o *Counters) {
	c.Launches += o.Launches
	c.Blocks += o.Blocks
	c.Instructions += o.Instructions
	c.Barriers += o.Barriers
	c.Loads += o.Loads
	c.Stores += o.Stores
	c.LoadBytes += o.LoadBytes
	c.StoreBytes += o.StoreBytes
	c.LoadSectors += o.LoadSectors
	c.StoreSectors += o.StoreSectors
	c.SharedAccesses += o.SharedAccesses
	c.SharedWavefronts += o.SharedWavefronts
	c.BankConflicts += o.BankConflicts
	c.Matrix += o.Matrix
}

// countGlobal counts an access of n bytes at w.addr of each active lane.
func (w *warp) countGlobal(act uint32, n int, store bool) {
	var seen [64]uint64
	k := 0
next:
	for m := act; m != 0; m &= m - 1 {
		s := w.addr[bits.TrailingZeros32(m)] / 32
		for i := k - 1; i >= 0; i-- {
			if seen[i] == s {
				continue next
			}
		}
		seen[k] = s
		k++
	}
	c, size := &w.b.n, int64(n*bits.OnesCount32(act))
	if store {
		c.Stores++
		c.StoreBytes += size
		c.StoreSectors += int64(k)
	} else {
		c.Loads++
		c.LoadBytes += size
		c.LoadSectors += int64(k)
	}
}

// countShared counts an access of n bytes at w.addr of each active lane.
// Shared memory has 32 banks of 4-byte words. Accesses of 8 bytes are served
// by half warps, of 16 bytes by quarter warps; a pass delivers one word of each
// bank, to all lanes that want it.
func (w *warp) countShared(act uint32, n int) {
	c := &w.b.n
	c.SharedAccesses++
	words, lanes := max(n/4, 1), 32
	if words > 1 {
		lanes = 32 / words
	}
	for first := 0; first < 32; first += lanes {
		part := act >> first
		if lanes < 32 {
			part &= 1<<lanes - 1
		}
		if part == 0 {
			continue
		}
		p := int64(w.passes(part<<first, words))
		c.SharedWavefronts += p
		c.BankConflicts += p - 1
	}
}

// passes is the largest number of distinct words in one bank.
func (w *warp) passes(act uint32, words int) int {
	var word [64]uint64 // distinct ones
	var next [64]int8   // in the same bank
	var head [32]int8
	var depth [32]uint8
	k, worst := int8(0), 1
	for m := act; m != 0; m &= m - 1 {
		a := w.addr[bits.TrailingZeros32(m)] / 4
	each:
		for i := range uint64(words) {
			bank := (a + i) % 32
			for j := head[bank]; j > 0; j = next[j-1] {
				if word[j-1] == a+i {
					continue each
				}
			}
			word[k], next[k] = a+i, head[bank]
			k++
			head[bank] = k
			depth[bank]++
			worst = max(worst, int(depth[bank]))
		}
	}
	return worst
}
