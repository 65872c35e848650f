package kernels

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func TestHostAlloc(t *testing.T) {
	settle()
	for _, n := range []int{0, 1, 17, mapBytes/4 - 17, mapBytes / 4, 3 << 20} {
		before := HostBytes()
		m, err := hostAlloc(Float32, n)
		if err != nil {
			t.Fatal(err)
		}
		if uintptr(m.Host)&63 != 0 || m.IsNil() || m.Len != n {
			t.Errorf("%d elements: %+v", n, m)
		}
		for i, v := range m.F32() {
			if fresh := v == 0; fresh == debugMemory {
				t.Fatalf("%d elements: fresh element %d is %v, debug %v", n, i, v, debugMemory)
			}
			m.F32()[i] = 1
		}
		if got := HostBytes() - before; got < int64(4*n) || got > int64(4*n)+mapRound {
			t.Errorf("%d elements count %d bytes", n, got)
		}
		hostFree(m)
		if HostBytes() != before {
			t.Errorf("%d elements: %d bytes stay counted", n, HostBytes()-before)
		}
	}
	if _, err := hostAlloc(Float32, math.MaxInt); err == nil {
		t.Error("2^63 elements were granted")
	}
}

// TestPoison shows what the debug builds write: NaN in every float type.
func TestPoison(t *testing.T) {
	b := make([]float64, 4)
	m := F64Mem(b)
	poison(m.Host, m.Bytes())
	for i := range b {
		if !math.IsNaN(b[i]) || m.As(Float32).F32()[2*i] == m.As(Float32).F32()[2*i] {
			t.Fatalf("element %d is a number", i)
		}
	}
}

func TestFreedMemoryIsPoisoned(t *testing.T) {
	if !debugMemory {
		t.Skip("needs -race or -tags tensordebug")
	}
	m, _ := hostAlloc(Float32, 100)
	s := m.F32()
	clear(s)
	hostFree(m)
	for i, v := range s {
		if v == v {
			t.Fatalf("element %d is %v after Free", i, v)
		}
	}
}

func TestHostLimit(t *testing.T) {
	first := SetHostLimit(0)
	defer SetHostLimit(first)
	if runtime.GOOS == "linux" && first <= 0 {
		t.Error("no default limit")
	}
	SetHostLimit(3 << 20)
	_, err := hostAlloc(Float32, 1<<20)
	var me *MemoryError
	if !errors.As(err, &me) || me.Want < 4<<20 || !strings.Contains(err.Error(), "MiB wanted") {
		t.Fatalf("limit of 3 MiB more: %v", err)
	}
	SetHostLimit(HostBytes() + 3<<20)
	m, err := hostAlloc(Float32, 1<<17)
	if err != nil {
		t.Fatalf("within the limit: %v", err)
	}
	hostFree(m)
}

// TestLimitCollectsFirst: memory that only unreachable owners hold is freed
// before an allocation fails.
func TestLimitCollectsFirst(t *testing.T) {
	settle()
	defer SetHostLimit(SetHostLimit(HostBytes() + 5<<20))
	for range 20 {
		m, err := hostAlloc(Float32, 1<<18)
		if err != nil {
			t.Fatal(err)
		}
		owner := &struct{ p *int }{new(int)}
		runtime.AddCleanup(owner, hostFree, m)
	}
}

// settle waits until the cleanups of what other tests dropped have run.
func settle() {
	runtime.GC()
	for still := 0; still < 20; still++ {
		before := HostBytes()
		time.Sleep(time.Millisecond)
		if HostBytes() != before {
			still = 0
		}
	}
}

var sinkPointer unsafe.Pointer

// BenchmarkHostAlloc allocates, touches every page and frees.
func BenchmarkHostAlloc(b *testing.B) {
	for _, kib := range []int{4, 64, 512, 1024, 4096, 65536} {
		b.Run(fmt.Sprintf("KiB=%d", kib), func(b *testing.B) {
			for b.Loop() {
				m, err := hostAlloc(Float32, kib<<8)
				if err != nil {
					b.Fatal(err)
				}
				for s := m.F32(); len(s) > 1024; s = s[1024:] {
					s[0] = 1
				}
				sinkPointer = m.Host
				hostFree(m)
			}
		})
	}
}
