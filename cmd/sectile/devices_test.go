//go:build !static

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// TestDeviceMistakes: a device that there is not is one line that says what to
// do, and leaves no folder behind.
func TestDeviceMistakes(t *testing.T) {
	out := filepath.Join(t.TempDir(), "runs")
	for _, c := range []struct{ device, want string }{
		{"tpu", `--device tpu: device "tpu" is not known to this program; give auto, cpu, cuda:0, emu:0`},
		{"emu:x", `"x" is no device number`},
		{"emu:7", "no device 7"},
	} {
		code, _, e := sectile(t, "pretrain", "swav", "--out", out, "--device", c.device)
		if code != 1 || !strings.Contains(e, c.want) || strings.Count(e, "\n") != 1 {
			t.Errorf("%s: code %d, %q", c.device, code, e)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a folder was made")
	}
}

func TestDefaultDevice(t *testing.T) {
	t.Setenv("SECTILE_DEVICE", "")
	if d := defaultDevice(); d != "cpu" {
		t.Errorf("%q", d)
	}
	t.Setenv("SECTILE_DEVICE", "tpu")
	if code, _, e := sectile(t, "pretrain", "swav", "--out", t.TempDir()); code != 1 || !strings.Contains(e, "--device tpu") {
		t.Errorf("code %d, %q", code, e)
	}
}

func TestListDevices(t *testing.T) {
	var b bytes.Buffer
	listDevices(&b)
	if s := b.String(); !strings.Contains(s, "device   cuda") || !strings.Contains(s, "device   emu:0: Sectile PTX emulator") {
		t.Errorf("%s", s)
	}
}

// TestAuto: auto trains where it can, and says once what it chose.
func TestAuto(t *testing.T) {
	b, why, err := kernels.OpenDevice("auto")
	if err != nil || !strings.HasPrefix(why, "auto chose "+b.Name()) {
		t.Fatalf("%q %v", why, err)
	}
	if d, ok := b.(interface{ Close() error }); ok {
		d.Close()
		t.Skip("there is a GPU here; the rest of this test is about none")
	}
	code, out, e := sectile(t, append(small(idxFolder(t, 40, 0), t.TempDir(), 1), "--device", "auto")...)
	if code != 0 || strings.Count(out, "device   auto chose cpu/") != 1 {
		t.Errorf("code %d, %s\n%s", code, out, e)
	}
}
