package main

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
)

// ask sends the worker lines and returns its answers.
func ask(t *testing.T, lines ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if err := serve(strings.NewReader(strings.Join(lines, "\n")+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	answers := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(answers) != len(lines) {
		t.Fatalf("%d answers to %d requests: %q", len(answers), len(lines), answers)
	}
	return answers
}

func TestWorker(t *testing.T) {
	requests := map[string]int{ // request to numbers in the answer
		"gemm 5 7 9 0 0 2 3":              3,
		"gemm 64 32 16 1 0 1 2":           2,
		"gemm 64 32 16 0 1 1 1":           1,
		"conv fwd 2 8 8 3 16 3 3 1 1 1 2": 2,
		"conv dx 2 8 8 16 16 3 3 2 1 1 2": 2,
		"conv dw 2 8 8 16 16 3 3 1 1 1 2": 2,
		"train small8 4 2":                2,
		"train small14 2 1":               1,
		"ssl swav fashion 4 2":            2,
		"ssl moco fashion 4 2":            2,
		"ssl simclr fashion 4 2":          2,
		"ssl pcl fashion 4 2":             2,
		"first small8 2":                  1,
	}
	if !testing.Short() {
		requests["train resnet18c 2 1"] = 1
		requests["ssl swav cifar 2 1"] = 1
	}
	for r, n := range requests {
		a := strings.Fields(ask(t, r)[0])
		if len(a) != n {
			t.Errorf("%s: %q, want %d numbers", r, a, n)
			continue
		}
		for _, w := range a {
			if s, err := strconv.ParseFloat(w, 64); err != nil || s <= 0 {
				t.Errorf("%s: %q is no time", r, w)
			}
		}
	}
}

func TestWorkerMeasuresMemory(t *testing.T) {
	for _, a := range ask(t, "rss", "rss train small8 2 1") {
		mb, err := strconv.ParseFloat(a, 64)
		if strings.HasPrefix(a, "err rss reads") {
			t.Skip(a)
		}
		if err != nil || mb < 1 || mb > 1e5 {
			t.Errorf("rss: %q", a)
		}
	}
}

// TestWorkerRefuses: whatever a line holds, there is one line in answer, and
// the next request is served.
func TestWorkerRefuses(t *testing.T) {
	for _, r := range []string{
		"dance", "peak", "peak 1 7 0.01", "peak 1 5 -3", "peak x 5 0.01", "peak 0 5 0.01",
		"gemm", "gemm 1 2 3 0 0 1", "gemm 1 2 3 0 0 1 1 bf16", "gemm -1 2 3 0 0 1 1", "gemmbf16 8 8 8 0 0 1 1",
		"conv up 1 8 8 4 4 3 3 1 1 1 1", "conv fwd 1 8 8 4 4 3 3 1 1 1 1 bf16", "conv fwd 1 2 2 4 4 5 5 1 0 1 1", "conv fwd 1 8 8 4 4 3 3 0 1 1 1",
		"train", "train vgg 2 1", "train small8 0 1", "train small8 1 1", "train small8 2 1 bf16", "infer small8 2 1",
		"ssl dino cifar 2 1", "ssl moco fashion 5000 1", "views swav", "views dino x.zip 0.1", "views simclr x.zip 0.1", "ssl swav mnist 2 1", "ssl swav fashion 1 1", "ssl swav fashion 4 1 bf16",
		"first", "first small8 2 2", "rss dance", "kmeans 10 2 2 1 1", "\x00\xff",
	} {
		a := ask(t, r, "gemm 4 4 4 0 0 1 1")
		if !strings.HasPrefix(a[0], "err ") || len(a[0]) > 200 {
			t.Errorf("%q: %q, want err and a reason", r, a[0])
		}
		if strings.HasPrefix(a[1], "err") {
			t.Errorf("after %q: %q", r, a[1])
		}
	}
}
