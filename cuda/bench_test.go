package cuda

import (
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// BenchmarkCommand is what the host pays for one op of a step of 200, beside
// what the driver takes: issued by itself, and recorded for a graph.
func BenchmarkCommand(b *testing.B) {
	for _, c := range []struct {
		name string
		o    Options
	}{{"graphs=no", Options{NoGraphs: true}}, {"graphs=yes", Options{}}} {
		b.Run(c.name, func(b *testing.B) {
			d, err := Open(newFake(), 0, c.o)
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			d.api = quiet{d.api}
			m, err := d.Alloc(kernels.Float32, 200)
			if err != nil {
				b.Fatal(err)
			}
			step := func() {
				d.Enter()
				for i := range 200 {
					fill(d, m.At(i, 1), float32(i))
				}
				d.Leave()
			}
			for range 4 {
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200, "ns/command")
		})
	}
}
