package methods

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// tiny is a run of 48 images in which all that a method does occurs within 10
// steps of 6 an epoch: the queue of 24 wraps, keys have groups, PCL samples
// prototypes from its E-step before epoch 1 on.
func tiny(t testing.TB, method string) RunConfig {
	t.Helper()
	c, err := Preset(method, "demo")
	if err != nil {
		t.Fatal(err)
	}
	if method == "swav" {
		return everything()
	}
	c.MoCo.Hidden, c.SimCLR.Hidden, c.PCL.Hidden = 16, 16, 16
	c.MoCo.Dim, c.SimCLR.Dim, c.PCL.Dim = 8, 8, 8
	c.MoCo.Queue, c.PCL.Queue, c.MoCo.Groups, c.PCL.Groups = 24, 24, 2, 2
	c.PCL.Clusters, c.PCL.Negatives, c.PCL.Denominator, c.PCL.Warmup, c.PCL.Every = []int{12, 6}, 3, SampledPrototypes, 1, 1
	c.SetBatch(8)
	c.Epochs, c.Seed = 4, 7
	return c
}

// trainRun trains a run, resumed from a file unless it is empty, until last
// iterations are done, and writes another file unless it is empty.
func trainRun(t *testing.T, c RunConfig, b kernels.Backend, src data.Source, from, to string, last int) *Trainer {
	t.Helper()
	tr, err := c.New(b, src)
	if err != nil {
		t.Fatal(err)
	}
	if from != "" {
		if err := tr.Resume(from); err != nil {
			t.Fatal(err)
		}
	}
	tr.SaveEvery = 1
	tr.Save = func(tr *Trainer) error {
		if tr.Iteration < last {
			return nil
		}
		if to != "" {
			return errors.Join(tr.Checkpoint(to), errStop)
		}
		return errStop
	}
	if err := tr.Train(context.Background()); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	return tr
}

