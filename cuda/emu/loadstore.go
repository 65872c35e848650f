package emu

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// memoryMods consumes what stands between ld, st or atom and the vector width:
// ordering, scope, space and cache hints. kind is strong, readOnly or neither.
func (d *decoder) memoryMods() (space string, kind how) {
	d.st.mods = slices.DeleteFunc(d.st.mods, func(m string) bool {
		return strings.HasPrefix(m, "L1::") || strings.HasPrefix(m, "L2::")
	})
	for len(d.st.mods) > 0 {
		switch m := d.st.mods[0]; m {
		case "volatile", "relaxed", "acquire", "release", "acq_rel":
			kind |= strong
		case "nc":
			kind |= readOnly
		case "weak", "cta", "gpu", "sys", "ca", "cg", "cs", "lu", "cv", "wb", "wt":
		case "global", "shared", "local", "param", "const":
			if space != "" {
				d.fail("two state spaces")
			}
			space = m
		case "shared::cta":
			space = "shared"
		default:
			return space, kind
		}
		d.st.mods = d.st.mods[1:]
	}
	return space, kind
}

// unit notes that the kernel touches n bytes of a space at once: race tracking
// has a cell for the fewest.
func (d *decoder) unit(space string, n int) {
	if space == "shared" || space == "" {
		d.e.sharedUnit = min(d.e.sharedUnit, n)
	}
	if space != "shared" && space != "local" && space != "param" {
		d.e.globalUnit = min(d.e.globalUnit, n)
	}
}

// accessType consumes .v2 or .v4 and the type and checks the register count.
func (d *decoder) accessType(i int) (t typ, list []access) {
	n := 1
	switch d.oneOf("v2", "v4") {
	case "v2":
		n = 2
	case "v4":
		n = 4
	}
	t = d.typ()
	if t.kind == 'p' || t.x2 || t.kind == 't' || n*t.bits > 128 {
		d.fail("access of this type")
	}
	ops := d.vector(i)
	if len(ops) != n {
		d.fail("%d registers, %d are wanted", len(ops), n)
	}
	for k := range ops {
		list = append(list, access{o: &ops[k]})
	}
	return t, list
}

// access is a register of a load or store and its width.
type access struct {
	o    *operand
	r    ref
	bits int
}

// load decodes ld in every space.
func load(d *decoder) {
	d.operands(2, 3)
	space, kind := d.memoryMods()
	t, list := d.accessType(0)
	for i := range list {
		list[i].r, list[i].bits = d.dest(list[i].o, t, true)
	}
	size := t.bytes()
	n := size * len(list)
	if space == "param" {
		d.loadParam(t, list)
		return
	}
	d.unit(space, n)
	base, off := d.addr(1, space)
	h := reads | kind
	shared, counted := space == "shared", space != "local"
	d.in.run = func(w *warp, act uint32) {
		x := w.src(base, act)
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			w.addr[l] = x[l] + off
		}
		var out [4]*vec
		for i := range list {
			out[i] = w.dst(list[i].r, act)
		}
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			b := w.at(space, l, w.addr[l], n, h)
			for i := range list {
				v := loadValue(b[i*size:], size)
				if t.signed() {
					v = uint64(extend(v, t.bits)) & (^uint64(0) >> (64 - list[i].bits))
				}
				out[i][l] = v
			}
		}
		w.release()
		if shared {
			w.countShared(act, n)
		} else if counted {
			w.countGlobal(act, n, false)
		}
	}
}

// loadValue reads size bytes.
func loadValue(b []byte, size int) uint64 {
	switch size {
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 8:
		return binary.LittleEndian.Uint64(b)
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	}
	return uint64(b[0])
}

func storeValue(b []byte, size int, v uint64) {
	switch size {
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(v))
	case 8:
		binary.LittleEndian.PutUint64(b, v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	default:
		b[0] = byte(v)
	}
}

