package main

import (
	"cmp"
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
	Preset string            `json:"preset"`         // what fields that the file lacks are taken from
	Data   string            `json:"data"`           // embedded, or a path that data.Open opens
	Test   string            `json:"test,omitempty"` // images to judge by, where Data holds none
	Run    methods.RunConfig `json:"run"`

	clustersOfPreset bool // nobody asked for these numbers of clusters
}

// configFile is a config as it may be written: the method stood beside the run
// when there was but one.
type configFile struct {
	Method string `json:"method"`
	config
}

// renamed brings names of fields that files of before have to today's; others
// differ in capital letters at most, which JSON's reader takes for the same.
var renamed = strings.NewReplacer(`"GreyFirst"`, `"grey_first"`, `"FieldSize"`, `"field_size"`)

// embedded names the images that are part of the program.
const embedded = "embedded"

// presetConfig is a preset of a method on the embedded images.
func presetConfig(method, name string) (config, error) {
	run, err := methods.Preset(method, name)
	return config{Preset: name, Data: embedded, Run: run}, err
}

// readConfig reads a configuration: fields that it lacks come from its preset,
// demo if it names none, of its method, otherwise the one given; a field that
// does not exist is an error.
func readConfig(path, otherwise string) (config, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return config{}, fmt.Errorf("configuration: %w", err)
	}
	text := renamed.Replace(string(file))
	fail := func(err error) (config, error) {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			err = fmt.Errorf("field %q is a %s, want %s", typ.Field, typ.Value, typ.Type)
		}
		return config{}, fmt.Errorf("%s: %s; config.json in a run's folder shows every field", path, strings.TrimPrefix(err.Error(), "json: "))
	}
	var base struct {
		Method, Preset string
		Run            struct{ Method string }
	}
	if err := json.Unmarshal([]byte(text), &base); err != nil {
		return fail(err)
	}
	method := cmp.Or(base.Run.Method, base.Method, otherwise)
	if base.Method != "" && base.Method != method {
		return fail(fmt.Errorf("method %q, and in \"run\" %q: leave the first out", base.Method, method))
	}
	c, err := presetConfig(method, cmp.Or(base.Preset, "demo"))
	if err != nil {
		return fail(err)
	}
	read := configFile{config: c}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&read); err != nil {
		return fail(err)
	}
	if d.More() {
		return fail(errors.New("there is more behind the first value"))
	}
	read.Run.Method = method
	return read.config, nil
}

// readRun is the configuration of the run in a folder.
func readRun(dir string) (config, error) {
	c, err := readConfig(methods.Run{Dir: dir}.Config(), "swav")
	if errors.Is(err, os.ErrNotExist) {
		return c, fmt.Errorf("%s is no run's folder: it has no config.json; runs are in runs/METHOD-NNN unless --out said otherwise", dir)
	}
	return c, err
}

