package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/kernels"
)

func (p *program) smokeInto(rec *record) error {
	start := time.Now()
	d, err := p.open(cuda.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	rec.Text = d.Info().String()
	rec.Facts["open_seconds"] = time.Since(start).Seconds()

	start = time.Now()
	all, err := d.Kernels()
	if err != nil {
		return err
	}
	rec.Facts["compile_seconds"] = time.Since(start).Seconds()
	rec.Facts["kernels"] = float64(len(all))
	var spills []string
	for _, k := range all {
		rec.Facts["registers."+k.Kernel] = float64(k.Registers)
		if k.Local > 0 {
			spills = append(spills, fmt.Sprintf("%s %d", k.Kernel, k.Local))
		}
	}
	if len(spills) > 0 {
		return fmt.Errorf("kernels that spill, and bytes a thread: %s", strings.Join(spills, ", "))
	}
	return checkGraph(d, rec)
}

// checkGraph issues the same eight commands again and again: x grows by 1 each
// time, by commands and then by a graph.
func checkGraph(d *cuda.Device, rec *record) error {
	const n, rounds = 1000, 8
	x, err := d.Alloc(kernels.Float32, n)
	if err != nil {
		return err
	}
	defer d.Free(x)
	d.Upload(x, make([]float32, n))
	for range rounds {
		d.Enter()
		for range 8 {
			d.Map(&kernels.MapArgs{Op: kernels.MapAffine, N: n, Dst: x, A: x, S: 1, T: 0.125})
		}
		d.Leave()
		if err := d.Sync(); err != nil {
			return err
		}
	}
	v := make([]float32, n)
	if err := d.Download(v, x); err != nil {
		return err
	}
	for i, got := range v {
		if got != rounds {
			return fmt.Errorf("%d rounds of adding 1 gave x[%d] = %g", rounds, i, got)
		}
	}
	g := d.Graphs()
	rec.Facts["segments_replayed"] = float64(g.Replayed)
	if g.Replayed == 0 {
		return fmt.Errorf("no graph ran: %+v", g)
	}
	return nil
}
