package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sectile-ml/sectile/data/fashionmnist"
)

// command runs the program in this process.
func sectile(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), args, &o, &e)
	return code, o.String(), e.String()
}

// clothes is the embedded set, unpacked once.
var clothes = sync.OnceValues(fashionmnist.Load)

// idxFolder writes a folder of IDX files: the first images of the embedded
// set, learn of them to learn from and judge to judge by; with judge 0 there
// are no labels either.
func idxFolder(t *testing.T, learn, judge int) string {
	t.Helper()
	set, err := clothes()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(half string, lo, hi int) {
		images := binary.BigEndian.AppendUint32([]byte{0, 0, 8, 3}, uint32(hi-lo))
		images = binary.BigEndian.AppendUint32(images, 28)
		images = binary.BigEndian.AppendUint32(images, 28)
		images = append(images, set.Pix[lo*784:hi*784]...)
		labels := binary.BigEndian.AppendUint32([]byte{0, 0, 8, 1}, uint32(hi-lo))
		for _, l := range set.Labels[lo:hi] {
			labels = append(labels, byte(l))
		}
		put(t, filepath.Join(dir, half+"-images-idx3-ubyte"), images)
		if judge > 0 {
			put(t, filepath.Join(dir, half+"-labels-idx1-ubyte"), labels)
		}
	}
	write("train", 0, learn)
	if judge > 0 {
		write("t10k", learn, learn+judge)
	}
	return dir
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"-h"}, {"--help"}} {
		code, out, errOut := sectile(t, args...)
		if code != 0 || errOut != "" {
			t.Errorf("sectile %v: code %d, %q", args, code, errOut)
		}
		for _, c := range commands() {
			if !strings.Contains(out, "sectile "+c.name) {
				t.Errorf("sectile %v does not name %s:\n%s", args, c.name, out)
			}
		}
	}
	for _, c := range commands() {
		code, out, errOut := sectile(t, c.name, "--help")
		if code != 0 || errOut != "" || !strings.Contains(out, "usage: sectile "+c.name) {
			t.Errorf("sectile %s --help: code %d, %q, %q", c.name, code, out, errOut)
		}
	}
}

