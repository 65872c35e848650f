package main

import (
	"fmt"
	"strings"
)

// Reg is a register by the name its author gave it: "%row".
type Reg string

// Vec is a vector operand: {%v0, %v1}.
type Vec []Reg

// At is an address operand: [%base+off].
type At struct {
	Base Reg
	Off  int
}

// Label is a place in the text.
type Label string

// Kernel is the text of one entry as it is written. It is a typewriter, not a
// compiler: one call prints one instruction, a register exists when its author
// declares it, and nothing is moved, merged or dropped.
type Kernel struct {
	Name   string
	Block  int // threads
	MinCTA int // .minnctapersm, 0: none
	Params []Param
	Shared []Shared
	Header []string

	regs   []declared
	names  map[string]bool
	entry  strings.Builder // loads of arguments
	body   strings.Builder
	labels int
}

// Param is one argument of an entry; Type is u64, u32 or s32.
type Param struct{ Type, Name string }

// Shared is an array of shared memory.
type Shared struct {
	Name         string
	Bytes, Align int
}

type declared struct {
	kind, name string
	n          int // 0: a single register
}

// NewKernel begins an entry.
func NewKernel(name string, block int) *Kernel {
	return &Kernel{Name: name, Block: block, names: map[string]bool{}}
}

func (k *Kernel) declare(kind, name string, n int) {
	if k.names[name] {
		panic("register " + name + " is declared twice")
	}
	k.names[name] = true
	k.regs = append(k.regs, declared{kind, name, n})
}

// B32, B64, F32 and Pred declare one register.
func (k *Kernel) B32(name string) Reg  { k.declare("b32", name, 0); return Reg("%" + name) }
func (k *Kernel) B64(name string) Reg  { k.declare("b64", name, 0); return Reg("%" + name) }
func (k *Kernel) F32(name string) Reg  { k.declare("f32", name, 0); return Reg("%" + name) }
func (k *Kernel) Pred(name string) Reg { k.declare("pred", name, 0); return Reg("%" + name) }

// Regs declares n registers name0, name1, ... of a kind.
func (k *Kernel) Regs(kind, name string, n int) Vec {
	k.declare(kind, name, n)
	v := make(Vec, n)
	for i := range v {
		v[i] = Reg(fmt.Sprintf("%%%s%d", name, i))
	}
	return v
}

// I prints one instruction.
func (k *Kernel) I(op string, args ...any) { k.line("", op, args) }

// If prints an instruction guarded by p, Unless one guarded by !p.
func (k *Kernel) If(p Reg, op string, args ...any)     { k.line("@"+string(p)+" ", op, args) }
func (k *Kernel) Unless(p Reg, op string, args ...any) { k.line("@!"+string(p)+" ", op, args) }

func (k *Kernel) line(guard, op string, args []any) {
	k.body.WriteString("\t" + guard + op)
	for i, a := range args {
		if i == 0 {
			k.body.WriteByte(' ')
		} else {
			k.body.WriteString(", ")
		}
		switch a := a.(type) {
		case Reg:
			k.body.WriteString(string(a))
		case Label:
			k.body.WriteString(string(a))
		case string:
			k.body.WriteString(a)
		case int:
			fmt.Fprintf(&k.body, "%d", a)
		case At:
			if a.Off == 0 {
				fmt.Fprintf(&k.body, "[%s]", a.Base)
			} else {
				fmt.Fprintf(&k.body, "[%s+%d]", a.Base, a.Off)
			}
		case Vec:
			k.body.WriteByte('{')
			for j, r := range a {
				if j > 0 {
					k.body.WriteByte(',')
				}
				k.body.WriteString(string(r))
			}
			k.body.WriteByte('}')
		default:
			panic(fmt.Sprintf("%s: operand %d is a %T", op, i, a))
		}
	}
	k.body.WriteString(";\n")
}

// Label makes a name for a place; Here puts it down.
func (k *Kernel) Label(name string) Label {
	k.labels++
	return Label(fmt.Sprintf("%s_%d", name, k.labels))
}

func (k *Kernel) Here(l Label) { k.body.WriteString(string(l) + ":\n") }

// Note prints a comment.
func (k *Kernel) Note(format string, a ...any) {
	for _, l := range strings.Split(fmt.Sprintf(format, a...), "\n") {
		k.body.WriteString("\t// " + l + "\n")
	}
}

// Param is the register with an argument; it is loaded once, before all else.
func (k *Kernel) Param(name string) Reg {
	r := Reg("%" + name)
	if k.names[name] {
		return r
	}
	for _, p := range k.Params {
		if p.Name != name {
			continue
		}
		if p.Type == "u64" {
			k.B64(name)
		} else {
			k.B32(name)
		}
		fmt.Fprintf(&k.entry, "\tld.param.%s %s, [%s];\n", p.Type, r, name)
		return r
	}
	panic(k.Name + " has no parameter " + name)
}

// Text is the entry as PTX.
func (k *Kernel) Text() string {
	var o strings.Builder
	for _, h := range k.Header {
		o.WriteString(strings.TrimRight("// "+h, " ") + "\n")
	}
	fmt.Fprintf(&o, ".visible .entry %s(\n", k.Name)
	for i, p := range k.Params {
		comma := ","
		if i == len(k.Params)-1 {
			comma = ""
		}
		fmt.Fprintf(&o, "\t.param .%s %s%s\n", p.Type, p.Name, comma)
	}
	fmt.Fprintf(&o, ")\n.maxntid %d, 1, 1\n", k.Block)
	if k.MinCTA > 0 {
		fmt.Fprintf(&o, ".minnctapersm %d\n", k.MinCTA)
	}
	o.WriteString("{\n")
	for _, r := range k.regs {
		if r.n == 0 {
			fmt.Fprintf(&o, "\t.reg .%s %%%s;\n", r.kind, r.name)
		} else {
			fmt.Fprintf(&o, "\t.reg .%s %%%s<%d>;\n", r.kind, r.name, r.n)
		}
	}
	for _, s := range k.Shared {
		fmt.Fprintf(&o, "\t.shared .align %d .b8 %s[%d];\n", s.Align, s.Name, s.Bytes)
	}
	o.WriteString(k.entry.String())
	o.WriteString(k.body.String())
	o.WriteString("}\n")
	return o.String()
}

// Module is a file: one or several entries with its own header.
func Module(header string, kernels ...*Kernel) string {
	var o strings.Builder
	for _, l := range strings.Split(strings.TrimSpace(header), "\n") {
		o.WriteString(strings.TrimRight("// "+l, " ") + "\n")
	}
	o.WriteString("\n.version 7.0\n.target sm_80\n.address_size 64\n")
	for _, k := range kernels {
		o.WriteString("\n" + k.Text())
	}
	return o.String()
}