// TestRunsResume stops each method before, at and behind an epoch's end (an
// E-step, a wrap of the queue) and compares every tensor, to the bit, with the
// run that was left alone; then with runs on one and two threads and
// with AVX2 kernels.
func TestRunsResume(t *testing.T) {
	cpu, src := backends(t)["cpu"], noise(48)
	for _, method := range []string{"moco", "simclr", "pcl"} {
		t.Run(method, func(t *testing.T) {
			c := tiny(t, method)
			want := trainRun(t, c, cpu, src, "", "", 10)
			if m, ok := want.Method.(*PCL); ok && !m.active {
				t.Error("no step had prototypes")
			}
			dir, from := t.TempDir(), ""
			for i, stop := range []int{4, 6, 7, 10} {
				to := filepath.Join(dir, fmt.Sprint(i))
				got := trainRun(t, c, cpu, src, from, to, stop)
				if from = to; stop == 10 {
					sameState(t, "resumed", got, want)
				}
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
			for _, n := range []int{1, 2} {
				runtime.GOMAXPROCS(n)
				team := kernels.NewTeam(n)
				sameState(t, fmt.Sprintf("%d threads", n), trainRun(t, c, kernels.NewCPU(team, kernels.Pins{}), src, "", "", 10), want)
				team.Close()
			}
			if asm.Have()&asm.AVX2 == 0 {
				t.Log("no AVX2 in this CPU or build: pinned run skipped")
				return
			}
			pins, err := kernels.ParsePins("avx2")
			if err != nil {
				t.Fatal(err)
			}
			team := kernels.NewTeam(0)
			defer team.Close()
			sameState(t, "AVX2", trainRun(t, c, kernels.NewCPU(team, pins), src, "", "", 10), want)
		})
	}
}

// TestRunsRanks: two ranks with images of their own keep equal weights, queues
// and prototypes; only the clusters of their images differ.
func TestRunsRanks(t *testing.T) {
	all := noise(96)
	for _, method := range []string{"moco", "simclr", "pcl"} {
		t.Run(method, func(t *testing.T) {
			state := make([]map[string][]float32, 2)
			err := dist.Run(2, func(g dist.Group) error {
				c := tiny(t, method)
				c.SetGroup(g)
				c.MoCo.Queue, c.PCL.Queue = 48, 48
				half := *all
				half.N, half.Pix, half.Labels = 48, all.Pix[g.Rank()*48*784:][:48*784], all.Labels[:48]
				tr, err := c.New(kernels.NewCPU(kernels.NewTeam(1), kernels.Pins{}), &half)
				if err != nil {
					return err
				}
				tr.SaveEvery = 1
				tr.Save = func(tr *Trainer) error {
					if tr.Iteration == 8 {
						return errStop
					}
					return nil
				}
				if err := tr.Train(context.Background()); err != errStop {
					return err
				}
				state[g.Rank()] = stateOf(tr)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for name, x := range state[0] {
				if same := slices.Equal(x, state[1][name]); same == strings.HasSuffix(name, ".assign") {
					t.Errorf("%s: equal on both ranks: %v", name, same)
				}
			}
		})
	}
}

// TestRunsAllocate nothing in a steady step, queue and prototypes included.
func TestRunsAllocate(t *testing.T) {
	b := backends(t)["cpu"]
	for _, method := range []string{"moco", "simclr", "pcl"} {
		t.Run(method, func(t *testing.T) {
			c := tiny(t, method)
			c.Epochs = 100
			rng := tensor.NewRNG(1, "test")
			layer := func() flat {
				return flat{nn.NewLinear(b, "large", 784, 24, rng), nn.NewLinear(b, "small", 196, 24, rng)}
			}
			var m Method
			var err error
			switch method {
			case "moco":
				m, err = NewMoCo(b, layer(), layer(), c.MoCo, rng)
			case "simclr":
				m, err = NewSimCLR(b, layer(), c.SimCLR, rng)
			case "pcl":
				c.PCL.Images, c.PCL.Warmup = 4800, 0
				m, err = NewPCL(b, layer(), layer(), c.PCL, rng)
			}
			if err != nil {
				t.Fatal(err)
			}
			views, err := data.NewViews(c.Views, c.Crops())
			if err != nil {
				t.Fatal(err)
			}
			tr, err := NewTrainer(b, m, nn.NewOptimizer(b, c.Optimizer.rule(), c.Optimizer.groups(m.State())...), TrainerConfig{
				Source: noise(4800), Views: views, Batch: 8, Epochs: 100, Rate: nn.Step{Base: 0.001}})
			if err != nil {
				t.Fatal(err)
			}
			if m, ok := m.(*PCL); ok {
				m.Features = keyFeatures(tr, m.PCLConfig)
			}
			if err := tr.open(); err != nil {
				t.Fatal(err)
			}
			step := func() {
				if _, err := tr.step(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			for range 5 {
				step()
			}
			if n := testing.AllocsPerRun(20, step); n != 0 {
				t.Errorf("%v allocations a step", n)
			}
		})
	}
}

// TestRunsMistakes: one message each, before anything is trained.
func TestRunsMistakes(t *testing.T) {
	cpu := backends(t)["cpu"]
	for _, c := range []struct {
		method string
		change func(*RunConfig)
		want   string
	}{
		{"pcl", func(c *RunConfig) { c.PCL.Clusters = []int{49} }, "49 clusters of 48 images"},
		{"pcl", func(c *RunConfig) { c.PCL.Negatives = 6 }, "6 negative prototypes, but 6 clusters leave at most 5"},
		{"pcl", func(c *RunConfig) { c.PCL.Queue = 20 }, "queue of 20"},
		{"moco", func(c *RunConfig) { c.MoCo.Queue = 20 }, "queue of 20"},
		{"moco", func(c *RunConfig) { c.SetBatch(1); c.MoCo.Groups = 1 }, "batch 1: batch norm"},
		{"simclr", func(c *RunConfig) { c.SetBatch(1) }, "batch 1: batch norm"},
		{"simclr", func(c *RunConfig) { c.SimCLR.Temperature = 0 }, "temperature 0"},
		{"simclr", func(c *RunConfig) { c.SetBatch(64) }, "batches of 64 from 48 images"},
		{"moco", func(c *RunConfig) { c.Optimizer.Schedule = "linear" }, `schedule "linear"`},
		{"moco", func(c *RunConfig) { c.Method = "byol" }, `no method "byol": there are swav, moco, simclr, pcl`},
	} {
		cfg := tiny(t, c.method)
		c.change(&cfg)
		if _, err := cfg.New(cpu, noise(48)); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %q alone", err, c.want)
		}
	}
	for _, method := range MethodNames {
		for _, name := range PresetNames(method) {
			c, err := Preset(method, name)
			if err == nil {
				err = c.Validate()
			}
			if err != nil || c.Method != method {
				t.Errorf("%s %s: %v", method, name, err)
			}
		}
		if _, err := Preset(method, "none"); err == nil || !strings.Contains(err.Error(), "there are [demo") {
			t.Error(err)
		}
	}
	if _, err := Preset("byol", "demo"); err == nil {
		t.Error("an unknown method")
	}
}

// TestRunsJSON: a configuration comes back from a run's folder as it was, with
// the settings of its method alone.
func TestRunsJSON(t *testing.T) {
	for _, method := range MethodNames {
		for _, name := range PresetNames(method) {
			want, err := Preset(method, name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := CreateRun(t.TempDir(), method, want)
			if err != nil {
				t.Fatal(err)
			}
			var got RunConfig
			if err := r.ReadConfig(&got); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("%+v\nwant %+v", got, want)
			}
			text, err := os.ReadFile(r.Config())
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range MethodNames {
				if strings.Contains(string(text), `"`+other+`": {`) != (other == method) {
					t.Errorf("%s %s: settings of %s in %s", method, name, other, text)
				}
			}
		}
	}
}

// TestRunsDiverge: a loss that is no number ends each method before weights
// move.
func TestRunsDiverge(t *testing.T) {
	for _, method := range []string{"moco", "simclr", "pcl"} {
		tr, err := tiny(t, method).New(backends(t)["cpu"], noise(48))
		if err != nil {
			t.Fatal(err)
		}
		w := tr.Method.Encoder().State()[0].Value
		bad := w.Float32s()
		bad[0] = float32(nan())
		w.SetFloat32s(bad)
		before := stateOf(tr)["optim."+tr.Method.Encoder().State()[0].Name+".m"]
		var diverged *DivergedError
		if err := tr.Train(context.Background()); !errors.As(err, &diverged) || tr.Iteration != 0 {
			t.Errorf("%s: %v", method, err)
		}
		if !slices.Equal(stateOf(tr)["optim."+tr.Method.Encoder().State()[0].Name+".m"], before) {
			t.Errorf("%s: the optimizer moved", method)
		}
	}
}

func TestAutomatic(t *testing.T) {
	for _, c := range []struct {
		method string
		images int
		change func(*RunConfig)
		want   []string
	}{
		{"pcl", 8000, func(c *RunConfig) { c.PCL.Clusters, c.PCL.Queue, c.PCL.Denominator = nil, 0, SampledPrototypes }, []string{
			"learning rate 0.004: 0.004 sqrt(batch/128) with adamw for batch 128",
			"queue of 1920: a quarter of 8000 images, at most 16384, in batches of 128",
			"[160 320 640] clusters: a 50th, a 25th and a 12.5th of 8000 images; fewer than ten images a cluster say little",
			"every prototype in the denominator: 160 clusters are fewer than 3 batches of 128, which leaves few to draw",
			"prototypes from epoch 31 on: after 30 % of 100, at least one"}},
		{"pcl", 50000, func(c *RunConfig) {
			c.PCL.Clusters, c.PCL.Queue, c.PCL.Denominator, c.Optimizer.Rule = nil, 0, SampledPrototypes, "sgd"
			c.SetBatch(256)
		}, []string{
			"learning rate 0.03: 0.03 batch/256 with sgd for batch 256",
			"queue of 12288: a quarter of 50000 images, at most 16384, in batches of 256",
			"[1000 2000 4000] clusters: a 50th, a 25th and a 12.5th of 50000 images; fewer than ten images a cluster say little",
			"666 negative prototypes: two thirds of 1000 clusters, at most what a batch of 256 leaves",
			"prototypes from epoch 31 on: after 30 % of 100, at least one"}},
		{"moco", 100, func(c *RunConfig) { c.MoCo.Queue, c.Optimizer.Rate = 0, 1 }, []string{
			"queue of 128: a quarter of 100 images, at most 65536, in batches of 128"}},
		{"simclr", 8000, func(c *RunConfig) { c.Optimizer.Rule = "lars"; c.SetBatch(64) }, []string{"learning rate 0.6: 0.075 sqrt(batch) with lars for batch 64"}},
		{"swav", 8000, func(c *RunConfig) { c.SwAV.Prototypes, c.Optimizer.Rule, c.Optimizer.Rate = 0, "larc", 0 }, []string{
			"learning rate 0.3: 0.6 batch/256 with larc for batch 128",
			"64 prototypes: an eightieth of 8000 images, 10 to 3000, at most half of the 128 samples that share them"}},
	} {
		cfg, err := Preset(c.method, "demo")
		if err != nil {
			t.Fatal(err)
		}
		c.change(&cfg)
		full, rules := cfg.Automatic(c.images)
		if !slices.Equal(rules, c.want) {
			t.Errorf("%s of %d:\n%s\nwant\n%s", c.method, c.images, strings.Join(rules, "\n"), strings.Join(c.want, "\n"))
		}
		full.PCL.Images = c.images
		if err := full.validate(); err != nil {
			t.Errorf("%s of %d: %v", c.method, c.images, err)
		}
		if _, again := full.Automatic(c.images); len(again) > 0 {
			t.Errorf("%s: chosen twice: %q", c.method, again)
		}
	}
}