// pretrainFlags are the flags of pretrain.
type pretrainFlags struct {
	data, test           string
	preset, file         string
	out, resume, profile string
	device               string
	epochs, batch, judge int
	seed                 uint64
	rate                 float64
	machine              machineFlags
	given                map[string]bool
	settings             map[string]string // of the method, as they were typed
	notes                []string
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

// presetList names every method's presets.
func presetList() string {
	var s []string
	for _, m := range methods.MethodNames {
		s = append(s, m+" has "+strings.Join(methods.PresetNames(m), ", "))
	}
	return strings.Join(s, "; ")
}

func definePretrain(f *flag.FlagSet) *pretrainFlags {
	p := &pretrainFlags{given: map[string]bool{}, settings: map[string]string{}}
	f.StringVar(&p.data, "data", embedded, "`images` to learn from: a folder, zip or tar of JPEG, PNG or GIF files, CIFAR's or MNIST's binary files; or embedded: 10,000 of Fashion-MNIST")
	f.StringVar(&p.test, "test", "", "labelled `images` to judge by, in the same classes; default those of --data")
	f.StringVar(&p.preset, "preset", "demo", "`name` of the settings to begin with: "+presetList())
	f.StringVar(&p.file, "config", "", "JSON `file` with the settings, as config.json of a run; flags win over it")
	f.IntVar(&p.epochs, "epochs", 0, "`number` of passes over the images; default the preset's")
	f.IntVar(&p.batch, "batch", 0, "`number` of images a step; default the preset's")
	f.Uint64Var(&p.seed, "seed", 0, "`number` that decides everything random (default 0)")
	f.Float64Var(&p.rate, "lr", 0, "highest learning `rate`; 0: by rule; default the preset's, by rule for another --batch")
	defineSettings(f, p.settings)
	f.StringVar(&p.out, "out", "runs", "`folder` in which the run gets a folder of its own, METHOD-NNN")
	f.StringVar(&p.resume, "resume", "", "go on with the run in this `folder`")
	f.IntVar(&p.judge, "judge-every", 0, "`number` of epochs from one look at the encoder, by kNN and a linear classifier, to the next while it is trained; 0: none; default a tenth of the run")
	f.StringVar(&p.profile, "cpuprofile", "", "write a CPU profile to this `file`, for go tool pprof")
	f.StringVar(&p.device, "device", defaultDevice(), deviceUsage)
	p.machine.define(f)
	return p
}

// visit finds out which flags were given.
func (p *pretrainFlags) visit(f *flag.FlagSet) {
	f.Visit(func(f *flag.Flag) { p.given[f.Name] = true })
}

// config is the configuration that the flags ask for: a preset or a file,
// then single flags.
func (p *pretrainFlags) config(method string) (config, error) {
	if p.given["config"] && p.given["preset"] {
		return config{}, errors.New("--config and --preset: give one of them; a file may name its \"preset\"")
	}
	read := func() (config, error) { return presetConfig(method, p.preset) }
	if p.given["config"] {
		read = func() (config, error) { return readConfig(p.file, method) }
	}
	c, err := read()
	if err != nil {
		return c, err
	}
	if c.Run.Method != method {
		return c, fmt.Errorf("%s has settings of %s, not of %s", p.file, c.Run.Method, method)
	}
	if p.given["data"] {
		c.Data = p.data
	}
	if p.given["test"] {
		if c.Test, err = located(p.test); err != nil {
			return c, err
		}
	}
	if p.given["epochs"] {
		c.Run.Epochs = p.epochs
	}
	if p.given["batch"] {
		before := c.Run.Batch()
		if c.Run.SetBatch(p.batch); p.batch != before && c.Run.Optimizer.Rate != 0 && !p.given["lr"] {
			p.notes = append(p.notes, fmt.Sprintf("the learning rate of %g was written for batch %d: --lr 0 chooses one by rule", c.Run.Optimizer.Rate, before))
		}
		for _, queue := range []*int{&c.Run.MoCo.Queue, &c.Run.PCL.Queue} {
			if p.batch > 0 && *queue%p.batch != 0 {
				*queue = 0 // automatic: it holds whole batches
			}
		}
	}
	if p.given["seed"] {
		c.Run.Seed = p.seed
	}
	if p.given["lr"] {
		c.Run.Optimizer.Rate = p.rate
	}
	if err := applySettings(&c.Run, p.settings); err != nil {
		return c, err
	}
	if c.Data, err = located(c.Data); err != nil {
		return c, err
	}
	c.clustersOfPreset = method == "pcl" && !p.given["config"] && !p.given["clusters"]
	return c, c.Run.Validate()
}

// resumed is the configuration of the run to go on with. Only what changes no
// number may be given beside it, and where the data lies now.
func (p *pretrainFlags) resumed(method string) (config, error) {
	fixed := []string{"preset", "config", "epochs", "batch", "seed", "lr", "out"}
	for _, s := range settings() {
		fixed = append(fixed, s.name)
	}
	for _, name := range fixed {
		if p.given[name] {
			return config{}, fmt.Errorf("--resume goes on with the settings that %s began with: leave --%s out, or start a new run", p.resume, name)
		}
	}
	c, err := readRun(p.resume)
	if err == nil && c.Run.Method != method {
		return c, fmt.Errorf("%s was begun by %s: go on with sectile pretrain %s --resume %s", p.resume, c.Run.Method, c.Run.Method, p.resume)
	}
	if err == nil && p.given["test"] {
		c.Test, err = located(p.test)
	}
	if err == nil && p.given["data"] {
		c.Data, err = located(p.data)
	}
	return c, err
}

// located is a path that holds from any folder.
func located(from string) (string, error) {
	if from == embedded {
		return from, nil
	}
	return filepath.Abs(from)
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
