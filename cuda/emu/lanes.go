package emu

import (
	"math"
	"math/bits"
)

var maskType = typ{kind: 'b', bits: 32}

// together checks that exactly the lanes of the mask operand that have not
// ended are here: each lane must name itself, and whoever is named must have
// come.
func (w *warp) together(mask ref, act uint32) {
	m := w.src(mask, act)
	for k := act; k != 0; k &= k - 1 {
		l := bits.TrailingZeros32(k)
		v := uint32(m[l])
		if v>>l&1 == 0 {
			w.fault(DivergentWarp, l, "the mask %#x does not name this lane %d", v, l)
		}
		if away := v &^ act; away != 0 {
			state := "is elsewhere, or switched off by a predicate"
			if away&w.live == 0 {
				state = "has ended"
			}
			w.fault(DivergentWarp, l, "the mask %#x names lane %d, which %s", v, bits.TrailingZeros32(away), state)
		}
	}
}

// allLanes checks for instructions that the whole warp executes.
func (w *warp) allLanes(act uint32) {
	if act != full {
		w.fault(DivergentWarp, bits.TrailingZeros32(^act), "all 32 lanes must execute it, %d do", bits.OnesCount32(act))
	}
}

// shuffle decodes shfl.sync: d = a of another lane, p = whether that lane lies
// in range.
func shuffle(d *decoder) {
	d.want("the form", "sync")
	mode := d.want("the mode", "up", "down", "bfly", "idx")
	t := d.typed("b32")
	d.operands(5, 5)
	first, second := d.pair(0)
	o, _ := d.dest(first, t, false)
	p := int32(-1)
	if second != nil {
		p = d.predDst(second)
	}
	a, b, c, mask := d.src(1, t), d.src(2, t), d.src(3, t), d.src(4, t)
	d.in.run = func(w *warp, act uint32) {
		w.together(mask, act)
		y, z := w.src(b, act), w.src(c, act)
		var from [32]int
		var inside, wanted uint32
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			j, ok := shuffleSource(mode, l, int(y[l]&31), int(z[l]&31), int(z[l]>>8&31))
			from[l] = j
			inside |= b2i(ok) << l
			wanted |= 1 << j
			if act>>j&1 == 0 {
				w.fault(DivergentWarp, l, "lane %d reads lane %d, which does not take part", l, j)
			}
		}
		x := *w.src(a, wanted)
		out := w.dst(o, act)
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			out[l] = x[from[l]]
		}
		w.setPredicate(p, inside, act)
	}
}

// shuffleSource is the lane that lane reads, and whether it is in range: the
// formulas of the PTX manual.
func shuffleSource(mode string, lane, b, clamp, segment int) (int, bool) {
	top := lane&segment | clamp&^segment
	bottom := lane & segment
	j, ok := 0, false
	switch mode {
	case "up":
		j = lane - b
		ok = j >= top
	case "down":
		j = lane + b
		ok = j <= top
	case "bfly":
		j = lane ^ b
		ok = j <= top
	case "idx":
		j = bottom | b&^segment
		ok = j <= top
	}
	if !ok {
		j = lane
	}
	return j, ok
}

// vote decodes vote.sync.{all,any,uni,ballot}.
func vote(d *decoder) {
	d.want("the form", "sync")
	mode := d.want("the mode", "all", "any", "uni", "ballot")
	d.operands(3, 3)
	a, mask := d.pred(&d.st.ops[1]), d.src(2, maskType)
	if mode == "ballot" {
		o := d.dst(0, d.typed("b32"))
		d.in.run = func(w *warp, act uint32) {
			w.together(mask, act)
			r := w.predicate(a, act) & act
			z := w.dst(o, act)
			for m := act; m != 0; m &= m - 1 {
				z[bits.TrailingZeros32(m)] = uint64(r)
			}
		}
		return
	}
	d.typed("pred")
	o := d.predDst(&d.st.ops[0])
	d.in.run = func(w *warp, act uint32) {
		w.together(mask, act)
		r := w.predicate(a, act) & act
		yes := r == act && mode != "any" || r != 0 && mode == "any" || r == 0 && mode == "uni"
		w.setPredicate(o, -b2i(yes), act)
	}
}

