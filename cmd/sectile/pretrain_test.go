package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/tensor"
)

// TestMain is the program itself when a test asks for a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("SECTILE_TEST_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// small are the flags of a run of a second or less.
func small(data, out string, epochs int) []string {
	return smallOf("swav", data, out, epochs)
}

func smallOf(method, data, out string, epochs int) []string {
	return []string{"pretrain", method, "--data", data, "--out", out, "--batch", "16", "--epochs", fmt.Sprint(epochs)}
}

// TestPretrain: two runs with one configuration, folders 001 and 002, equal
// to the bit; the table; eval.
func TestPretrain(t *testing.T) {
	data, out := idxFolder(t, 160, 60), filepath.Join(t.TempDir(), "runs")
	code, text, errOut := sectile(t, small(data, out, 1)...)
	if code != 0 {
		t.Fatal(errOut)
	}
	for _, want := range []string{"160 to learn from", "60 to judge by", "time     about ", "FLOP in 10 steps of ", "swav-001", "raw pixels (best", "untrained", "trained", "AMI of 10 clusters"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	first := filepath.Join(out, "swav-001")
	// The second run is looked at while it learns, which changes nothing.
	code, text, errOut = sectile(t, "pretrain", "swav", "--out", out, "--config", filepath.Join(first, "config.json"), "--judge-every", "1")
	if code != 0 {
		t.Fatal(errOut)
	}
	second := filepath.Join(out, "swav-002")
	if !strings.Contains(text, second) {
		t.Errorf("the second run is not in %s:\n%s", second, text)
	}
	for _, name := range []string{"config.json", "checkpoint.safetensors"} {
		if !bytes.Equal(get(t, filepath.Join(first, name)), get(t, filepath.Join(second, name))) {
			t.Errorf("%s differs between two runs of one configuration", name)
		}
	}
	lines := strings.Split(string(get(t, filepath.Join(second, "metrics.jsonl"))), "\n")
	if len(lines) != 11 {
		t.Fatalf("metrics.jsonl has %d lines, want one for each of 10 steps", len(lines)-1)
	}
	for i, line := range lines[:10] {
		var v struct{ Epoch, Iteration, Cosine, Rank, Dead, Used, Code_entropy, KNN, Linear, Wait_percent *float64 }
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Cosine == nil || v.Rank == nil || v.Dead == nil || v.Code_entropy == nil || v.Wait_percent == nil {
			t.Errorf("line %d lacks what the monitor saw: %s, %v", i, line, err)
		}
		if last := i == 9; (v.KNN != nil) != last || (v.Linear != nil) != last || *v.Epoch != 1 || *v.Iteration != float64(i+1) {
			t.Errorf("line %d: %s", i, line)
		}
	}
	if !strings.Contains(text, "after epoch 1: kNN ") || !strings.Contains(text, "(60 images judged by 160)") {
		t.Errorf("no figures in\n%s", text)
	}

	code, text, errOut = sectile(t, "eval", "knn", first, "--k", "5", "--center")
	if code != 0 || !strings.Contains(text, "5 neighbours") || !strings.Contains(text, "trained") {
		t.Errorf("eval: code %d, %q, %q", code, text, errOut)
	}
	code, text, errOut = sectile(t, "eval", "linear", first, "--epochs", "2")
	if code != 0 || !strings.Contains(text, "2 epochs of batches of 256") || !strings.Contains(text, "top-5") {
		t.Errorf("eval: code %d, %q, %q", code, text, errOut)
	}
	if _, again, _ := sectile(t, "eval", "linear", first, "--epochs", "2"); again != text {
		t.Errorf("eval linear twice: %q, %q", text, again)
	}
	code, text, errOut = sectile(t, "pretrain", "swav", "--resume", first)
	if code != 0 || !strings.Contains(text, "going on after step 10 of 10") || !strings.Contains(text, "trained") {
		t.Errorf("resume of a whole run: code %d, %q, %q", code, text, errOut)
	}
}

// untilMetrics is a context that ends once the run has written metrics, after
// its first epoch.
type untilMetrics struct {
	context.Context
	path string
}

func (c untilMetrics) Err() error {
	if info, err := os.Stat(c.path); err == nil && info.Size() > 0 {
		return context.Canceled
	}
	return nil
}

// TestInterrupt: the context of a run ends in the middle; the run says how to
// go on, and goes on to the bits of a run that was left alone.
func TestInterrupt(t *testing.T) {
	for _, method := range methods.MethodNames {
		t.Run(method, func(t *testing.T) { interrupt(t, method) })
	}
}

func interrupt(t *testing.T, method string) {
	data, out := idxFolder(t, 64, 0), t.TempDir()
	const epochs, steps = 3, 4
	args := smallOf(method, data, out, epochs)
	if method == "pcl" { // E-steps in the last epoch but one, and the last
		config := filepath.Join(out, "pcl.json")
		put(t, config, []byte(`{"run": {"pcl": {"clusters": [3, 6], "queue": 32, "every": 1}}}`))
		args = append(args, "--config", config)
	}
	if method == "moco" {
		config := filepath.Join(out, "moco.json")
		put(t, config, []byte(`{"run": {"moco": {"queue": 32}}}`))
		args = append(args, "--config", config)
	}
	code, text, errOut := sectile(t, args...)
	if code != 0 || !strings.Contains(text, "no table: "+data) {
		t.Fatalf("code %d, %q, %q", code, text, errOut)
	}
	if method == "pcl" && strings.Count(text, "E-step of epoch") != 4 {
		t.Errorf("want two E-steps of two clusterings:\n%s", text)
	}
	if method == "pcl" { // of the second and the third epoch, K 3 and 6, in the first lines after them
		for i, line := range strings.SplitN(string(get(t, filepath.Join(out, "pcl-001", "metrics.jsonl"))), "\n", epochs*steps+1)[:epochs*steps] {
			var l struct{ ESteps []estep }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if want := i == steps || i == 2*steps; want != (len(l.ESteps) == 2) || want && (l.ESteps[1].K != 6 || l.ESteps[0].Most < 22 || l.ESteps[0].Phi[0] <= 0) {
				t.Errorf("line %d: %s", i, line)
			}
		}
	}
	dir := filepath.Join(out, method+"-002")
	var o, e bytes.Buffer
	ctx := untilMetrics{context.Background(), filepath.Join(dir, "metrics.jsonl")}
	if code := run(ctx, args, &o, &e); code != 130 {
		t.Fatalf("code %d, want 130: %s%s", code, o.String(), e.String())
	}
	for _, want := range []string{fmt.Sprintf("interrupted after step %d of %d", steps, epochs*steps), " pretrain " + method + " --resume " + dir} {
		if !strings.Contains(o.String(), want) || e.Len() > 0 {
			t.Errorf("no %q in %q, %q", want, o.String(), e.String())
		}
	}
	other := methods.MethodNames[(slices.Index(methods.MethodNames, method)+1)%4]
	if code, _, errOut := sectile(t, "pretrain", other, "--resume", dir); code != 1 || !strings.Contains(errOut, "pretrain "+method+" --resume") {
		t.Errorf("resumed by %s: code %d, %q", other, code, errOut)
	}
	code, text, errOut = sectile(t, "pretrain", method, "--resume", dir)
	if code != 0 || !strings.Contains(text, fmt.Sprintf("going on after step %d of", steps)) {
		t.Fatalf("code %d, %q, %q", code, text, errOut)
	}
	name := "checkpoint.safetensors"
	if !bytes.Equal(get(t, filepath.Join(out, method+"-001", name)), get(t, filepath.Join(dir, name))) {
		t.Error("the resumed run differs from the one that was left alone")
	}
	if n := bytes.Count(get(t, filepath.Join(dir, "metrics.jsonl")), []byte("\n")); n != epochs*steps {
		t.Errorf("metrics.jsonl has %d lines, want one for each of %d steps", n, epochs*steps)
	}
}

// TestCtrlC sends the signal to a process of its own.
func TestCtrlC(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signal that a parent can send")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, out := idxFolder(t, 64, 0), t.TempDir()
	p := exec.Command(self, small(data, out, 10000)...)
	p.Env = append(os.Environ(), "SECTILE_TEST_PROGRAM=1")
	var text bytes.Buffer
	p.Stdout, p.Stderr = &text, &text
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer p.Process.Kill()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(filepath.Join(out, "swav-001", "metrics.jsonl")); err == nil && info.Size() > 0 {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("no epoch within a minute")
		}
	}
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.Wait()
	if code := p.ProcessState.ExitCode(); code != 130 || !strings.Contains(text.String(), "--resume") {
		t.Errorf("code %d, want 130: %s", code, text.String())
	}
}

