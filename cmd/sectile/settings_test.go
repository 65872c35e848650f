package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/tensor"
)

// configured is the configuration that flags ask for, as pretrain reads them.
func configured(t *testing.T, method, args string) (config, *pretrainFlags, error) {
	t.Helper()
	f := newFlags("pretrain")
	p := definePretrain(f)
	if _, err := parse(f, append(strings.Fields(args), method), 1, "", "", io.Discard); err != nil {
		t.Fatal(err)
	}
	p.visit(f)
	c, err := p.config(method)
	return c, p, err
}

// text is a configuration as a run keeps it.
func text(t *testing.T, c config) string {
	t.Helper()
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSettings: each flag reaches the method's own setting, and nothing else.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		method, args string
		change       func(*methods.RunConfig)
	}{
		{"moco", "--queue 1024 --temperature 0.1", func(c *methods.RunConfig) { c.MoCo.Queue, c.MoCo.Temperature = 1024, 0.1 }},
		{"simclr", "--temperature 0.5", func(c *methods.RunConfig) { c.SimCLR.Temperature = 0.5 }},
		{"swav", "--queue 256 --prototypes 0 --temperature 0.2", func(c *methods.RunConfig) { c.SwAV.Queue, c.SwAV.Prototypes, c.SwAV.Temperature = 256, 0, 0.2 }},
		{"pcl", "--queue 0 --clusters 40,80 --temperature 0.3", func(c *methods.RunConfig) {
			c.PCL.Queue, c.PCL.Clusters, c.PCL.Temperature = 0, []int{40, 80}, 0.3
		}},
		{"pcl", "--clusters 0", func(c *methods.RunConfig) { c.PCL.Clusters = nil }},
		{"pcl", "--preset paper --clusters 700", func(c *methods.RunConfig) { c.PCL.Clusters, c.PCL.Negatives = []int{700}, 0 }},
		{"pcl", "--negatives 30", func(c *methods.RunConfig) {
			c.PCL.Negatives, c.PCL.Denominator = 30, methods.SampledPrototypes
		}},
		{"pcl", "--preset paper --clusters 700 --negatives 30", func(c *methods.RunConfig) { c.PCL.Clusters, c.PCL.Negatives = []int{700}, 30 }},
	} {
		got, _, err := configured(t, c.method, c.args)
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.args, err)
			continue
		}
		preset := "demo"
		if strings.Contains(c.args, "paper") {
			preset = "paper"
		}
		want, _ := presetConfig(c.method, preset)
		c.change(&want.Run)
		if a, b := text(t, got), text(t, want); a != b {
			t.Errorf("%s %s:\n%s\nwant\n%s", c.method, c.args, a, b)
		}
	}
}

// TestRateOfBatch: a rate that follows the rule follows it to another batch;
// one that was chosen stays, and a note says so.
func TestRateOfBatch(t *testing.T) {
	for _, c := range []struct {
		args string
		rate float64
		rule string
		note bool
	}{
		{"", 4e-3, "", false},
		{"--batch 128", 4e-3, "", false},
		{"--batch 32", 2e-3, "learning rate 0.002: 0.004 sqrt(batch/128) with adamw for batch 32", false},
		{"--batch 32 --lr 1", 1, "", false},
		{"--lr 0", 4e-3, "learning rate 0.004: 0.004 sqrt(batch/128) with adamw for batch 128", false},
		{"--preset paper-small --batch 64", 3, "", true},
		{"--preset paper-small --batch 64 --lr 0", 0.15, "learning rate 0.15: 0.6 batch/256 with larc for batch 64", false},
	} {
		got, p, err := configured(t, "swav", c.args)
		if err != nil {
			t.Fatal(err)
		}
		run, rules := got.Run.Automatic(8000)
		if run.Optimizer.Rate != c.rate || (c.rule != "") != slices.Contains(rules, c.rule) || len(p.notes) > 0 != c.note {
			t.Errorf("%s: rate %v by %q, notes %q", c.args, run.Optimizer.Rate, rules, p.notes)
		}
	}
}

// TestDiverges: a loss that is no number ends each method with one line that
// says what to do, before it reaches the checkpoint.
func TestDiverges(t *testing.T) {
	data := idxFolder(t, 64, 0)
	for _, method := range methods.MethodNames {
		out := t.TempDir()
		code, _, errOut := sectile(t, append(smallOf(method, data, out, 4), "--lr", "1e35")...)
		if code != 1 || strings.Count(errOut, "\n") != 1 {
			t.Fatalf("%s: code %d, %q", method, code, errOut)
		}
		for _, want := range []string{"training diverged in step ", "at learning rate ", "is good", "begin again with --lr below 1e+35"} {
			if !strings.Contains(errOut, want) {
				t.Errorf("%s: no %q in %q", method, want, errOut)
			}
		}
		code, _, errOut = sectile(t, "embed", filepath.Join(out, method+"-001"), "--out", filepath.Join(out, "f.npy"))
		values, _, err := tensor.ReadNPY(filepath.Join(out, "f.npy"))
		if code != 0 || err != nil || slices.ContainsFunc(values.([]float32), func(v float32) bool { return v-v != 0 }) {
			t.Errorf("%s: the checkpoint is not good: code %d, %q, %v", method, code, errOut, err)
		}
	}
}

// TestFewImages: where a preset has more clusters than there are images, the
// rule chooses; numbers that were asked for are an error.
func TestFewImages(t *testing.T) {
	data, out := idxFolder(t, 100, 0), t.TempDir()
	code, text, errOut := sectile(t, smallOf("pcl", data, out, 2)...)
	if code != 0 || !strings.Contains(text, "chosen   [2 4 8] clusters: a 50th") {
		t.Errorf("code %d, %q, %q", code, text, errOut)
	}
	code, _, errOut = sectile(t, append(smallOf("pcl", data, out, 2), "--clusters", "50,101")...)
	if code != 1 || !strings.Contains(errOut, "101 clusters of 100 images: at most as many clusters as images; a tenth (10)") {
		t.Errorf("code %d, %q", code, errOut)
	}
}

// TestNoUnitRows: keys that are not l2-normalised, as another program may have
// written them, are refused before a step.
func TestNoUnitRows(t *testing.T) {
	data, out := idxFolder(t, 64, 0), t.TempDir()
	if code, _, errOut := sectile(t, append(smallOf("moco", data, out, 1), "--queue", "32")...); code != 0 {
		t.Fatal(errOut)
	}
	dir := filepath.Join(out, "moco-001")
	path := filepath.Join(dir, "checkpoint.safetensors")
	f, err := tensor.OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	info, _ := f.Info("queue")
	queue := make([]float32, info.Len())
	err = f.ReadFloat32("queue", queue)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	var old, scaled bytes.Buffer
	for _, v := range queue {
		binary.Write(&old, binary.LittleEndian, v)
		binary.Write(&scaled, binary.LittleEndian, 2*v)
	}
	put(t, path, bytes.Replace(get(t, path), old.Bytes(), scaled.Bytes(), 1))
	code, _, errOut := sectile(t, "pretrain", "moco", "--resume", dir)
	if code != 1 || !strings.Contains(errOut, "row 0 of queue has length 2: similarities are cosines") || strings.Count(errOut, "\n") != 1 {
		t.Errorf("code %d, %q", code, errOut)
	}
}