// loadParam decodes ld.param: which bytes is known now.
func (d *decoder) loadParam(t typ, list []access) {
	o := &d.st.ops[1]
	if o.kind != 'm' {
		d.fail("operand 2 must be an address in brackets")
	}
	n, ok := d.lookup(o.text)
	if !ok || n.isReg || n.v.space != "param" {
		d.fail("%s is not a parameter", o.text)
	}
	size := t.bytes()
	if o.off < 0 || o.off+int64(size*len(list)) > int64(n.v.size) {
		d.fail("out of bounds: %d bytes at %d of parameter %s of %d bytes", size*len(list), o.off, o.text, n.v.size)
	}
	at := int(n.v.addr) + int(o.off)
	if at%(size*len(list)) != 0 {
		d.fail("misaligned: %d bytes at %d of the parameters", size*len(list), at)
	}
	d.in.run = func(w *warp, act uint32) {
		for i, r := range list {
			v := loadValue(w.b.l.params[at+i*size:], size)
			if t.signed() {
				v = uint64(extend(v, t.bits)) & (^uint64(0) >> (64 - r.bits))
			}
			z := w.dst(r.r, act)
			for m := act; m != 0; m &= m - 1 {
				z[bits.TrailingZeros32(m)] = v
			}
		}
	}
}

// store decodes st.
func store(d *decoder) {
	d.operands(2, 3)
	space, kind := d.memoryMods()
	if space == "param" || space == "const" {
		d.fail("st.%s", space)
	}
	t, list := d.accessType(1)
	for i := range list {
		list[i].r = d.source(list[i].o, t, true)
	}
	size := t.bytes()
	n := size * len(list)
	d.unit(space, n)
	base, off := d.addr(0, space)
	h := writes | kind
	shared, counted := space == "shared", space != "local"
	d.in.run = func(w *warp, act uint32) {
		x := w.src(base, act)
		var in [4]*vec
		for i := range list {
			in[i] = w.src(list[i].r, act)
		}
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			a := x[l] + off
			w.addr[l] = a
			for i := range list {
				storeValue(w.value[i*size:], size, in[i][l])
			}
			copy(w.at(space, l, a, n, h), w.value[:n])
		}
		w.release()
		if shared {
			w.countShared(act, n)
		} else if counted {
			w.countGlobal(act, n, true)
		}
	}
}

// atomicOperation decodes atom and red.
func atomicOperation(d *decoder) {
	result := d.st.op == "atom"
	space, _ := d.memoryMods()
	op := d.want("the operation", "add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec")
	d.flag("noftz")
	t := d.typed("b32", "b64", "u32", "u64", "s32", "s64", "f32", "f64", "f16x2", "bf16x2", "f16", "bf16")
	switch {
	case (op == "exch" || op == "cas" || op == "and" || op == "or" || op == "xor") != (t.kind == 'b'):
		d.fail("%s of this type", op)
	case t.float() && op != "add", (op == "inc" || op == "dec") && t != types["u32"]:
		d.fail("%s of this type", op)
	case !result && (op == "exch" || op == "cas"):
		d.fail("red.%s", op)
	}
	at := int(b2i(result))
	want := at + 2 + int(b2i(op == "cas"))
	d.operands(want, want)
	o := ref(0)
	if result {
		o = d.dst(0, t)
	}
	v := d.src(at+1, t)
	swap := v
	if op == "cas" {
		swap = d.src(at+2, t)
	}
	n := t.bytes()
	d.unit(space, n)
	base, off := d.addr(at, space)
	d.in.run = func(w *warp, act uint32) {
		x, y, z := w.src(base, act), *w.src(v, act), w.src(swap, act)
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			w.addr[l] = x[l] + off
		}
		var out *vec
		if result {
			out = w.dst(o, act)
		}
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			b := w.at(space, l, w.addr[l], n, reads|writes|strong)
			old := loadValue(b, n)
			switch {
			case op != "cas":
				storeValue(b, n, fold(op, t, old, y[l]))
			case old == y[l]:
				storeValue(b, n, z[l])
			}
			if result {
				out[l] = old
			}
		}
		w.release()
		if space == "shared" {
			w.countShared(act, n)
		} else {
			w.countGlobal(act, n, true)
		}
	}
}
