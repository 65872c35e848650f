package emu

import (
	"fmt"
	"strings"
)

const (
	maxRegisters = 1 << 16
	maxCode      = 1 << 15 // a race record names the instruction in 15 bits
	sharedBase   = 1024    // as on sm_90: address 0 of shared memory is nobody's
	sharedGap    = 128     // between two shared arrays, so that an overrun is seen
)

// name is what an identifier of a scope stands for: a register or a variable.
type name struct {
	reg   int // index in Entry.regs
	slot  int // in a warp's values, or in its predicates
	isReg bool
	v     *variable
}

// statement is one instruction before it is decoded.
type statement struct {
	op    string
	mods  []string
	guard *operand
	ops   []operand
	line  int
	text  string
}

// operand is an operand as it is written.
type operand struct {
	kind byte   // 'n' name, 'l' literal, 'm' memory, 'v' vector, '|' pair
	text string // of a name or literal; of the base for memory
	neg  bool   // "!" or "-" before it
	off  int64
	list []operand // of a vector or pair
}

// fixup is a constant that is known once variables have addresses.
type fixup struct {
	index int
	v     *variable
	off   int64
}

// entryParser holds what is known while one entry's body is read.
type entryParser struct {
	*parser
	e      *Entry
	scopes []map[string]name
	labels map[string]int
	jumps  map[int][]string // code index -> label names
	consts map[uint64]int
	known  map[string]int // special register -> slot
	fixups []fixup
	locals map[string][]string // .branchtargets lists
	values int                 // value slots so far
	preds  int
}

func (p *parser) entry() {
	e := &Entry{Name: p.name(), File: p.m.File, module: p.m, sharedUnit: 16, globalUnit: 16}
	if _, ok := p.m.Entries[e.Name]; ok {
		p.fail("entry %s stands twice", e.Name)
	}
	x := &entryParser{
		parser: p, e: e, labels: map[string]int{}, jumps: map[int][]string{}, consts: map[uint64]int{},
		known: map[string]int{}, locals: map[string][]string{}, scopes: []map[string]name{{}},
	}
	for _, v := range append(p.m.globals[:len(p.m.globals):len(p.m.globals)], p.m.shared...) {
		x.scopes[0][v.name] = name{v: v}
	}
	if p.take("(") {
		x.params()
	}
	x.limits()
	p.expect("{")
	x.body()
	x.finish()
	p.m.Entries[e.Name] = e
	p.m.Order = append(p.m.Order, e.Name)
}

// params lays the parameter block out: each at its natural alignment, in order.
func (x *entryParser) params() {
	for !x.take(")") {
		x.expect(".param")
		v := x.variable("param")
		at := (x.e.paramBytes + v.align - 1) / v.align * v.align
		v.addr = uint64(at)
		x.e.paramBytes = at + v.size
		if x.e.paramBytes > 4096 {
			x.fail("parameters take more than 4096 bytes")
		}
		x.e.params = append(x.e.params, v)
		x.define(v.name, name{v: v})
		if !x.take(",") && x.peek() != ")" {
			x.fail("want , or ) between parameters, have %q", x.peek())
		}
	}
}

// limits reads .maxntid and its like.
func (x *entryParser) limits() {
	for {
		switch t := x.peek(); t {
		case ".maxntid", ".reqntid":
			x.next()
			for i := range x.e.MaxThread {
				x.e.MaxThread[i] = 1
				if i == 0 || x.take(",") {
					x.e.MaxThread[i] = uint32(x.count())
				}
			}
		case ".minnctapersm", ".maxnctapersm", ".maxnreg":
			x.next()
			x.count()
		default:
			return
		}
	}
}

func (x *entryParser) define(s string, n name) {
	top := x.scopes[len(x.scopes)-1]
	if _, ok := top[s]; ok {
		x.fail("%s is declared twice", s)
	}
	top[s] = n
}

func (x *entryParser) lookup(s string) (name, bool) {
	for i := len(x.scopes) - 1; i >= 0; i-- {
		if n, ok := x.scopes[i][s]; ok {
			return n, true
		}
	}
	return name{}, false
}

