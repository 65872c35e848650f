package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// provider is a library behind a worker process. Slow ones are asked fewer
// calls, and nothing beyond most FLOP.
type provider struct {
	name string
	argv []string
	env  []string
	slow bool
	most float64
}

// providersOf lists ours, the best of other languages, then Go's.
func providersOf(blas, extra, env []string, python string, slow float64) ([]*provider, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	all := []*provider{{name: "sectile", argv: []string{self, "worker", "sectile"}}}
	if python != "" {
		for _, p := range []string{"mkl", "onednn"} {
			all = append(all, &provider{name: p, argv: []string{python, "torch_worker.py", p}})
		}
	}
	for _, b := range blas {
		name, rest, ok := strings.Cut(b, "=")
		at := strings.LastIndex(rest, ":")
		if !ok || at < 0 {
			return nil, fmt.Errorf("-blas %s: want name=LIBRARY:SYMBOL", b)
		}
		all = append(all, &provider{name: name, argv: []string{self, "worker", "blas", rest[:at], rest[at+1:]}})
	}
	for _, w := range extra {
		name, command, ok := strings.Cut(w, "=")
		if !ok {
			return nil, fmt.Errorf("-worker %s: want name=COMMAND", w)
		}
		all = append(all, &provider{name: name, argv: strings.Fields(command)})
	}
	for _, name := range goLibraries {
		all = append(all, &provider{name: name, argv: []string{self, "worker", name}, slow: true, most: slow})
	}
	for _, e := range env {
		name, kv, ok := strings.Cut(e, ":")
		if !ok {
			return nil, fmt.Errorf("-env %s: want name:KEY=VALUE", e)
		}
		for _, p := range all {
			if p.name == name {
				p.env = append(p.env, kv)
			}
		}
	}
	return all, nil
}

// worker is a provider's process.
type worker struct {
	*provider
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func (p *provider) start(threads int) (*worker, error) {
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Env, cmd.Stderr = append(os.Environ(), p.env...), os.Stderr
	for _, v := range []string{"GOMAXPROCS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"} {
		cmd.Env = append(cmd.Env, v+"="+strconv.Itoa(threads))
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	return &worker{p, cmd, in, bufio.NewScanner(out)}, nil
}

// ask sends a request; no times means that the provider cannot serve it.
func (w *worker) ask(request string) ([]float64, error) {
	if _, err := fmt.Fprintln(w.in, request); err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	if !w.out.Scan() {
		return nil, fmt.Errorf("%s ended without an answer to %q", w.name, request)
	}
	var times []float64
	for _, f := range strings.Fields(w.out.Text()) {
		t, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, nil // err REASON
		}
		times = append(times, t)
	}
	return times, nil
}

func (w *worker) stop() {
	w.in.Close()
	w.cmd.Wait()
}