// match decodes match.{any,all}.sync.
func match(d *decoder) {
	mode := d.want("the mode", "any", "all")
	d.want("the form", "sync")
	t := d.typed("b32", "b64")
	d.operands(3, 3)
	first, second := d.pair(0)
	o, _ := d.dest(first, maskType, false)
	p := int32(-1)
	if second != nil {
		if mode == "any" {
			d.fail("match.any has no predicate")
		}
		p = d.predDst(second)
	}
	a, mask := d.src(1, t), d.src(2, maskType)
	d.in.run = func(w *warp, act uint32) {
		w.together(mask, act)
		x := w.src(a, act)
		var same [32]uint32
		all := true
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			for k := act; k != 0; k &= k - 1 {
				j := bits.TrailingZeros32(k)
				same[l] |= b2i(x[l] == x[j]) << j
			}
			all = all && same[l] == act
		}
		z := w.dst(o, act)
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			switch {
			case mode == "any" || all:
				z[l] = uint64(same[l])
			default:
				z[l] = 0
			}
		}
		w.setPredicate(p, -b2i(all), act)
	}
}

// reduceLanes decodes redux.sync of 32-bit integers.
func reduceLanes(d *decoder) {
	d.want("the form", "sync")
	op := d.want("the operation", "add", "min", "max", "and", "or", "xor")
	t := d.typed("u32", "s32", "b32")
	if (t.kind == 'b') == (op == "add" || op == "min" || op == "max") {
		d.fail("redux.%s of this type", op)
	}
	d.operands(3, 3)
	o, a, mask := d.dst(0, t), d.src(1, t), d.src(2, maskType)
	d.in.run = func(w *warp, act uint32) {
		w.together(mask, act)
		x := w.src(a, act)
		r := x[bits.TrailingZeros32(act)]
		for m := act & (act - 1); m != 0; m &= m - 1 {
			r = fold(op, t, r, x[bits.TrailingZeros32(m)])
		}
		z := w.dst(o, act)
		for m := act; m != 0; m &= m - 1 {
			z[bits.TrailingZeros32(m)] = r
		}
	}
}

// fold is one step of a reduction or an atomic.
func fold(op string, t typ, x, y uint64) uint64 {
	switch op {
	case "and":
		return x & y
	case "or":
		return x | y
	case "xor":
		return x ^ y
	case "exch":
		return y
	case "inc":
		if x >= y {
			return 0
		}
		return x + 1
	case "dec":
		if x == 0 || x > y {
			return y
		}
		return x - 1
	case "add":
		switch {
		case t.x2:
			h := t.half()
			return fold(op, h, x&0xffff, y&0xffff) | fold(op, h, x>>16, y>>16)<<16
		case t.float() && t.bits == 64:
			return t.pack(f64(x) + f64(y))
		case t.float() && t.bits == 32:
			return bits32(f32(x) + f32(y))
		case t.float():
			return t.pack(t.format().round(exactSum(t.unpack(x), t.unpack(y)), "rn"))
		}
		return (x + y) & t.mask()
	}
	if t.float() {
		if op == "min" {
			return t.pack(math.Min(t.unpack(x), t.unpack(y)))
		}
		return t.pack(math.Max(t.unpack(x), t.unpack(y)))
	}
	return integerOp(op, t)(x, y)
}

func activeMask(d *decoder) {
	d.operands(1, 1)
	o := d.dst(0, d.typed("b32"))
	d.in.run = func(w *warp, act uint32) {
		z := w.dst(o, act)
		for m := act; m != 0; m &= m - 1 {
			z[bits.TrailingZeros32(m)] = uint64(act)
		}
	}
}