// TestDamage: a checkpoint that is cut short, or of another run, names its
// file and is left as it is.
func TestDamage(t *testing.T) {
	data, labelled, out := idxFolder(t, 64, 0), idxFolder(t, 64, 20), t.TempDir()
	if code, _, errOut := sectile(t, small(data, out, 1)...); code != 0 {
		t.Fatal(errOut)
	}
	dir := filepath.Join(out, "swav-001")
	path := filepath.Join(dir, "checkpoint.safetensors")
	whole := get(t, path)
	for name, content := range map[string][]byte{"cut": whole[:len(whole)/2], "empty": {}, "noise": bytes.Repeat([]byte{7}, 100)} {
		put(t, path, content)
		for _, args := range [][]string{{"pretrain", "swav", "--resume", dir}, {"eval", "knn", dir, "--data", labelled}} {
			code, _, errOut := sectile(t, args...)
			if code != 1 || !strings.Contains(errOut, path) || strings.Count(errOut, "\n") != 1 {
				t.Errorf("%s checkpoint, sectile %s: code %d, %q", name, strings.Join(args[:2], " "), code, errOut)
			}
			if !bytes.Equal(get(t, path), content) {
				t.Errorf("sectile %s wrote to a checkpoint that it could not read", args[0])
			}
		}
	}
	put(t, path, whole)
	config := filepath.Join(dir, "config.json")
	put(t, config, bytes.Replace(get(t, config), []byte(`"prototypes": 100`), []byte(`"prototypes": 99`), 1))
	code, _, errOut := sectile(t, "pretrain", "swav", "--resume", dir)
	if code != 1 || !strings.Contains(errOut, path) || !strings.Contains(errOut, "prototypes.weight") {
		t.Errorf("another run's checkpoint: code %d, %q", code, errOut)
	}
}

