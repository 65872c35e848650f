package cuda

import (
	"math"
	"slices"

	"github.com/sectile-ml/sectile/kernels"
)

// sweep is a list of spans as the kernels of optim.ptx read it, in device
// memory: a table of records, the chunks of all spans, and each span's first
// chunk. It depends on the parameters alone, so it is uploaded once and found
// again in every later step.
type sweep struct {
	key                  []kernels.Span
	all                  bool // spans without a gradient have chunks too
	spans, count         int
	table, chunks, first kernels.Mem
	used                 int
}

// sweeps are the lists of a device that were used last. Steps of one training
// run have three or four: norms, update, momentum encoder, prototypes.
type sweeps struct {
	list  []*sweep
	clock int
}

// sweepsKept bounds the memory of lists that will not come back.
const sweepsKept = 16

// of is the list for spans: all of them, or those with a gradient.
func (c *sweeps) of(d *Device, op string, spans []kernels.Span, all bool) *sweep {
	c.clock++
	for _, s := range c.list {
		if s.all == all && slices.Equal(s.key, spans) {
			s.used = c.clock
			return s
		}
	}
	if len(c.list) == sweepsKept {
		old := slices.IndexFunc(c.list, func(s *sweep) bool {
			return !slices.ContainsFunc(c.list, func(o *sweep) bool { return o.used < s.used })
		})
		for _, m := range []kernels.Mem{c.list[old].table, c.list[old].chunks, c.list[old].first} {
			d.Free(m)
		}
		c.list = slices.Delete(c.list, old, old+1)
	}
	s := &sweep{key: slices.Clone(spans), all: all, spans: len(spans), used: c.clock}
	s.upload(d, op)
	c.list = append(c.list, s)
	return s
}

func (s *sweep) upload(d *Device, op string) {
	var table, chunks []int32
	first := []int32{0}
	for i, p := range s.key {
		need(op, "P", p.P, kernels.Float32, 0)
		optional(op, p.P.Len, p.G, p.M, p.V)
		for _, m := range []kernels.Mem{p.P, p.G, p.M, p.V} {
			table = append(table, int32(m.Dev), int32(m.Dev>>32))
		}
		if p.P.Len > math.MaxInt32 {
			panic(&kernels.ArgError{Op: op, Rule: "a span of 2^31 elements or more"})
		}
		table = append(table, int32(p.P.Len), int32(math.Float32bits(p.Decay)), int32(flag(p.Adapt)), 0)
		if s.all || !p.G.IsNil() {
			for k := range ceil(p.P.Len, kernels.NormChunk) {
				chunks = append(chunks, int32(i), int32(k))
			}
		}
		first = append(first, int32(len(chunks)/2))
	}
	s.count = len(chunks) / 2
	s.table, s.chunks, s.first = d.ints(table), d.ints(chunks), d.ints(first)
}

// ints is new device memory with the given values; a failure is sticky.
func (d *Device) ints(v []int32) kernels.Mem {
	m, err := d.Alloc(kernels.Int32, max(len(v), 1))
	if err != nil {
		d.mu.Lock()
		d.fail(err)
		d.mu.Unlock()
		return kernels.Mem{}
	}
	d.UploadInts(m.At(0, len(v)), v)
	return m
}
