package emu

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Module is one assembled PTX text.
type Module struct {
	File    string
	Entries map[string]*Entry
	Order   []string // entry names as they stand in the text
	Version int      // of PTX: 70 is 7.0
	Target  int      // compute capability: 80 is sm_80

	text    string
	globals []*variable // .global and .const
	shared  []*variable // module-scope .shared, also .extern
}

// An Entry is a kernel: an .entry of a module, decoded.
type Entry struct {
	Name      string
	File      string
	MaxThread [3]uint32 // .maxntid or .reqntid; 0 is none

	params     []*variable
	paramBytes int
	shared     []*variable // placed; gaps between them may not be touched
	sharedEnd  int         // end of the static part
	sharedSize int         // bytes of static shared memory, as the driver counts them
	dynamic    *variable   // .extern .shared array, nil without
	localBytes int         // per thread
	code       []instr
	regs       []register
	values     int // value registers of a warp, predicates of a warp
	preds      int
	consts     []vec
	links      []fixup   // constants that are addresses of .global and .const
	specials   []special // registers filled when a warp starts
	sharedUnit int       // bytes of a cell of race tracking in shared memory
	globalUnit int       // and in global memory
	module     *Module
}

// variable is a named piece of a state space.
type variable struct {
	name        string
	space       string // "param", "shared", "local", "global", "const"
	align, size int
	addr        uint64 // offset in its space; device address for global and const
	init        []byte
	line        int
}

// register is what a .reg directive says about one register.
type register struct {
	name string
	pred bool
	bits int
	slot int
}

// A ParseError is PTX text that cannot be run: it names the line.
type ParseError struct {
	File string
	Line int
	Text string // the statement, shortened
	Msg  string
}

func (e *ParseError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s: %q", e.File, e.Line, e.Msg, e.Text)
}

// parser walks the tokens of one module. Problems leave by panic(*ParseError),
// which Parse turns into an error.
type parser struct {
	m    *Module
	text string
	toks []token
	pos  int
}

// Parse assembles PTX text. file names the text in errors and reports.
func Parse(file, text string) (m *Module, err error) {
	p := &parser{m: &Module{File: file, Entries: map[string]*Entry{}, text: text}, text: text, toks: lex(text)}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *ParseError:
			m, err = nil, r
		default:
			panic(r)
		}
	}()
	p.module()
	if len(p.m.Order) == 0 {
		p.fail("no .entry")
	}
	return p.m, nil
}

func (p *parser) fail(format string, args ...any) {
	panic(&ParseError{File: p.m.File, Line: p.line(), Msg: fmt.Sprintf(format, args...)})
}

// line is the line of the next token, or of the last one.
func (p *parser) line() int {
	switch {
	case p.pos < len(p.toks):
		return p.toks[p.pos].line
	case len(p.toks) > 0:
		return p.toks[len(p.toks)-1].line
	}
	return 1
}

// peek is the next token's text, "" at the end.
func (p *parser) peek() string {
	if p.pos < len(p.toks) {
		return p.toks[p.pos].text
	}
	return ""
}

func (p *parser) next() string {
	if p.pos >= len(p.toks) {
		p.fail("unexpected end of the text")
	}
	p.pos++
	return p.toks[p.pos-1].text
}

