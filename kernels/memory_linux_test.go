package kernels

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLinuxMemory(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for _, c := range []struct {
		name string
		fs   fstest.MapFS
		want int64
	}{
		{"nothing readable", fstest.MapFS{}, 0},
		{"RAM", fstest.MapFS{"proc/meminfo": file("MemTotal:       1000 kB\nMemFree: 1 kB\n")}, 1000 << 10},
		{"version 2, parent is tighter", fstest.MapFS{
			"proc/meminfo":                     file("MemTotal: 1000 kB\n"),
			"proc/self/cgroup":                 file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max":     file("900000\n"),
			"sys/fs/cgroup/a/memory.max":       file("800000\n"),
			"sys/fs/cgroup/a/b/c/memory.max":   file("1\n"),
			"sys/fs/cgroup/other/b/memory.max": file("2\n"),
		}, 800000},
		{"version 2, no limit", fstest.MapFS{
			"proc/meminfo":                 file("MemTotal: 1000 kB\n"),
			"proc/self/cgroup":             file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max": file("max\n"),
		}, 1000 << 10},
		{"version 1, the host's path in a container", fstest.MapFS{
			"proc/meminfo":     file("MemTotal: 1000 kB\n"),
			"proc/self/cgroup": file("9:name=systemd:/\n4:memory:/docker/xyz\n0::/\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("700000\n"),
		}, 700000},
		{"version 1, no limit", fstest.MapFS{
			"proc/meminfo":     file("MemTotal: 1000 kB\n"),
			"proc/self/cgroup": file("4:memory:/\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"),
		}, 1000 << 10},
	} {
		if got := linuxMemory(c.fs); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestSmallMappingsStaySmall: a touched 64 KiB must not cost a huge page.
func TestSmallMappingsStaySmall(t *testing.T) {
	if debugMemory {
		t.Skip("memory is the Go heap's")
	}
	const each, n = 64 << 10, 256
	before := resident(t)
	for range n {
		m, err := hostAlloc(Float32, each/4)
		if err != nil {
			t.Fatal(err)
		}
		defer hostFree(m)
		clear(m.F32())
	}
	if got := resident(t) - before; got > 2*n*each {
		t.Errorf("%d allocations of %d KiB hold %d KiB", n, each>>10, got>>10)
	} else {
		t.Logf("%d allocations of %d KiB hold %d KiB", n, each>>10, got>>10)
	}
}

// resident is the memory of this process in RAM, in bytes.
func resident(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc: ", err)
	}
	_, s, _ := strings.Cut(string(b), "VmRSS:")
	var kib int
	if _, err := fmt.Sscan(s, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
