package nn

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestSoak: once a few steps have touched what there is to touch, the resident
// size stays within 1 % over many more.
func TestSoak(t *testing.T) {
	if os.Getenv("SECTILE_SOAK") == "" {
		t.Skip("500 steps of small8 and 20 of resnet18c take a minute or two: set SECTILE_SOAK=1 (.ci/run does)")
	}
	for _, c := range []struct {
		net         string
		batch, size int
		warm, steps int
	}{{"small8", 128, 28, 20, 500}, {"resnet18c", 128, 32, 2, 20}} {
		t.Run(c.net, func(t *testing.T) {
			s := newNetTrainer(t, backend(t), c.net, c.batch, c.size)
			defer s.tape.Release()
			for range c.warm {
				s.step()
			}
			from := residentKB(t)
			for range c.steps {
				s.step()
			}
			if to := residentKB(t); to < 0.99*from || to > 1.01*from {
				t.Errorf("%.0f kB resident after %d steps, %.0f kB before", to, c.steps, from)
			}
		})
	}
}

// residentKB is VmRSS of this process.
func residentKB(t *testing.T) float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb
		}
	}
	t.Fatal("no VmRSS in /proc/self/status")
	return 0
}
