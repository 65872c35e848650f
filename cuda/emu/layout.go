package emu

// place gives a shared or local variable its address.
func (x *entryParser) place(v *variable) {
	e := x.e
	up := func(n, a int) int { return (n + a - 1) / a * a }
	switch {
	case v.space == "local":
		at := up(e.localBytes, v.align)
		v.addr = localBase + uint64(at)
		e.localBytes = at + v.size
		if e.localBytes > 512<<10 {
			x.fail("local memory of a thread exceeds 512 KiB")
		}
	case v.size == 0:
		if e.dynamic == nil {
			e.dynamic = v
		} else if v.align > e.dynamic.align {
			e.dynamic.align = v.align
		}
	default:
		at := up(max(e.sharedEnd, sharedBase), max(v.align, 16))
		v.addr = uint64(at)
		e.sharedEnd = up(at+v.size, 16) + sharedGap
		e.sharedSize = up(e.sharedSize, v.align) + v.size
	}
}

// finish resolves labels and addresses and closes the code with an exit.
func (x *entryParser) finish() {
	e := x.e
	e.code = append(e.code, instr{line: int32(x.line()), text: "}", guard: -1, pc: int32(len(e.code)), flow: flowExit})
	for i, names := range x.jumps {
		for _, l := range names {
			to, ok := x.labels[l]
			if !ok {
				panic(&ParseError{e.File, int(e.code[i].line), e.code[i].text, "no label " + l})
			}
			e.code[i].targets = append(e.code[i].targets, int32(to))
		}
	}
	seen := map[*variable]bool{}
	for _, f := range x.fixups {
		if f.v.space == "shared" && !seen[f.v] {
			seen[f.v] = true
			// Module-scope arrays may have been placed for another entry.
			v := *f.v
			x.place(&v)
			for j := range x.fixups {
				if x.fixups[j].v == f.v {
					x.fixups[j].v = &v
				}
			}
			if v.size > 0 {
				e.shared = append(e.shared, &v)
			}
			seen[&v] = true
		}
	}
	e.sharedEnd = max(e.sharedEnd, sharedBase)
	if e.sharedSize > chipSharedBlock {
		x.fail("%s has %d bytes of static shared memory, at most %d are allowed", e.Name, e.sharedSize, chipSharedBlock)
	}
	if e.dynamic != nil {
		a := max(e.dynamic.align, 16)
		at := uint64((e.sharedEnd + a - 1) / a * a)
		for _, f := range x.fixups {
			if f.v.space == "shared" && f.v.size == 0 {
				f.v.addr = at
			}
		}
		e.dynamic.addr = at
	}
	for _, f := range x.fixups {
		if f.v.space != "global" && f.v.space != "const" {
			e.fill(f)
		} else {
			e.links = append(e.links, f)
		}
	}
	e.values, e.preds = x.values, x.preds
}

// fill writes the address of a variable into its constant.
func (e *Entry) fill(f fixup) {
	for l := range e.consts[f.index] {
		e.consts[f.index][l] = f.v.addr + uint64(f.off)
	}
}
