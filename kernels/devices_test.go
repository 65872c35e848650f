package kernels

import (
	"errors"
	"strings"
	"testing"
)

type namedBackend struct {
	Ref64
	name string
}

func (b namedBackend) Name() string { return b.name }

func TestDevices(t *testing.T) {
	saved := devices.kinds
	defer func() { devices.kinds = saved }()
	devices.kinds = nil
	if _, why, err := OpenDevice("auto"); err != nil || !strings.Contains(why, "built without other devices") {
		t.Errorf("no kinds: %q, %v", why, err)
	}
	broken := true
	RegisterDevices(DeviceKind{Name: "toy", List: func() ([]string, error) { return []string{"one"}, nil },
		Open: func(int) (Backend, error) { return namedBackend{name: "toy:0"}, nil }})
	RegisterDevices(DeviceKind{Name: "gpu", Auto: true,
		List: func() ([]string, error) { return nil, errors.New("no driver") },
		Open: func(n int) (Backend, error) {
			if broken || n > 1 {
				return nil, errors.New("no driver;\ninstall it")
			}
			return namedBackend{name: "gpu:" + string(rune('0'+n))}, nil
		}})
	if _, why, err := OpenDevice("auto"); err != nil || !strings.Contains(why, "auto chose cpu/") || !strings.HasSuffix(why, ": no driver;; install it") {
		t.Errorf("%q, %v", why, err)
	}
	broken = false
	for name, want := range map[string]string{"auto": "gpu:0", "gpu": "gpu:0", "gpu:1": "gpu:1", "toy": "toy:0"} {
		b, why, err := OpenDevice(name)
		if err != nil || b.Name() != want || (why != "") != (name == "auto") {
			t.Errorf("%s: %v, %q, %v", name, b, why, err)
		}
	}
	if b, why, err := OpenDevice("cpu"); err != nil || why != "" || !strings.HasPrefix(b.Name(), "cpu/") {
		t.Errorf("cpu: %v, %q, %v", b, why, err)
	}
	for name, want := range map[string]string{"gpu:2": "no driver", "gpu:x": `"x" is no device number`, "tpu": "give auto, cpu, toy:0, gpu:0"} {
		if _, _, err := OpenDevice(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	all := Devices()
	if len(all) != 3 || all[0].Name != "cpu" || all[1].Name != "toy:0" || all[2].Err == nil {
		t.Errorf("%v", all)
	}
	for _, name := range []string{"gpu", "cpu", "auto", "a:b"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q: no panic", name)
				}
			}()
			RegisterDevices(DeviceKind{Name: name})
		}()
	}
}
