package emu

// special is a register that is filled when a warp starts.
type special struct {
	slot int
	name string
}

// specials gives the value of each special register in a lane.
var specials = map[string]func(w *warp, lane int) uint64{
	"%tid.x":    func(w *warp, l int) uint64 { return uint64(w.b.l.thread(w.id*32 + l).X) },
	"%tid.y":    func(w *warp, l int) uint64 { return uint64(w.b.l.thread(w.id*32 + l).Y) },
	"%tid.z":    func(w *warp, l int) uint64 { return uint64(w.b.l.thread(w.id*32 + l).Z) },
	"%ntid.x":   func(w *warp, _ int) uint64 { return uint64(w.b.l.block.X) },
	"%ntid.y":   func(w *warp, _ int) uint64 { return uint64(w.b.l.block.Y) },
	"%ntid.z":   func(w *warp, _ int) uint64 { return uint64(w.b.l.block.Z) },
	"%ctaid.x":  func(w *warp, _ int) uint64 { return uint64(w.b.id.X) },
	"%ctaid.y":  func(w *warp, _ int) uint64 { return uint64(w.b.id.Y) },
	"%ctaid.z":  func(w *warp, _ int) uint64 { return uint64(w.b.id.Z) },
	"%nctaid.x": func(w *warp, _ int) uint64 { return uint64(w.b.l.grid.X) },
	"%nctaid.y": func(w *warp, _ int) uint64 { return uint64(w.b.l.grid.Y) },
	"%nctaid.z": func(w *warp, _ int) uint64 { return uint64(w.b.l.grid.Z) },
	"%laneid":   func(_ *warp, l int) uint64 { return uint64(l) },
	"%warpid":   func(w *warp, _ int) uint64 { return uint64(w.id) },
	"%nwarpid":  func(*warp, int) uint64 { return 64 },
	"%smid":     func(w *warp, _ int) uint64 { return w.b.index % chipMultiprocessors },
	"%nsmid":    func(*warp, int) uint64 { return chipMultiprocessors },

	"%lanemask_eq": func(_ *warp, l int) uint64 { return 1 << l },
	"%lanemask_lt": func(_ *warp, l int) uint64 { return 1<<l - 1 },
	"%lanemask_le": func(_ *warp, l int) uint64 { return 2<<l - 1 },
	"%lanemask_gt": func(_ *warp, l int) uint64 { return 0xffffffff &^ (2<<l - 1) },
	"%lanemask_ge": func(_ *warp, l int) uint64 { return 0xffffffff &^ (1<<l - 1) },

	"%dynamic_smem_size": func(w *warp, _ int) uint64 { return uint64(w.b.l.dynamic) },
	"%total_smem_size":   func(w *warp, _ int) uint64 { return uint64(w.b.l.dynamic + w.b.e.sharedSize) },
}

// clocks are the special registers that change; mov alone reads them. They
// count the warp's instructions, since there is no time here.
var clocks = map[string]func(w *warp) uint64{
	"%clock":          func(w *warp) uint64 { return uint64(w.steps) },
	"%clock64":        func(w *warp) uint64 { return uint64(w.steps) },
	"%globaltimer":    func(w *warp) uint64 { return uint64(w.steps) },
	"%clock_hi":       func(*warp) uint64 { return 0 },
	"%globaltimer_lo": func(w *warp) uint64 { return uint64(w.steps) },
	"%globaltimer_hi": func(*warp) uint64 { return 0 },
}
