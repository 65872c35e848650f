package cuda

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/kernels"
)

// snapshot downloads the operands of a launch.
func (d *Device) snapshot(n *note) [][]byte {
	var all [][]byte
	for _, m := range n.mems {
		all = append(all, d.fetch(m))
	}
	return all
}

func (d *Device) fetch(m kernels.Mem) []byte {
	b := make([]byte, m.Bytes())
	if len(b) == 0 || d.err != nil {
		return b
	}
	d.fail(d.api.MemcpyDtoHAsync(unsafe.Pointer(&b[0]), driver.Ptr(m.Dev), len(b), d.compute))
	d.fail(d.api.StreamSynchronize(d.compute))
	return b
}

// checkNaN compares the operands with what they were: an element that the
// launch has written and that is a NaN is its fault. (Operands are compared
// because a launch does not say which of them it writes.)
func (d *Device) checkNaN(c *command, n *note, before [][]byte) {
	for i, m := range n.mems {
		if m.Type != kernels.Float32 && m.Type != kernels.Float64 {
			continue
		}
		after := d.fetch(m)
		if d.err != nil || bytes.Equal(after, before[i]) {
			continue
		}
		size := m.Type.Size()
		for at := 0; at+size <= len(after); at += size {
			if v := after[at : at+size]; isNaN(v) && !slices.Equal(v, before[i][at:at+size]) {
				d.fail(&NaNError{Launch: c.describe(n), Operand: n.names[i], At: at / size})
				return
			}
		}
	}
}

func isNaN(b []byte) bool {
	if len(b) == 8 {
		return math.IsNaN(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	f := math.Float32frombits(binary.LittleEndian.Uint32(b))
	return f != f
}
