package emu

import "math/bits"

// opcodes says how each instruction is decoded.
var opcodes map[string]func(*decoder)

func init() {
	opcodes = map[string]func(*decoder){
		// integers (integer.go)
		"mad": multiplyAdd, "mul24": product24, "mad24": product24, "sad": sumAbsDiff, "div": quotient, "rem": quotient,
		"addc": carried, "subc": carried, "popc": countBits, "clz": countBits, "bfind": countBits, "brev": countBits,
		"bfe": bitField, "bfi": bitField, "dp4a": dotBytes,
		// bits (bits.go)
		"and": logic, "or": logic, "xor": logic, "not": logic, "cnot": logic, "lop3": logic3,
		"shl": shift, "shr": shift, "shf": funnel, "prmt": permute,
		// integers and floats (arith.go)
		"add": arith, "sub": arith, "mul": arith, "min": arith, "max": arith, "abs": arith, "neg": arith,
		// floats (floatops.go)
		"fma": fused, "rcp": reciprocal, "sqrt": reciprocal, "rsqrt": reciprocal,
		"ex2": approximate, "lg2": approximate, "sin": approximate, "cos": approximate, "tanh": approximate,
		"copysign": copySign, "testp": testProperty,
		"cvt": convert, // cvt.go
		// choices (compare.go)
		"setp": setPredicate, "set": setValue, "selp": selectByPredicate, "slct": selectBySign,
		// moving (move.go, memory operations in loadstore.go)
		"mov": move, "cvta": toAddress, "isspacep": isSpace, "ld": load, "ldu": load, "st": store,
		"atom": atomicOperation, "red": atomicOperation, "prefetch": nothing, "prefetchu": nothing, "createpolicy": policy,
		"cp": asyncCopy, // async.go
		// lanes (lanes.go)
		"shfl": shuffle, "vote": vote, "match": match, "redux": reduceLanes, "activemask": activeMask,
		"ldmatrix": loadMatrix, "mma": matrixProduct, "movmatrix": moveMatrix, // mma.go
		// flow (flow.go)
		"bra": branch, "brx": branchIndexed, "ret": exit, "exit": exit, "trap": trap,
		"bar": barrierInstruction, "barrier": barrierInstruction, "membar": fence, "fence": fence, "nanosleep": nothing,
	}
}

// each1, each2 and each3 run a function of one lane's operands over the
// active lanes.
func each1(d, a ref, f func(x uint64) uint64) func(*warp, uint32) {
	return func(w *warp, act uint32) {
		x := w.src(a, act)
		o := w.dst(d, act)
		if act == full {
			for l := range o {
				o[l] = f(x[l])
			}
			return
		}
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			o[l] = f(x[l])
		}
	}
}

func each2(d, a, b ref, f func(x, y uint64) uint64) func(*warp, uint32) {
	return func(w *warp, act uint32) {
		x, y := w.src(a, act), w.src(b, act)
		o := w.dst(d, act)
		if act == full {
			for l := range o {
				o[l] = f(x[l], y[l])
			}
			return
		}
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			o[l] = f(x[l], y[l])
		}
	}
}

func each3(d, a, b, c ref, f func(x, y, z uint64) uint64) func(*warp, uint32) {
	return func(w *warp, act uint32) {
		x, y, z := w.src(a, act), w.src(b, act), w.src(c, act)
		o := w.dst(d, act)
		if act == full {
			for l := range o {
				o[l] = f(x[l], y[l], z[l])
			}
			return
		}
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			o[l] = f(x[l], y[l], z[l])
		}
	}
}

// unary1, binary2 and ternary3 decode "op d, a, ..." of one type.
func (d *decoder) unary1(t typ, f func(x uint64) uint64) {
	d.operands(2, 2)
	d.in.run = each1(d.dst(0, t), d.src(1, t), f)
}

func (d *decoder) binary2(t typ, f func(x, y uint64) uint64) (o, a, b ref) {
	d.operands(3, 3)
	o, a, b = d.dst(0, t), d.src(1, t), d.src(2, t)
	d.in.run = each2(o, a, b, f)
	return o, a, b
}

func (d *decoder) ternary3(t typ, f func(x, y, z uint64) uint64) (o, a, b, c ref) {
	d.operands(4, 4)
	o, a, b, c = d.dst(0, t), d.src(1, t), d.src(2, t), d.src(3, t)
	d.in.run = each3(o, a, b, c, f)
	return o, a, b, c
}

// nothing decodes hints that change no value.
func nothing(d *decoder) {
	d.st.mods = nil
	d.in.run = func(*warp, uint32) {}
}
