package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"strings"

	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/cuda/emu"
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

//go:embed testdata/golden.json
var goldenFile []byte

// prediction is what the emulator gave for a small seeded request: outputs,
// and what each kernel of it did.
type prediction struct {
	Request string             `json:"request"`
	Mode    string             `json:"mode"`
	Units   float64            `json:"units"` // elements of a pass, multiply-adds of a product
	Outs    []sampled          `json:"outs"`
	Kernels map[string]counted `json:"kernels"`
}

// sampled is an output in brief. Hash is of all bits; where hardware adds in
// another order it differs, and Sum, Abs and the values At evenly spaced
// elements must agree within bounds.
type sampled struct {
	Name  string    `json:"name"`
	N     int       `json:"n"`
	Scale float64   `json:"scale"`
	Hash  string    `json:"hash"`
	Sum   float64   `json:"sum"`
	Abs   float64   `json:"abs"`
	At    []float64 `json:"at"`
}

// counted are a kernel's counters that say what it costs.
type counted struct {
	Launches     int64 `json:"launches"`
	Blocks       int64 `json:"blocks"`
	Instructions int64 `json:"instructions"` // of warps
	Sectors      int64 `json:"sectors"`      // of 32 bytes, read and written
	Bytes        int64 `json:"bytes"`        // asked for
	Conflicts    int64 `json:"conflicts"`
	Matrix       int64 `json:"matrix"`
}

const samples = 16

// tol is the unit of bounds: eight Float32 roundings of a scale. approx
// instructions, the order of sums inside mma.sync and its truncation stay below
// for the scales that requests give.
const tol = 8.0 / (1 << 24)

func predictions() ([]prediction, error) {
	var all []prediction
	if err := json.Unmarshal(goldenFile, &all); err != nil {
		return nil, fmt.Errorf("testdata/golden.json: %w; run go generate ./bench/gpu", err)
	}
	return all, nil
}

// values downloads an output.
func values(d *cuda.Device, m kernels.Mem) ([]float64, error) {
	v := make([]float64, m.Len)
	var err error
	switch m.Type {
	case kernels.Float64:
		err = d.DownloadFloat64(v, m)
	case kernels.Int32:
		k := make([]int32, m.Len)
		err = d.DownloadInts(k, m)
		for i, x := range k {
			v[i] = float64(x)
		}
	default:
		f := make([]float32, m.Len)
		err = d.Download(f, m)
		for i, x := range f {
			v[i] = float64(x)
		}
	}
	return v, err
}

func sample(o output, v []float64) sampled {
	s := sampled{Name: o.name, N: len(v), Scale: o.scale}
	h := fnv.New64a()
	for _, x := range v {
		var b [8]byte
		for i, k := 0, math.Float64bits(x); i < 8; i, k = i+1, k>>8 {
			b[i] = byte(k)
		}
		h.Write(b[:])
		s.Sum += x
		s.Abs += math.Abs(x)
	}
	s.Hash = fmt.Sprintf("%016x", h.Sum64())
	for i := range min(samples, len(v)) {
		s.At = append(s.At, v[i*(len(v)-1)/max(1, min(samples, len(v))-1)])
	}
	return s
}

// differs is the largest difference of got from want, in bounds: above 1 is
// wrong.
func (want sampled) differs(got sampled) float64 {
	if got.N != want.N || len(got.At) != len(want.At) {
		return math.Inf(1)
	}
	if got.Hash == want.Hash {
		return 0
	}
	worst := 0.0
	see := func(got, want, scale float64) {
		d := math.Abs(got-want) / (tol * (scale + math.Abs(want)))
		if got == want {
			d = 0
		}
		if !(d <= worst) { // NaN too
			worst = d
		}
	}
	for i, w := range want.At {
		see(got.At[i], w, want.Scale)
	}
	n := float64(want.N)
	see(got.Sum/n, want.Sum/n, want.Scale+want.Abs/n)
	see(got.Abs/n, want.Abs/n, want.Scale)
	if math.IsNaN(worst) {
		return math.Inf(1)
	}
	return worst
}

// once prepares a request, runs it and samples its outputs; around is called
// with the run.
func once(d *cuda.Device, request string, around func(r *run) error) (all []sampled, units float64, err error) {
	err = guard(func() error {
		b := &bag{d: d}
		defer b.free()
		r, err := b.prepare(strings.Fields(request))
		if err != nil {
			return err
		}
		units = r.units
		if err := around(r); err != nil {
			return err
		}
		for _, o := range r.outs {
			v, err := values(d, o.mem)
			if err != nil {
				return err
			}
			all = append(all, sample(o, v))
		}
		return nil
	})
	return all, units, err
}

