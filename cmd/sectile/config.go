package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sectile-ml/sectile/methods"
)

// config is all that decides about the numbers of a run. It is config.json of
// the run's folder and the file of --config.
type config struct {
	Method string          `json:"method"`
	Preset string          `json:"preset"` // what fields that the file lacks are taken from
	Data   string          `json:"data"`   // embedded, or a folder of IDX files
	Run    methods.SwAVRun `json:"run"`
}

// embedded names the images that are part of the program.
const embedded = "embedded"

// presetConfig is a preset on the embedded images.
func presetConfig(name string) (config, error) {
	run, err := methods.Presets(name)
	return config{Method: "swav", Preset: name, Data: embedded, Run: run}, err
}

// readConfig reads a configuration: fields that it lacks come from its preset,
// demo if it names none; a field that does not exist is an error.
func readConfig(path string) (config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return config{}, fmt.Errorf("configuration: %w", err)
	}
	fail := func(err error) (config, error) {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			err = fmt.Errorf("field %q is a %s, want %s", typ.Field, typ.Value, typ.Type)
		}
		return config{}, fmt.Errorf("%s: %s; config.json in a run's folder shows every field", path, strings.TrimPrefix(err.Error(), "json: "))
	}
	base := struct {
		Preset string `json:"preset"`
	}{"demo"}
	if err := json.Unmarshal(text, &base); err != nil {
		return fail(err)
	}
	c, err := presetConfig(base.Preset)
	if err != nil {
		return fail(err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return fail(err)
	}
	if c.Method != "swav" {
		return fail(fmt.Errorf("method %q; there is swav", c.Method))
	}
	return c, nil
}

// pretrainFlags are the flags of pretrain.
type pretrainFlags struct {
	data, preset, file   string
	out, resume, profile string
	epochs, batch        int
	seed                 uint64
	rate                 float64
	machine              machineFlags
	given                map[string]bool
}

// machineFlags are what a command may take of the machine. They change no
// number.
type machineFlags struct {
	threads int
	memory  string
}

func (m *machineFlags) define(f *flag.FlagSet) {
	f.IntVar(&m.threads, "threads", 0, "`number` of threads; 0: all CPUs that the process may use")
	f.StringVar(&m.memory, "memory", "", "bound on the memory of tensors, a `size` as 4GiB; default 80 % of the system's")
}

func definePretrain(f *flag.FlagSet) *pretrainFlags {
	p := &pretrainFlags{given: map[string]bool{}}
	f.StringVar(&p.data, "data", embedded, "a `folder` of IDX files, or embedded: 10,000 images of Fashion-MNIST")
	f.StringVar(&p.preset, "preset", "demo", "`name` of the settings to begin with: demo, paper-small or cifar")
	f.StringVar(&p.file, "config", "", "JSON `file` with the settings, as config.json of a run; flags win over it")
	f.IntVar(&p.epochs, "epochs", 0, "`number` of passes over the images; default the preset's")
	f.IntVar(&p.batch, "batch", 0, "`number` of images a step; default the preset's")
	f.Uint64Var(&p.seed, "seed", 0, "`number` that decides everything random (default 0)")
	f.Float64Var(&p.rate, "lr", 0, "highest learning `rate`; default the preset's")
	f.StringVar(&p.out, "out", "runs", "`folder` in which the run gets a folder of its own, METHOD-NNN")
	f.StringVar(&p.resume, "resume", "", "go on with the run in this `folder`")
	f.StringVar(&p.profile, "cpuprofile", "", "write a CPU profile to this `file`, for go tool pprof")
	p.machine.define(f)
	return p
}

// config is the configuration that the flags ask for: a preset or a file,
// then single flags.
func (p *pretrainFlags) config() (config, error) {
	if p.given["config"] && p.given["preset"] {
		return config{}, errors.New("--config and --preset: give one of them; a file may name its \"preset\"")
	}
	read := func() (config, error) { return presetConfig(p.preset) }
	if p.given["config"] {
		read = func() (config, error) { return readConfig(p.file) }
	}
	c, err := read()
	if err != nil {
		return c, err
	}
	if p.given["data"] {
		c.Data = p.data
	}
	if p.given["epochs"] {
		c.Run.Epochs = p.epochs
	}
	if p.given["batch"] {
		c.Run.SwAV.Batch = p.batch
	}
	if p.given["seed"] {
		c.Run.Seed = p.seed
	}
	if p.given["lr"] {
		c.Run.Optimizer.Rate = p.rate
	}
	if c.Data != embedded {
		if c.Data, err = filepath.Abs(c.Data); err != nil {
			return c, err
		}
	}
	return c, c.Run.Validate()
}

// resumed is the configuration of the run to go on with. Only what changes no
// number may be given beside it, and where the data lies now.
func (p *pretrainFlags) resumed() (config, error) {
	for _, name := range []string{"preset", "config", "epochs", "batch", "seed", "lr", "out"} {
		if p.given[name] {
			return config{}, fmt.Errorf("--resume goes on with the settings that %s began with: leave --%s out, or start a new run", p.resume, name)
		}
	}
	c, err := readConfig(methods.Run{Dir: p.resume}.Config())
	if errors.Is(err, os.ErrNotExist) {
		return c, fmt.Errorf("%s is no run's folder: it has no config.json; runs are in %s/METHOD-NNN unless --out said otherwise", p.resume, p.out)
	}
	if err == nil && p.given["data"] {
		c.Data, err = filepath.Abs(p.data)
	}
	return c, err
}

// parseBytes reads a size: a number with B, KiB, MiB, GiB, KB, MB, GB or
// nothing behind it.
func parseBytes(s string) (int64, error) {
	unit := 1.0
	number := s
	for _, u := range []struct {
		name string
		size float64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			number, unit = rest, u.size
			break
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(n > 0) || n*unit > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is no size: write 4GiB or 512MiB", s)
	}
	return int64(n * unit), nil
}