// TestMistakes is one line on standard error for every mistake: what is wrong,
// with the value, and what to do.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		put(t, path, []byte(content))
		return path
	}
	var (
		unknown = file("unknown.json", `{"run": {"swav": {"temprature": 0.1}}}`)
		typed   = file("typed.json", `{"run": {"epochs": "many"}}`)
		broken  = file("broken.json", `{"run": `)
		twice   = file("twice.json", `{} {}`)
		method  = file("method.json", `{"method": "pcl"}`)
		preset  = file("preset.json", `{"preset": "dmeo"}`)
		range0  = file("range.json", `{"run": {"swav": {"temperature": 0}}}`)
		missing = filepath.Join(dir, "missing")
		plain   = file("plain", "not a folder")
	)
	bad := idxFolder(t, 64, 32)
	images := filepath.Join(bad, "train-images-idx3-ubyte")
	put(t, images, get(t, images)[:5000])
	odd := idxFolder(t, 64, 32)
	put(t, filepath.Join(odd, "t10k-labels-idx1-ubyte"), []byte("garbage"))

	for _, c := range []struct {
		args string
		want []string
	}{
		{"trian", []string{`"trian"`, "pretrain, eval, embed, search, assign, story, info, bench"}},
		{"pretrain", []string{"one method (swav, moco, simclr, pcl)", "nothing"}},
		{"pretrain swav pcl", []string{`"swav" "pcl"`}},
		{"pretrain dino", []string{`"dino"`, "swav, moco, simclr, pcl"}},
		{"pretrain swav --epoch 3", []string{"-epoch", "--help"}},
		{"pretrain swav --epochs many", []string{`"many"`, "-epochs", "--help"}},
		{"pretrain swav --epochs 0", []string{"0 epochs", "at least 1"}},
		{"pretrain swav --batch 1", []string{"batch 1", "at least 2"}},
		{"pretrain swav --batch 9000", []string{"9000", "8000"}},
		{"pretrain swav --judge-every -1", []string{"--judge-every -1"}},
		{"pretrain simclr --queue 256", []string{"--queue", "swav and moco and pcl", "simclr has none"}},
		{"pretrain moco --clusters 10", []string{"--clusters", "pcl", "moco has none"}},
		{"pretrain moco --queue 100", []string{"queue of 100", "128"}},
		{"pretrain moco --queue many", []string{"--queue", `"many"`}},
		{"pretrain moco --queue -128", []string{"--queue", `"-128"`}},
		{"pretrain swav --queue 100", []string{"queue of 100", "128"}},
		{"pretrain swav --prototypes 1", []string{"1 prototypes", "at least 2"}},
		{"pretrain pcl --clusters 50,x", []string{"--clusters", `"x"`}},
		{"pretrain pcl --clusters 9000", []string{"9000 clusters of 8000 images", "800"}},
		{"pretrain pcl --negatives 50", []string{"50 negative prototypes", "49"}},
		{"pretrain pcl --temperature 0", []string{"temperature 0"}},
		{"pretrain simclr --temperature hot", []string{"--temperature", `"hot"`}},
		{"pretrain pcl --queue 256 --resume " + dir, []string{"--queue", dir}},
		{"pretrain swav --lr -1", []string{"learning rate -1"}},
		{"pretrain swav --lr NaN", []string{"learning rate NaN"}},
		{"pretrain swav --preset dmeo", []string{`"dmeo"`, "demo"}},
		{"pretrain moco --preset paper-small", []string{`"paper-small" of moco`, "cifar"}},
		{"pretrain simclr --batch 1", []string{"batch 1", "at least 2"}},
		{"pretrain swav --preset cifar", []string{"1 channel(s)", "cifar", "--data"}},
		{"pretrain swav --threads 100000", []string{"100000", "CPUs"}},
		{"pretrain swav --memory much", []string{"--memory", `"much"`, "4GiB"}},
		{"pretrain swav --config " + missing, []string{missing}},
		{"pretrain swav --config " + unknown, []string{unknown, `"temprature"`}},
		{"pretrain swav --config " + typed, []string{typed, "run.epochs", "string"}},
		{"pretrain swav --config " + broken, []string{broken}},
		{"pretrain swav --config " + twice, []string{twice}},
		{"pretrain swav --config " + method, []string{method, "pcl", "swav"}},
		{"pretrain swav --config " + preset, []string{preset, `"dmeo"`}},
		{"pretrain swav --config " + range0, []string{"temperature 0"}},
		{"pretrain swav --preset demo --config " + unknown, []string{"--config and --preset"}},
		{"pretrain swav --data " + missing, []string{missing, "no such"}},
		{"pretrain swav --data " + bad, []string{images}},
		{"pretrain swav --data " + odd, []string{filepath.Join(odd, "t10k-labels-idx1-ubyte")}},
		{"pretrain swav --test " + bad, []string{"--test", "--data"}},
		{"pretrain swav --out " + plain, []string{plain, "--out"}},
		{"pretrain swav --cpuprofile " + filepath.Join(missing, "x"), []string{"--cpuprofile", missing}},
		{"pretrain swav --resume " + missing, []string{missing, "config.json"}},
		{"pretrain swav --lr 1 --resume " + dir, []string{"--lr", dir}},
		{"eval", []string{"knn"}},
		{"eval dino " + dir, []string{`"dino"`, "knn, linear"}},
		{"eval linear --k 5 " + dir, []string{"--k", "eval knn"}},
		{"eval knn --lr 1 " + dir, []string{"--lr", "eval linear"}},
		{"eval linear --lr 0 " + dir, []string{"learning rate 0"}},
		{"eval knn --temperature 0 " + dir, []string{"Temperature is 0"}},
		{"eval knn " + missing, []string{missing}},
		{"info please", []string{`"please"`}},
		{"bench", []string{"--worker"}},
	} {
		code, out, errOut := sectile(t, strings.Fields(c.args)...)
		if code != 1 || out != "" {
			t.Errorf("sectile %s: code %d, want 1 and nothing on standard output: %q", c.args, code, out)
		}
		if !strings.HasPrefix(errOut, "sectile: ") || strings.Count(errOut, "\n") != 1 {
			t.Errorf("sectile %s: want one line, got %q", c.args, errOut)
		}
		for _, w := range c.want {
			if !strings.Contains(errOut, w) {
				t.Errorf("sectile %s: no %s in %q", c.args, w, errOut)
			}
		}
	}
	if _, err := os.Stat("runs"); err == nil {
		t.Error("a mistake left a folder of runs")
	}
}

func TestInfo(t *testing.T) {
	code, out, errOut := sectile(t, "info")
	if code != 0 {
		t.Fatal(errOut)
	}
	for _, want := range []string{"CPU ", "memory ", "backend ", "gemm:go"} {
		if !strings.Contains(out, want) {
			t.Errorf("info does not say %q:\n%s", want, out)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{"4GiB": 4 << 30, "512MiB": 512 << 20, "1.5 GB": 1500000000, "100": 100, "64B": 64, "2KiB": 2048} {
		if got, err := parseBytes(s); err != nil || got != want {
			t.Errorf("parseBytes(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "GiB", "-1GiB", "0", "4TiB", "NaN", "1e30GiB", "4 gib"} {
		if n, err := parseBytes(s); err == nil {
			t.Errorf("parseBytes(%q) = %d, want an error", s, n)
		}
	}
}