// counters are those of all kernels so far.
func counters(e *emu.Driver) map[string]counted {
	all := map[string]counted{}
	for _, k := range ptx.All() {
		c := e.Counters(k.Name)
		if c.Launches > 0 {
			all[k.Name] = counted{c.Launches, c.Blocks, c.Instructions, c.LoadSectors + c.StoreSectors, c.LoadBytes + c.StoreBytes, c.BankConflicts, c.Matrix}
		}
	}
	return all
}

func (c counted) minus(o counted) counted {
	return counted{c.Launches - o.Launches, c.Blocks - o.Blocks, c.Instructions - o.Instructions, c.Sectors - o.Sectors, c.Bytes - o.Bytes, c.Conflicts - o.Conflicts, c.Matrix - o.Matrix}
}

// modesOf are the modes in which a request is predicted.
func modesOf(request string) []string {
	if strings.HasPrefix(request, "pass ") {
		return []string{"fp32"}
	}
	return []string{"fp32", "tf32"}
}

// golden runs the small requests on the emulator and writes the file.
func (p *program) golden(name string) error {
	p.device = "emu"
	var all []prediction
	for _, mode := range []string{"fp32", "tf32"} {
		d, err := p.open(cuda.Options{TF32: mode == "tf32", NoGraphs: true})
		if err != nil {
			return err
		}
		for _, request := range smallRequests() {
			if mode == "tf32" && len(modesOf(request)) == 1 {
				continue
			}
			g := prediction{Request: request, Mode: mode, Kernels: map[string]counted{}}
			g.Outs, g.Units, err = once(d, request, func(r *run) error {
				if err := d.Sync(); err != nil {
					return err
				}
				before := counters(p.emu)
				r.call()
				err := d.Sync()
				for k, c := range counters(p.emu) {
					if c = c.minus(before[k]); c.Launches > 0 {
						g.Kernels[k] = c
					}
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("%s, %s: %w", request, mode, err)
			}
			all = append(all, g)
		}
		d.Close()
	}
	var text strings.Builder
	text.WriteString("[\n")
	for i, g := range all {
		line, err := json.Marshal(g)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", g.Request, g.Mode, err)
		}
		if i > 0 {
			text.WriteString(",\n")
		}
		text.Write(line)
	}
	text.WriteString("\n]\n")
	return os.WriteFile(name, []byte(text.String()), 0o666)
}

// predict runs the small requests on the device and compares outputs with the
// emulator's; beside them stand the emulator's counters and the kernels' times,
// which for so little work are mostly latency.
func (p *program) predict() error {
	all, err := predictions()
	if err != nil {
		return err
	}
	if p.tiny {
		all = all[:min(len(all), 12)]
	}
	devices := map[string]*cuda.Device{}
	defer func() {
		for _, d := range devices {
			d.Close()
		}
	}()
	for _, g := range all {
		d := devices[g.Mode]
		if d == nil {
			if d, err = p.open(cuda.Options{TF32: g.Mode == "tf32", Timing: true}); err != nil {
				return err
			}
			devices[g.Mode] = d
		}
		if err := p.out.put(g.check(d)); err != nil {
			return err
		}
		if d.Sync() != nil {
			d.Close()
			delete(devices, g.Mode)
		}
	}
	return nil
}

func (g *prediction) check(d *cuda.Device) record {
	rec := record{Request: "predict " + g.Request, Mode: g.Mode, Facts: map[string]float64{}}
	got, _, err := once(d, g.Request, func(r *run) error {
		if _, err := d.Timings(); err != nil { // forgets what preparing took
			return err
		}
		r.call()
		times, err := d.Timings()
		for _, t := range times {
			rec.Facts["seconds."+t.Kernel] = t.Seconds
		}
		return err
	})
	if err != nil {
		rec.Err = err.Error()
		return rec
	}
	for k, c := range g.Kernels {
		rec.Facts["instructions."+k] = float64(c.Instructions)
		rec.Facts["sectors."+k] = float64(c.Sectors)
	}
	worst, equal := 0.0, 1.0
	var wrong []error
	for i, want := range g.Outs {
		if i >= len(got) {
			wrong = append(wrong, fmt.Errorf("no output %s", want.Name))
			break
		}
		d := want.differs(got[i])
		if d > 0 {
			equal = 0
		}
		if worst = max(worst, d); d > 1 {
			wrong = append(wrong, fmt.Errorf("%s differs by %.3g bounds: sum %g, emulator %g", want.Name, d, got[i].Sum, want.Sum))
		}
	}
	rec.Facts["bits_equal"], rec.Facts["bounds"] = equal, min(worst, 1e300)
	if err := errors.Join(wrong...); err != nil {
		rec.Err = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return rec
}
