package emu

import (
	"fmt"
	"slices"
	"strings"
)

// ref names a source or destination of an instruction: a register of the warp
// from 0 up, or the complement of the index of a constant.
type ref int32

// predRef is a predicate operand: a predicate register, or a constant.
type predRef struct {
	slot int32 // -1: the constant is !neg
	neg  bool
}

// instr is a decoded instruction.
type instr struct {
	run     func(w *warp, act uint32)
	flow    uint8
	guard   int32 // predicate slot, -1 without
	neg     bool
	pc      int32
	line    int32
	text    string
	targets []int32
	index   ref // of brx.idx
	bar     *barrierOp
	uniform bool // bra.uni: all lanes of the warp go the same way
}

const (
	flowNext    = iota // run, then the next instruction
	flowBranch         // active lanes go to targets[0]
	flowIndexed        // active lanes go to targets[index]
	flowExit           // active lanes end
	flowBarrier        // the warp waits for others
)

// decoder turns one statement into an instr. Its methods consume modifiers
// and operands; what is left over at the end is an error.
type decoder struct {
	*entryParser
	st *statement
	in *instr
}

func (d *decoder) fail(format string, args ...any) {
	panic(&ParseError{d.e.File, d.st.line, d.st.text, fmt.Sprintf(format, args...)})
}

func (d *decoder) decode() {
	if g := d.st.guard; g != nil {
		n, ok := d.lookup(g.text)
		if !ok || !n.isReg || !d.e.regs[n.reg].pred {
			d.fail("%s is not a predicate register", g.text)
		}
		d.in.guard, d.in.neg = int32(n.slot), g.neg
	}
	f, ok := opcodes[d.st.op]
	if !ok {
		d.fail("unknown instruction %s", d.st.op)
	}
	f(d)
	if len(d.st.mods) > 0 {
		d.fail("%s does not know .%s", d.st.op, strings.Join(d.st.mods, "."))
	}
}

// flag consumes modifier s wherever it stands.
func (d *decoder) flag(s string) bool {
	i := slices.Index(d.st.mods, s)
	if i < 0 {
		return false
	}
	d.st.mods = slices.Delete(d.st.mods, i, i+1)
	return true
}

// oneOf consumes the first modifier when it is one of names; "" otherwise.
func (d *decoder) oneOf(names ...string) string {
	if len(d.st.mods) > 0 && slices.Contains(names, d.st.mods[0]) {
		s := d.st.mods[0]
		d.st.mods = d.st.mods[1:]
		return s
	}
	return ""
}

// want is oneOf that fails when none is there.
func (d *decoder) want(what string, names ...string) string {
	s := d.oneOf(names...)
	if s == "" {
		d.fail("%s must be one of .%s", what, strings.Join(names, " ."))
	}
	return s
}

// typ consumes the first modifier as a type.
func (d *decoder) typ() typ {
	if len(d.st.mods) > 0 {
		if t, ok := parseType(d.st.mods[0]); ok {
			d.st.mods = d.st.mods[1:]
			return t
		}
		d.fail("%s: .%s is not a type", d.st.op, d.st.mods[0])
	}
	d.fail("%s without a type", d.st.op)
	return typ{}
}

// typed consumes the first modifier as one of the named types.
func (d *decoder) typed(names ...string) typ {
	if len(d.st.mods) > 0 && !slices.Contains(names, d.st.mods[0]) {
		d.fail("%s takes .%s, not .%s", d.st.op, strings.Join(names, " ."), d.st.mods[0])
	}
	return d.typ()
}

// operands checks how many operands there are.
func (d *decoder) operands(atLeast, atMost int) int {
	if n := len(d.st.ops); n < atLeast || n > atMost {
		d.fail("%d operands, %s takes %d to %d", n, d.st.op, atLeast, atMost)
	}
	return len(d.st.ops)
}

// constant is the ref of a value that all lanes read.
func (d *decoder) constant(v uint64) ref {
	i, ok := d.consts[v]
	if !ok {
		i = len(d.e.consts)
		d.consts[v] = i
		var c vec
		for l := range c {
			c[l] = v
		}
		d.e.consts = append(d.e.consts, c)
	}
	return ref(^i)
}

// address is the ref of a variable's address plus off.
func (d *decoder) address(v *variable, off int64) ref {
	d.e.consts = append(d.e.consts, vec{})
	d.fixups = append(d.fixups, fixup{len(d.e.consts) - 1, v, off})
	return ref(^(len(d.e.consts) - 1))
}

// src is operand i as a source of exactly t's width.
func (d *decoder) src(i int, t typ) ref { return d.source(&d.st.ops[i], t, false) }