// body reads declarations, labels, nested scopes and instructions up to the
// closing brace.
func (x *entryParser) body() {
	for depth := 1; depth > 0; {
		switch t := x.peek(); {
		case t == "":
			x.fail("the body of %s has no end", x.e.Name)
		case t == "{":
			x.next()
			depth++
			x.scopes = append(x.scopes, map[string]name{})
		case t == "}":
			x.next()
			depth--
			x.scopes = x.scopes[:len(x.scopes)-1]
		case t == ";":
			x.next()
		case t == ".reg":
			x.next()
			x.registers()
		case t == ".shared" || t == ".local":
			x.next()
			v := x.variable(t[1:])
			x.define(v.name, name{v: v})
			if v.space == "local" {
				x.place(v)
			}
			x.expect(";")
		case t == ".loc" || t == ".file":
			x.skipLine()
		case t == ".pragma":
			x.next()
			x.next()
			x.expect(";")
		case x.pos+1 < len(x.toks) && x.toks[x.pos+1].text == ":":
			x.label()
		default:
			x.instruction()
		}
	}
}

// label defines a place in the code, or the targets of a brx.idx.
func (x *entryParser) label() {
	l := x.name()
	x.expect(":")
	if x.take(".branchtargets") {
		for {
			x.locals[l] = append(x.locals[l], x.name())
			if !x.take(",") {
				break
			}
		}
		x.expect(";")
		return
	}
	if _, ok := x.labels[l]; ok {
		x.fail("label %s stands twice", l)
	}
	x.labels[l] = len(x.e.code)
}

// registers reads ".reg .type name, name<count>, ...;" after .reg.
func (x *entryParser) registers() {
	t, ok := parseType(strings.TrimPrefix(x.peek(), "."))
	if !ok || t.bits == 8 {
		x.fail("%q is not a type of a register", x.peek())
	}
	x.next()
	for {
		s := x.name()
		if x.take("<") {
			n := x.count()
			x.expect(">")
			if len(x.e.regs)+n > maxRegisters {
				x.fail("more than %d registers", maxRegisters)
			}
			for i := range n {
				x.register(fmt.Sprint(s, i), t)
			}
		} else {
			x.register(s, t)
		}
		if !x.take(",") {
			break
		}
	}
	x.expect(";")
}

func (x *entryParser) register(s string, t typ) {
	n := name{reg: len(x.e.regs), isReg: true}
	if t.kind == 'p' {
		n.slot = x.preds
		x.preds++
	} else {
		n.slot = x.values
		x.values++
	}
	x.e.regs = append(x.e.regs, register{s, t.kind == 'p', t.bits, n.slot})
	x.define(s, n)
}

// instruction reads one instruction and decodes it.
func (x *entryParser) instruction() {
	st := &statement{line: x.line()}
	from := x.pos
	if x.take("@") {
		g := operand{kind: 'n', neg: x.take("!")}
		g.text = x.name()
		st.guard = &g
	}
	parts := strings.Split(x.name(), ".")
	st.op, st.mods = parts[0], parts[1:]
	for x.peek() != ";" {
		if len(st.ops) > 0 {
			x.expect(",")
		}
		st.ops = append(st.ops, x.operand())
	}
	end := x.toks[x.pos].at
	x.next()
	st.text = shorten(x.text[x.toks[from].at:end])
	if len(x.e.code) >= maxCode {
		x.fail("more than %d instructions", maxCode)
	}
	x.e.code = append(x.e.code, instr{line: int32(st.line), text: st.text, guard: -1, pc: int32(len(x.e.code))})
	d := &decoder{entryParser: x, st: st, in: &x.e.code[len(x.e.code)-1]}
	d.decode()
}

// shorten puts an instruction on one line of at most 120 bytes.
func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 120 {
		s = s[:117] + "..."
	}
	return s
}

func (x *entryParser) operand() operand {
	switch t := x.peek(); {
	case t == "{":
		x.next()
		o := operand{kind: 'v'}
		for {
			o.list = append(o.list, x.operand())
			if !x.take(",") {
				break
			}
		}
		x.expect("}")
		return o
	case t == "[":
		x.next()
		o := operand{kind: 'm', text: x.next()}
		o.off = x.offset()
		x.expect("]")
		return o
	case t == "!" || t == "-":
		x.next()
		o := operand{kind: 'n', neg: true, text: x.next()}
		if o.text[0] >= '0' && o.text[0] <= '9' {
			o.kind = 'l'
		} else if t == "-" {
			x.fail("- stands before %q, which is not a number", o.text)
		}
		return o
	case t != "" && t[0] >= '0' && t[0] <= '9':
		return operand{kind: 'l', text: x.next()}
	}
	o := operand{kind: 'n', text: x.name()}
	o.off = x.offset()
	if x.take("|") {
		return operand{kind: '|', list: []operand{o, {kind: 'n', text: x.name()}}}
	}
	return o
}

// offset reads "+ number" or "- number", if there is one.
func (x *entryParser) offset() int64 {
	plus := x.take("+")
	if !plus && x.peek() != "-" {
		return 0
	}
	return int64(x.number(typ{kind: 's', bits: 64}))
}