// TestMemory: a run that does not fit says what is large and what to do.
func TestMemory(t *testing.T) {
	defer tensor.SetMemoryLimit(memoryLimit())
	limit := fmt.Sprint(tensor.MemoryInUse() + 200<<20)
	out := t.TempDir()
	code, _, errOut := sectile(t, "pretrain", "swav", "--batch", "4096", "--memory", limit, "--out", out)
	if code != 1 || strings.Count(errOut, "\n") != 1 {
		t.Fatalf("code %d, %q", code, errOut)
	}
	for _, want := range []string{"largest", "MiB", "--batch", "--memory"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("no %q in %q", want, errOut)
		}
	}
	if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
		t.Errorf("a run without a step left %v, %v", left, err)
	}
}

// TestConfig: what is written is what is read; a file may say only what it
// changes.
func TestConfig(t *testing.T) {
	for _, method := range methods.MethodNames {
		for _, name := range methods.PresetNames(method) {
			want, err := presetConfig(method, name)
			if err != nil {
				t.Fatal(err)
			}
			want.Run.Epochs, want.Run.Seed = 7, 1<<63+1
			r, err := methods.CreateRun(t.TempDir(), method, want)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(get(t, r.Config()), []byte(`"method"`)); n != 1 {
				t.Errorf("%s names the method %d times", r.Config(), n)
			}
			got, err := readConfig(r.Config(), "")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(want, got) {
				t.Errorf("%s: wrote %+v, read %+v", name, want, got)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "c.json")
	for text, method := range map[string]string{
		`{"preset": "paper-small", "run": {"epochs": 3}}`:                   "swav",
		`{"method": "swav", "preset": "paper-small", "run": {"epochs": 3}}`: "pcl", // as the first version wrote it
	} {
		put(t, path, []byte(text))
		got, err := readConfig(path, method)
		want, _ := presetConfig("swav", "paper-small")
		want.Run.Epochs = 3
		if err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("want %+v, read %+v, %v", want, got, err)
		}
	}
}

// TestConfigKeys: every key is of one style, and files with the names of before
// are read.
func TestConfigKeys(t *testing.T) {
	c, err := presetConfig("swav", "paper-small")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range regexp.MustCompile(`"([^"]*)":`).FindAllStringSubmatch(text(t, c), -1) {
		if strings.ToLower(key[1]) != key[1] {
			t.Errorf("key %q", key[1])
		}
	}
	c.Run.Views.GreyFirst, c.Run.Views.FieldSize, c.Run.Views.Colour.Hue = true, 5, 0.25
	c.Run.SwAV.Crops[0].Count, c.Run.SwAV.Crops[0].Scale = 3, [2]float64{0.5, 0.75}
	path := filepath.Join(t.TempDir(), "c.json")
	put(t, path, []byte(`{"preset": "paper-small", "data": "embedded", "run": {"views": {"GreyFirst": true, "FieldSize": 5, "Colour": {"Hue": 0.25}},
		"swav": {"crops": [{"Count": 3, "Size": 28, "Scale": [0.5, 0.75]}, {"Count": 4, "Size": 14, "Scale": [0.3, 0.8]}]}}}`))
	if got, err := readConfig(path, "swav"); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("read %+v, %v\nwant %+v", got, err, c)
	}
}