func (d *decoder) source(o *operand, t typ, wider bool) ref {
	switch o.kind {
	case 'l':
		v, ok := literal(o.text, o.neg, t)
		if !ok {
			d.fail("%q is not a constant of this type", o.text)
		}
		return d.constant(v)
	case 'n':
		if o.neg {
			d.fail("! before %s", o.text)
		}
		n, ok := d.lookup(o.text)
		switch {
		case !ok && o.text == "WARP_SZ":
			return d.constant(32)
		case !ok:
			return d.special(o.text, t)
		case n.isReg && o.off == 0:
			d.checkWidth(n, t, wider)
			return ref(n.slot)
		case !n.isReg && t.bits >= 32 && n.v.space != "param":
			return d.address(n.v, o.off)
		}
	}
	d.fail("%q cannot be a source here", o.text)
	return 0
}

func (d *decoder) checkWidth(n name, t typ, wider bool) {
	r := d.e.regs[n.reg]
	if r.pred || r.bits < t.bits || r.bits != t.bits && !wider {
		d.fail("%s has %d bits, %d are wanted", r.name, r.bits, t.bits)
	}
}

// special is a register that the machine fills, such as %tid.x.
func (d *decoder) special(s string, t typ) ref {
	if _, ok := specials[s]; !ok {
		d.fail("%s is not declared", s)
	}
	slot, ok := d.known[s]
	if !ok {
		slot = d.values
		d.values++
		d.known[s] = slot
		d.e.specials = append(d.e.specials, special{slot, s})
		d.e.regs = append(d.e.regs, register{s, false, 32, slot})
	}
	return ref(slot)
}

// dst is operand i as a destination of exactly t's width; "_" is thrown away.
func (d *decoder) dst(i int, t typ) ref {
	r, _ := d.dest(&d.st.ops[i], t, false)
	return r
}

// dest is a destination and the width of its register.
func (d *decoder) dest(o *operand, t typ, wider bool) (ref, int) {
	if o.kind == 'n' && o.text == "_" {
		d.values++
		return ref(d.values - 1), t.bits
	}
	n, ok := d.lookup(o.text)
	if o.kind != 'n' || !ok || !n.isReg || o.off != 0 || o.neg {
		d.fail("%q cannot be a destination", o.text)
	}
	d.checkWidth(n, t, wider)
	return ref(n.slot), d.e.regs[n.reg].bits
}

// pred is operand o as a predicate source: a register, its negation, or a
// constant.
func (d *decoder) pred(o *operand) predRef {
	if o.kind == 'l' {
		return predRef{-1, o.text == "0"}
	}
	n, ok := d.lookup(o.text)
	if o.kind != 'n' || !ok || !n.isReg || !d.e.regs[n.reg].pred {
		d.fail("%q is not a predicate", o.text)
	}
	return predRef{int32(n.slot), o.neg}
}

// isPred reports whether operand o is a predicate register.
func (d *decoder) isPred(o *operand) bool {
	n, ok := d.lookup(o.text)
	return o.kind == 'n' && ok && n.isReg && d.e.regs[n.reg].pred
}

// predDst is o as a predicate destination; -1 for "_".
func (d *decoder) predDst(o *operand) int32 {
	if o.kind == 'n' && o.text == "_" {
		return -1
	}
	p := d.pred(o)
	if p.slot < 0 || p.neg {
		d.fail("%q cannot be a destination", o.text)
	}
	return p.slot
}

// pair splits "d|p" into d and p; p is nil when there is none.
func (d *decoder) pair(i int) (first, second *operand) {
	if o := &d.st.ops[i]; o.kind == '|' {
		return &o.list[0], &o.list[1]
	}
	return &d.st.ops[i], nil
}

// addr is operand i as a memory operand [base+off].
func (d *decoder) addr(i int, space string) (base ref, off uint64) {
	o := &d.st.ops[i]
	if o.kind != 'm' {
		d.fail("operand %d must be an address in brackets", i+1)
	}
	n, ok := d.lookup(o.text)
	switch {
	case ok && n.isReg:
		r := d.e.regs[n.reg]
		if r.pred || r.bits != 64 && (r.bits != 32 || space == "global" || space == "") {
			d.fail("%s of %d bits cannot address %s memory", r.name, r.bits, space)
		}
		return ref(n.slot), uint64(o.off)
	case ok:
		if n.v.space != space && space != "" {
			d.fail("%s is in .%s, not in .%s", o.text, n.v.space, space)
		}
		return d.address(n.v, o.off), 0
	}
	if v, ok := literal(o.text, false, typ{kind: 'u', bits: 64}); ok {
		return d.constant(v + uint64(o.off)), 0
	}
	d.fail("%s is not declared", o.text)
	return 0, 0
}

// vector lists the registers of an operand that may be {a, b, ...}.
func (d *decoder) vector(i int) []operand {
	if o := d.st.ops[i]; o.kind == 'v' {
		return o.list
	}
	return d.st.ops[i : i+1]
}

// fragment is a vector operand of exactly n registers of type t.
func (d *decoder) fragment(i, n int, t typ, dest bool) []ref {
	list := d.vector(i)
	if len(list) != n {
		d.fail("operand %d has %d registers, %d are wanted", i+1, len(list), n)
	}
	out := make([]ref, n)
	for k := range list {
		if dest {
			out[k], _ = d.dest(&list[k], t, false)
		} else {
			out[k] = d.source(&list[k], t, false)
		}
	}
	return out
}
