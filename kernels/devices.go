package kernels

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// DeviceKind is a family of devices that a package registers when a program
// imports it: package cuda registers "cuda".
type DeviceKind struct {
	Name string
	// List describes each device, by ordinal; the error says why there is none.
	List func() ([]string, error)
	// Open makes a backend of a device.
	Open func(ordinal int) (Backend, error)
	// Auto lets OpenDevice("auto") take the first device of this kind.
	Auto bool
}

var devices struct {
	sync.Mutex
	kinds []DeviceKind
}

// RegisterDevices makes a kind of device known to Devices and OpenDevice. It
// panics when the name is taken. Packages call it from init.
func RegisterDevices(k DeviceKind) {
	devices.Lock()
	defer devices.Unlock()
	if k.Name == "cpu" || k.Name == "auto" || strings.Contains(k.Name, ":") || slices.ContainsFunc(devices.kinds, func(o DeviceKind) bool { return o.Name == k.Name }) {
		panic(&ArgError{"RegisterDevices", strconv.Quote(k.Name) + " is not a new name"})
	}
	devices.kinds = append(devices.kinds, k)
}

func deviceKinds() []DeviceKind {
	devices.Lock()
	defer devices.Unlock()
	return slices.Clone(devices.kinds)
}

// DeviceInfo is a line of Devices.
type DeviceInfo struct {
	Name string // what OpenDevice takes: "cpu", "cuda:0"; of a kind without devices "cuda"
	Text string // what it is
	Err  error  // why the kind has no device
}

// Devices lists what OpenDevice can open: the CPU first, then the kinds that
// the program has imported.
func Devices() []DeviceInfo {
	all := []DeviceInfo{{Name: "cpu", Text: "this machine's processors"}}
	for _, k := range deviceKinds() {
		texts, err := k.List()
		if err != nil {
			all = append(all, DeviceInfo{Name: k.Name, Err: err})
			continue
		}
		for i, t := range texts {
			all = append(all, DeviceInfo{Name: fmt.Sprintf("%s:%d", k.Name, i), Text: t})
		}
	}
	return all
}

// OpenDevice opens a backend by name: "cpu", a kind ("cuda", its first
// device), a device ("cuda:1"), or "auto": the first device of a kind that
// allows it, else the CPU. why is a line on what auto chose and why, else
// empty. The CPU is Default's.
func OpenDevice(name string) (b Backend, why string, err error) {
	switch name {
	case "cpu":
		b, err = defaultCPU()
		return b, "", err
	case "auto":
		return openAuto()
	}
	kind, ordinal, numbered := strings.Cut(name, ":")
	n := 0
	if numbered {
		if n, err = strconv.Atoi(ordinal); err != nil || n < 0 {
			return nil, "", fmt.Errorf("device %q: %q is no device number; give %s", name, ordinal, deviceNames())
		}
	}
	for _, k := range deviceKinds() {
		if k.Name == kind {
			b, err = k.Open(n)
			return b, "", err
		}
	}
	return nil, "", fmt.Errorf("device %q is not known to this program; give %s", name, deviceNames())
}

func openAuto() (Backend, string, error) {
	var reasons []error
	for _, k := range deviceKinds() {
		if !k.Auto {
			continue
		}
		b, err := k.Open(0)
		if err == nil {
			return b, "auto chose " + b.Name(), nil
		}
		reasons = append(reasons, err)
	}
	b, err := defaultCPU()
	if err != nil {
		return nil, "", err
	}
	why := "auto chose " + b.Name() + ": this program was built without other devices"
	if len(reasons) > 0 {
		why = "auto chose " + b.Name() + ": " + errors.Join(reasons...).Error()
	}
	return b, strings.ReplaceAll(why, "\n", "; "), nil
}

// defaultCPU is Default as a Backend, nil when it fails.
func defaultCPU() (Backend, error) {
	c, err := Default()
	if err != nil {
		return nil, err
	}
	return c, nil
}

func deviceNames() string {
	names := []string{"auto", "cpu"}
	for _, k := range deviceKinds() {
		names = append(names, k.Name+":0")
	}
	return strings.Join(names, ", ")
}
