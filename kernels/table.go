package kernels

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/sectile-ml/sectile/asm"
)

// Kernel is what every row of a dispatch table has: the op family it belongs
// to, its name and the instructions it needs. A family's table lists rows from
// best to last; the first whose Needs exist and whose Fits(shape) holds runs;
// the last row is Go and fits everything.
type Kernel struct {
	Op, Name string
	Needs    asm.ISA
}

// row is a family's row type: a struct that embeds Kernel.
type row interface{ kernel() *Kernel }

func (k *Kernel) kernel() *Kernel { return k }

// String is the row's full name, "gemm:avx512_12x32".
func (k *Kernel) String() string { return k.Op + ":" + k.Name }

// Usable reports whether this CPU can run the row.
func (k *Kernel) Usable() bool { return asm.Has(k.Needs) }

// Pins restricts the choice of rows: an instruction set caps all families, a
// row name decides one.
type Pins struct {
	cap    asm.ISA
	capped bool
	rows   map[string]string
}

var (
	tables   = map[string][]*Kernel{}
	tablesMu sync.Mutex
)

// register makes a family's rows known to pinning and Explain.
func register[R any, P interface {
	*R
	row
}](rows []R) []R {
	tablesMu.Lock()
	defer tablesMu.Unlock()
	for i := range rows {
		k := P(&rows[i]).kernel()
		tables[k.Op] = append(tables[k.Op], k)
	}
	return rows
}

// ParsePins reads SECTILE_KERNELS: a comma-separated list of instruction sets
// (go, avx2, avx512) and rows (gemm:avx2_6x16). Unknown names, and rows this
// CPU cannot run, are errors.
func ParsePins(s string) (Pins, error) {
	p := Pins{rows: map[string]string{}}
	for _, f := range strings.Split(s, ",") {
		f = strings.TrimSpace(f)
		if f == "" {
			continue
		}
		if isa, ok := asm.ParseISA(f); ok {
			if !asm.Has(isa) {
				return p, fmt.Errorf("SECTILE_KERNELS: %q: this CPU or build has only %v", f, asm.Have())
			}
			p.cap, p.capped = isa, true
			continue
		}
		op, name, _ := strings.Cut(f, ":")
		k := findRow(op, name)
		if k == nil {
			return p, fmt.Errorf("SECTILE_KERNELS: no kernel %q; known: %s", f, strings.Join(RowNames(), " "))
		}
		if !k.Usable() {
			return p, fmt.Errorf("SECTILE_KERNELS: %q needs %v, this CPU or build has %v", f, k.Needs, asm.Have())
		}
		p.rows[op] = name
	}
	return p, nil
}

func findRow(op, name string) *Kernel {
	for _, k := range tables[op] {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// RowNames lists every row of every family.
func RowNames() []string {
	var s []string
	for _, op := range familyNames() {
		for _, k := range tables[op] {
			s = append(s, k.String())
		}
	}
	return s
}

func familyNames() []string {
	return slices.Sorted(maps.Keys(tables))
}

// allows reports whether the pins let row k run, and if not why.
func (p Pins) allows(k *Kernel) (bool, string) {
	if !k.Usable() {
		return false, fmt.Sprintf("needs %v", k.Needs)
	}
	if name, ok := p.rows[k.Op]; ok {
		if name != k.Name {
			return false, "pinned to " + name
		}
		return true, ""
	}
	if p.capped && k.Needs&^p.cap != 0 {
		return false, fmt.Sprintf("pinned to %v", p.cap)
	}
	return true, ""
}

// usable is the part of a family's table that CPU and pins allow, in order.
func usable[R any, P interface {
	*R
	row
}](p Pins, rows []R) []*R {
	var u []*R
	for i := range rows {
		if ok, _ := p.allows(P(&rows[i]).kernel()); ok {
			u = append(u, &rows[i])
		}
	}
	return u
}

// Explain says for every family which rows there are, which one leads and why
// those above it do not run.
func (c *CPU) Explain() string {
	var b strings.Builder
	for _, op := range familyNames() {
		lead := true
		for _, k := range tables[op] {
			ok, why := c.pins.allows(k)
			switch {
			case !ok:
				fmt.Fprintf(&b, "  %-24s - %s\n", k, why)
			case lead:
				fmt.Fprintf(&b, "  %-24s * runs first\n", k)
				lead = false
			default:
				fmt.Fprintf(&b, "  %-24s   for shapes the rows above do not fit\n", k)
			}
		}
	}
	return b.String()
}

// requireISA is the tests' promise on CI: with SECTILE_REQUIRE_ISA=avx512 a
// row that needs no more than that must run, a skip is a failure.
func requireISA() asm.ISA {
	isa, _ := asm.ParseISA(os.Getenv("SECTILE_REQUIRE_ISA"))
	return isa
}
