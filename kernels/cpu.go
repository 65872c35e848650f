package kernels

import (
	"fmt"
	"os"
	"sync"

	"github.com/sectile-ml/sectile/asm"
)

// CPU is the backend of this machine's processors: the tables' rows run by a
// team. It is safe for concurrent use; each family of ops keeps its rows and
// its reusable jobs in one embedded state, made by the family's file.
type CPU struct {
	team *Team
	pins Pins

	gemmState
	convState
	normState
	poolState
	softmaxState
	vecState
	reduceState
	optimState
}

// NewCPU makes a backend over a team with the rows that pins allow.
func NewCPU(team *Team, pins Pins) *CPU {
	c := &CPU{team: team, pins: pins}
	c.gemmState.init(c)
	c.convState.init(c)
	c.normState.init(c)
	c.poolState.init(c)
	c.softmaxState.init(c)
	c.vecState.init(c)
	c.reduceState.init(c)
	c.optimState.init(c)
	return c
}

// Default is one CPU backend over GOMAXPROCS threads, with the rows that
// SECTILE_KERNELS pins. The error names an unknown pin; it is the same on
// every call.
var Default = sync.OnceValues(func() (*CPU, error) {
	pins, err := ParsePins(os.Getenv("SECTILE_KERNELS"))
	if err != nil {
		return nil, err
	}
	return NewCPU(NewTeam(0), pins), nil
})

// Name is "cpu/" and the best instruction set that may run.
func (c *CPU) Name() string {
	isa := asm.Have()
	if c.pins.capped {
		isa &= c.pins.cap
	}
	switch {
	case isa&asm.AVX512 != 0:
		return "cpu/avx512"
	case isa&asm.AVX2 != 0:
		return "cpu/avx2"
	}
	return "cpu/go"
}

// Team is the team that runs the ops.
func (c *CPU) Team() *Team { return c.team }

// Alloc makes n elements of type t with undefined values.
func (c *CPU) Alloc(t DType, n int) (Mem, error) { return hostAlloc(t, n) }

// Free ends memory made by Alloc.
func (c *CPU) Free(m Mem) { hostFree(m) }

// Upload copies src into dst.
func (c *CPU) Upload(dst Mem, src []float32) {
	checkLen("Upload", dst.Len, len(src))
	copy(dst.F32(), src)
}

// Download copies src into dst; it never fails on the CPU.
func (c *CPU) Download(dst []float32, src Mem) error {
	checkLen("Download", len(dst), src.Len)
	copy(dst, src.F32())
	return nil
}

// UploadInts copies src into Int32 memory.
func (c *CPU) UploadInts(dst Mem, src []int32) {
	checkLen("UploadInts", dst.Len, len(src))
	copy(dst.I32(), src)
}

// DownloadInts copies Int32 memory into dst; it never fails.
func (c *CPU) DownloadInts(dst []int32, src Mem) error {
	checkLen("DownloadInts", len(dst), src.Len)
	copy(dst, src.I32())
	return nil
}

// UploadFloat64 copies src into Float64 memory.
func (c *CPU) UploadFloat64(dst Mem, src []float64) {
	checkLen("UploadFloat64", dst.Len, len(src))
	copy(dst.F64(), src)
}

// DownloadFloat64 copies Float64 memory into dst; it never fails.
func (c *CPU) DownloadFloat64(dst []float64, src Mem) error {
	checkLen("DownloadFloat64", len(dst), src.Len)
	copy(dst, src.F64())
	return nil
}

// Copy copies dst.Len elements.
func (c *CPU) Copy(dst, src Mem) { hostCopy(dst, src) }

// Sync returns nil: CPU ops are done when they return.
func (c *CPU) Sync() error { return nil }

// Enter wakes the team for a run of ops.
func (c *CPU) Enter() { c.team.Enter() }

// Leave lets the team rest.
func (c *CPU) Leave() { c.team.Leave() }

func hostCopy(dst, src Mem) {
	checkLen("Copy", dst.Len, src.Len)
	if dst.Type != src.Type {
		panic(&TypeError{Want: dst.Type, Got: src.Type})
	}
	copy(hostBytesOf(dst), hostBytesOf(src))
}

func checkLen(op string, dst, src int) {
	if dst != src {
		panic(&ArgError{op, fmt.Sprintf("%d elements into %d", src, dst)})
	}
}