// take consumes t when it comes next.
func (p *parser) take(t string) bool {
	if p.peek() == t {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(t string) {
	if !p.take(t) {
		p.fail("want %q, have %q", t, p.peek())
	}
}

func (p *parser) name() string {
	t := p.peek()
	if t == "" || !wordByte(t[0]) || t[0] == '.' || t[0] >= '0' && t[0] <= '9' {
		p.fail("want a name, have %q", t)
	}
	p.pos++
	return t
}

// count reads a small number without sign.
func (p *parser) count() int {
	n, err := strconv.ParseUint(strings.TrimSuffix(p.peek(), "U"), 0, 31)
	if err != nil {
		p.fail("want a number, have %q", p.peek())
	}
	p.pos++
	return int(n)
}

// skipLine drops the rest of a directive that has no semicolon.
func (p *parser) skipLine() {
	for l := p.line(); p.pos < len(p.toks) && p.toks[p.pos].line == l; p.pos++ {
	}
}

// module = { directive | entry }.
func (p *parser) module() {
	for p.pos < len(p.toks) {
		switch t := p.next(); t {
		case ".version":
			v, err := strconv.ParseFloat(p.peek(), 64)
			if err != nil || v < 1 || v > 9.9 {
				p.fail(".version %s: want 1.0 to 9.0", p.peek())
			}
			p.m.Version = int(math.Round(v * 10))
			p.pos++
		case ".target":
			n, err := strconv.Atoi(strings.TrimRight(strings.TrimPrefix(p.peek(), "sm_"), "af"))
			if err != nil || !strings.HasPrefix(p.peek(), "sm_") {
				p.fail(".target %s: want sm_NN", p.peek())
			}
			p.m.Target = n
			p.skipLine()
		case ".address_size":
			if n := p.count(); n != 64 {
				p.fail(".address_size %d: only 64 is supported", n)
			}
		case ".file", ".loc":
			p.skipLine()
		case ".visible", ".weak", ".extern":
		case ".global", ".const", ".shared":
			v := p.variable(t[1:])
			if t == ".shared" {
				p.m.shared = append(p.m.shared, v)
			} else {
				p.m.globals = append(p.m.globals, v)
			}
			p.expect(";")
		case ".entry":
			p.entry()
		default:
			p.pos--
			p.fail("%q is not a directive that can stand here", t)
		}
	}
}

// variable reads what follows .shared, .local, .global, .const or .param.
func (p *parser) variable(space string) *variable {
	v := &variable{space: space, align: 0, line: p.line()}
	if p.take(".align") {
		v.align = p.count()
		if v.align < 1 || v.align&(v.align-1) != 0 || v.align > 4096 {
			p.fail(".align %d: want a power of two up to 4096", v.align)
		}
	}
	lanes := 1
	switch {
	case p.take(".v2"):
		lanes = 2
	case p.take(".v4"):
		lanes = 4
	}
	t, ok := parseType(strings.TrimPrefix(p.peek(), "."))
	if !ok || t.kind == 'p' || !strings.HasPrefix(p.peek(), ".") {
		p.fail("%q is not a type of a variable", p.peek())
	}
	p.pos++
	if space == "param" && p.take(".ptr") {
		for p.peek() == ".global" || p.peek() == ".shared" || p.peek() == ".const" {
			p.pos++
		}
		if p.take(".align") {
			p.count()
		}
	}
	v.name = p.name()
	v.align = max(v.align, t.bytes()*lanes)
	n := 1
	for p.take("[") {
		if p.take("]") {
			n = 0
			continue
		}
		n *= p.count()
		p.expect("]")
		if n > 1<<28 {
			p.fail("%s is too large", v.name)
		}
	}
	v.size = n * lanes * t.bytes()
	if p.take("=") {
		v.init = p.initializer(t, v)
	}
	return v
}

// initializer = number | "{" number { "," number } "}".
func (p *parser) initializer(t typ, v *variable) []byte {
	var out []byte
	one := func() {
		u := p.number(t)
		for i := range t.bytes() {
			out = append(out, byte(u>>(8*i)))
		}
	}
	if p.take("{") {
		for {
			one()
			if !p.take(",") {
				break
			}
		}
		p.expect("}")
	} else {
		one()
	}
	if v.size == 0 {
		v.size = len(out)
	}
	if len(out) > v.size {
		p.fail("%s has %d bytes, its initializer %d", v.name, v.size, len(out))
	}
	return out
}

// number reads an optional sign and a literal, as bits of t.
func (p *parser) number(t typ) uint64 {
	neg := p.take("-")
	v, ok := literal(p.peek(), neg, t)
	if !ok {
		p.fail("want a number, have %q", p.peek())
	}
	p.pos++
	return v
}

// literal is the value of a PTX constant as bits of t.
func literal(s string, neg bool, t typ) (uint64, bool) {
	var f float64
	switch low := strings.ToLower(s); {
	case s == "" || s[0] < '0' || s[0] > '9':
		return 0, false
	case strings.HasPrefix(low, "0f") && len(low) == 10:
		u, err := strconv.ParseUint(low[2:], 16, 32)
		if err != nil {
			return 0, false
		}
		if t.kind != 'f' || t.bits == 32 {
			if neg {
				u ^= 1 << 31
			}
			return u, true
		}
		f = float64(math.Float32frombits(uint32(u)))
	case strings.HasPrefix(low, "0d") && len(low) == 18:
		u, err := strconv.ParseUint(low[2:], 16, 64)
		if err != nil {
			return 0, false
		}
		f = math.Float64frombits(u)
	default:
		if u, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSuffix(s, "U"), "u"), 0, 64); err == nil {
			if t.kind == 'f' {
				return 0, false // ptxas too wants 0f, 0d or a decimal point
			}
			if neg {
				u = -u
			}
			return u & t.mask(), true
		}
		if !strings.ContainsAny(s, ".eE") || strings.HasPrefix(low, "0x") {
			return 0, false
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, false
		}
		f = v
	}
	if neg {
		f = -f
	}
	switch {
	case t.kind == 'f' && t.bits == 32:
		return uint64(math.Float32bits(float32(f))), true
	case t.bits == 64 && t.kind != 's' && t.kind != 'u':
		return math.Float64bits(f), true
	}
	return 0, false
}
