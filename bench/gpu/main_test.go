package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/cuda/ptx"
)

// small runs a part in small on the emulator and returns its records.
func small(t *testing.T, part string) []record {
	t.Helper()
	file := filepath.Join(t.TempDir(), "records.jsonl")
	if err := command([]string{part, "-device", "emu", "-tiny", "-out", file}, os.Stdout); err != nil {
		t.Error(err)
	}
	all, err := records([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestParts runs every part, each request of which must give a time.
func TestParts(t *testing.T) {
	parts := map[string]int{"copy": 6, "gemm": 2 * 2, "conv": 2 * 8, "train": 2, "profile": 1}
	if !testing.Short() {
		parts["passes"], parts["ssl"] = len(passes), 4
	}
	for part, n := range parts {
		all := small(t, part)
		if len(all) != n {
			t.Errorf("%s: %d records, want %d", part, len(all), n)
		}
		for _, r := range all {
			if r.Err != "" || part != "profile" && !(r.Median > 0) || part == "profile" && len(r.Facts) < 20 {
				t.Errorf("%s: %+v", part, r)
			}
		}
	}
}

func TestSmoke(t *testing.T) {
	all := small(t, "smoke")
	if len(all) != 1 || all[0].Err != "" || int(all[0].Facts["kernels"]) != len(ptx.All()) {
		t.Errorf("%+v", all)
	}
}

// TestGolden: the emulator gives what the file has, within its bounds, and a
// wrong value is seen. A kernel that computes otherwise on purpose needs
// go generate ./bench/gpu.
func TestGolden(t *testing.T) {
	all, err := predictions()
	if err != nil {
		t.Fatal(err)
	}
	stride := 6
	if testing.Short() {
		stride = 25
	}
	p := &program{device: "emu"}
	for _, mode := range []string{"fp32", "tf32"} {
		d, err := p.open(cuda.Options{TF32: mode == "tf32", Timing: true})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for i := 0; i < len(all); i += stride {
			g := all[i]
			if g.Mode != mode || g.Units > 1e7 {
				continue
			}
			if r := g.check(d); r.Err != "" {
				t.Errorf("%s %s: %s", g.Request, g.Mode, r.Err)
			}
			g.Outs = slices.Clone(g.Outs)
			o := &g.Outs[0]
			o.At = slices.Clone(o.At)
			o.At[len(o.At)/2] += 3 * tol * (o.Scale + 2*math.Abs(o.At[len(o.At)/2]) + 1e-30)
			o.Hash = "another"
			if r := g.check(d); o.Scale > 0 && !strings.Contains(r.Err, "bounds") {
				t.Errorf("%s %s: a value out of bounds was not seen: %+v", g.Request, g.Mode, r)
			}
		}
	}
}

// TestGoldenTakesEveryKernel: what is compared on hardware is all there is,
// but for kernels that no op calls: fill_f32 and the BFloat16 products.
func TestGoldenTakesEveryKernel(t *testing.T) {
	all, err := predictions()
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for _, g := range all {
		for k := range g.Kernels {
			ran[k] = true
		}
	}
	for _, k := range ptx.All() {
		if !ran[k.Name] && k != ptx.FillF32 && k != ptx.GemmBF16NN && k != ptx.GemmBF16NT {
			t.Errorf("no small request runs %s: give it one in requests.go, then go generate ./bench/gpu", k.Name)
		}
	}
}

// TestExpected: every product and step of the real run has its prediction.
func TestExpected(t *testing.T) {
	all := expectations()
	for _, part := range []string{"gemm", "conv", "train"} {
		for _, r := range requests(part, false) {
			for _, mode := range []string{"fp32", "tf32"} {
				if e, ok := expect(all, r, mode); !ok || e.value <= 0 {
					t.Errorf("expected.md has nothing for %s in %s", r, mode)
				}
			}
		}
	}
	for _, p := range passes {
		if _, ok := expect(all, "pass "+p.name, "fp32"); !ok && p.bytes > 0 {
			t.Errorf("expected.md has nothing for pass %s", p.name)
		}
	}
	if e, _ := expect(all, "conv dw 64 224 224 3 64 7 2 3", "tf32"); e.value != 20 {
		t.Errorf("the longest row does not count: %+v", e)
	}
}

func TestTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	var b bytes.Buffer
	for _, r := range []record{
		{Who: "sectile", Request: "copy driver 1000", Bytes: 4e12, Median: 1},
		{Who: "sectile", Request: "gemm 4096 4096 4096", Mode: "tf32", FLOP: 2e12, Median: 0.02},
		{Who: "torch", Request: "gemm 4096 4096 4096", Mode: "tf32", Median: 0.01},
		{Who: "torch", Request: "gemm 4096 4096 4096", Mode: "bf16", Median: 0.005},
		{Who: "sectile", Request: "pass add 1000 1000", Mode: "fp32", Bytes: 12e6, Median: 6e-6},
		{Who: "sectile", Request: "train resnet50 64", Mode: "tf32", Images: 64, Median: 0.032},
		{Who: "sectile", Request: "predict x", Mode: "tf32", Facts: map[string]float64{"bits_equal": 1, "bounds": 0.25}},
		{Who: "sectile", Request: "train resnet50 64", Mode: "fp32", Images: 64, Err: "no memory"},
	} {
		json.NewEncoder(&b).Encode(r)
	}
	b.WriteString(`{"who":"sectile","request":"cut in the mid`)
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := table(&out, []string{file}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| gemm 4096 4096 4096 | tf32 | 100 | 130 | TFLOP/s | 200 | 0.50 | 400 |",
		"| train resnet50 64 | tf32 | 2000 | 1700 | images/s | - | - | - |",
		"| train resnet50 64 | fp32 | failed | 880 |",
		"| pass add 1000 1000 | 6 | 50 | 85 | 3 | 12.0 |", // 12 bytes of sectors at 4 TB/s
		"1 small runs, 1 equal to the bit, the largest difference 0.25 bounds",
		"failed: sectile, train resnet50 64 fp32: no memory",
		"8 records, 1 failures",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"":                            "give a part",
		"dance":                       "no such part",
		"gemm -device tpu":            "tpu: cuda:N or emu",
		"gemm -device cuda:0 -mode x": "fp32 or tf32",
		"table missing.jsonl":         "missing.jsonl",
	} {
		if err := command(strings.Fields(args), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	d, err := (&program{device: "emu"}).open(cuda.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	b := &bag{d: d}
	defer b.free()
	for _, r := range []string{"dance", "gemm 1 2", "gemm 0 2 3", "gemm 1 2 3 sideways", "conv up 1 4 4 1 1 1 1 0", "conv fwd 1 4 4 1 1 7 1 0", "pass nothing 3 3", "pass add x 3"} {
		if _, err := b.prepare(strings.Fields(r)); err == nil {
			t.Errorf("%q: no error", r)
		}
	}
	if _, err := prepareStep(d, "train vgg 2"); err == nil {
		t.Error("train vgg: no error")
	}
	if _, err := prepareStep(d, "ssl dino small8 2"); err == nil {
		t.Error("ssl dino: no error")
	}
}

// TestDrawn: operands are the same every time and repeat past what is drawn.
func TestDrawn(t *testing.T) {
	d, err := (&program{device: "emu"}).open(cuda.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var seen [2][]float64
	for i := range seen {
		b := &bag{d: d}
		b.in(10)
		m := b.between(drawn+5, 2, 3)
		if seen[i], err = values(d, m); err != nil {
			t.Fatal(err)
		}
		b.free()
	}
	if !slices.Equal(seen[0], seen[1]) || !slices.Equal(seen[0][:5], seen[0][drawn:]) || seen[0][0] < 2 || seen[0][0] >= 3 {
		t.Error("operands differ from run to run, or do not repeat")
	}
	if len(slices.Compact(slices.Sorted(maps.Keys(map[float64]bool{seen[0][0]: true, seen[0][1]: true})))) != 2 {
		t.Error("operands are constant")
	}
}
