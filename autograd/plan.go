package autograd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sectile-ml/sectile/kernels"
)

// life says when a buffer that an op asked for holds data.
type life uint8

const (
	liveForward life = iota
	liveBackward
	liveBoth
)

// buffer is one span of the arena: from the start of time first to the end of
// time last. Forward op i of n runs at time i, its backward at 2n-1-i, as a
// late op at 2n+i.
type buffer struct {
	dtype       kernels.DType
	len         int
	life        life
	first, last int
	size        int // bytes, a multiple of align
	offset      int
	what        *node
	shape       Shape
	mem         kernels.Mem
}

// align keeps every buffer on a cache line of its own.
const align = 64

// plan finds every buffer's lifetime, then its place: buffers are placed from
// the largest down, each at the lowest offset that no buffer alive at the same
// time covers.
func (g *graph) plan(floatSize int) {
	g.reach()
	n := len(g.nodes)
	g.bufs = g.bufs[:0]
	for _, nd := range g.nodes {
		for _, v := range nd.outs {
			v.value = buffer{dtype: v.dtype, len: v.shape.Len(), first: 3 * n, last: -1, what: nd, shape: v.shape}
			if v.deferred {
				v.value.len = 0
			}
			v.grad = buffer{dtype: kernels.Float32, len: v.shape.Len(), first: 3 * n, last: -1, what: nd, shape: v.shape}
		}
	}
	for i, nd := range g.nodes {
		at, back := i, 2*n-1-i
		if nd.late {
			at = 2*n + i
		}
		g.touchValues(nd, at, back)
		if nd.active {
			for _, v := range nd.outs {
				if v.hasGrad {
					touch(&v.grad, back)
				}
			}
			for _, v := range nd.ins {
				if v.wants {
					touch(&v.root().grad, back)
				}
			}
		}
		for j := range nd.bufs {
			b := &nd.bufs[j]
			b.what = nd
			switch b.life {
			case liveForward:
				b.first, b.last = at, at
			case liveBackward:
				b.first, b.last = back, back
			default:
				b.first, b.last = at, back
			}
			if !nd.active && b.life == liveBackward {
				continue
			}
			if !nd.active {
				b.last = at
			}
			g.add(b, floatSize)
		}
	}
	if g.root != nil && g.grads {
		touch(&g.root.root().grad, n) // seeded before backward
		touch(&g.root.root().grad, n-1)
	}
	for _, nd := range g.nodes {
		if nd.alias {
			continue
		}
		for _, v := range nd.outs {
			if v.pinned = v.keep || v.unread(); v.pinned {
				v.value.last = 3 * n
			}
			g.add(&v.value, floatSize)
			if v.grad.last >= 0 {
				if v.pinned {
					v.grad.last = 3 * n
				}
				g.add(&v.grad, floatSize)
			}
		}
	}
	g.place()
	g.planned, g.gen = true, -1
}

// touchValues extends the lives of the values that node nd reads and writes.
func (g *graph) touchValues(nd *node, at, back int) {
	if _, ok := nd.op.(*input); ok {
		at = 0 // uploaded before the first op
	}
	for _, v := range nd.outs {
		if nd.alias {
			break
		}
		touch(&v.value, at)
	}
	for i, v := range nd.ins {
		r := v.root()
		if r.param != nil || nd.alias {
			continue
		}
		touch(&r.value, at)
		if nd.active && nd.savesIn&(1<<i) != 0 {
			touch(&r.value, back)
		}
	}
	for i, v := range nd.outs {
		if nd.active && nd.savesOut&(1<<i) != 0 {
			touch(&v.root().value, back)
		}
	}
}

func touch(b *buffer, at int) {
	b.first = min(b.first, at)
	b.last = max(b.last, at)
}

// reach marks the nodes whose Backward runs: some output has a gradient that
// comes from the root, and some input wants one.
func (g *graph) reach() {
	for _, v := range g.leaves {
		v.hasGrad = false
	}
	for _, nd := range g.nodes {
		nd.active = false
		for _, v := range nd.outs {
			v.hasGrad = false
		}
	}
	if g.root == nil || !g.grads {
		return
	}
	g.root.root().hasGrad = true
	for i := len(g.nodes) - 1; i >= 0; i-- {
		nd := g.nodes[i]
		if nd.alias || nd.late {
			continue
		}
		has, wants := false, false
		for _, v := range nd.outs {
			has = has || v.hasGrad
		}
		for _, v := range nd.ins {
			wants = wants || v.wants
		}
		if nd.active = has && wants; nd.active {
			for _, v := range nd.ins {
				if v.wants {
					v.root().hasGrad = true
				}
			}
		}
	}
}

func (g *graph) add(b *buffer, floatSize int) {
	if b.len == 0 {
		return
	}
	w := b.dtype.Size()
	if b.dtype == kernels.Float32 {
		w = floatSize
	}
	b.size = (b.len*w + align - 1) &^ (align - 1)
	g.bufs = append(g.bufs, b)
}

func (g *graph) place() {
	slices.SortStableFunc(g.bufs, func(a, b *buffer) int {
		if a.size != b.size {
			return b.size - a.size
		}
		return a.first - b.first
	})
	var placed []*buffer // by offset
	g.bytes = 0
	for _, b := range g.bufs {
		at := 0
		for _, q := range placed {
			if q.first > b.last || b.first > q.last {
				continue
			}
			if q.offset >= at+b.size {
				break
			}
			at = max(at, q.offset+q.size)
		}
		b.offset = at
		i, _ := slices.BinarySearchFunc(placed, b, func(x, y *buffer) int { return x.offset - y.offset })
		placed = slices.Insert(placed, i, b)
		g.bytes = max(g.bytes, at+b.size)
	}
}

// bind turns offsets into memory of the arena.
func (g *graph) bind(arena kernels.Mem, floatSize int) {
	for _, b := range g.bufs {
		m := arena.At(b.offset/8, b.size/8)
		if b.dtype != kernels.Float32 || floatSize == 4 {
			m = m.As(b.dtype)
		}
		b.mem = m.At(0, b.len)
	}
}

// largest names the k largest buffers.
func (g *graph) largest(k int) string {
	var s []string
	for _, b := range g.bufs[:min(k, len(g.bufs))] {
		s = append(s, fmt.Sprintf("%s %v %d MiB", b.what.op.Name(), b.shape, b.size>>20))
	}
	return strings.Join(s, ", ")
}