// TestProgressOnATerminal: one line, rewritten, nothing left of a longer one.
func TestProgressOnATerminal(t *testing.T) {
	var b bytes.Buffer
	p := &progress{out: &b, terminal: true, epochs: 10}
	p.step(methods.Progress{Step: methods.Step{Epoch: 0, Iteration: 4}, Iterations: 100, Loss: 4.6, ImagesPerS: 12345, Remaining: 90 * time.Minute})
	p.last = time.Time{}
	p.step(methods.Progress{Step: methods.Step{Epoch: 0, Iteration: 5}, Iterations: 100, Loss: 4.6, ImagesPerS: 999, Remaining: 61 * time.Second})
	p.clear()
	lines := strings.Split(b.String(), "\r")
	want := []string{"", "epoch  1/10  step   5/100  loss 4.600  12345 images/s  ETA 1:30:00", "epoch  1/10  step   6/100  loss 4.600  999 images/s  ETA 1:01     "}
	if len(lines) != 5 || !slices.Equal(want, lines[:3]) || strings.Contains(b.String(), "\n") {
		t.Fatalf("want %q, wrote %q", want, lines)
	}
	if strings.TrimSpace(lines[3]) != "" || len(lines[3]) < len(strings.TrimRight(want[2], " ")) {
		t.Errorf("clear left something: %q", lines)
	}
}

// TestMetricsOfACrash: lines of steps that the checkpoint does not have, and
// half lines, go.
func TestMetricsOfACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	whole := "{\"iteration\":5,\"seconds\":1}\n{\"iteration\":10,\"seconds\":2}\n"
	for _, rest := range []string{"", "{\"iteration\":15,\"seconds\":3}\n{\"iter", "{\"iteration\":1"} {
		put(t, path, []byte(whole+rest))
		m, err := openMetrics(path, 10, 5)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.close(); err != nil {
			t.Fatal(err)
		}
		if got := string(get(t, path)); got != whole || m.before != 2*time.Second {
			t.Errorf("kept %q, %v seconds", got, m.before)
		}
	}
}

// TestCollapse: codes so smooth that they say nothing are reported once, with
// what helps.
func TestCollapse(t *testing.T) {
	out := t.TempDir()
	config := filepath.Join(out, "c.json")
	put(t, config, []byte(`{"run": {"swav": {"sinkhorn": {"epsilon": 10}}}}`))
	code, text, errOut := sectile(t, append(small(idxFolder(t, 64, 0), out, 125), "--config", config)...)
	if code != 0 {
		t.Fatal(errOut)
	}
	if strings.Count(text, "note: codes say nothing about images") != 1 || !strings.Contains(text, "what is known to help") {
		t.Errorf("want one note of codes:\n%s", text)
	}
}
