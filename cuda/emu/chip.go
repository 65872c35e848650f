package emu

import "github.com/sectile-ml/sectile/cuda/driver"

// The emulated chip is of the H100's size.
const (
	chipMultiprocessors       = 132
	chipThreads               = 2048 // of a multiprocessor
	chipBlocks                = 32
	chipShared                = 233472 // of a multiprocessor
	chipSharedBlock           = 49152
	chipSharedOptin           = 232448
	chipReserved              = 1024 // of shared memory, for each block
	chipRegisters             = 65536
	chipMemory          int64 = 80 << 30
)

var attributes = map[driver.Attribute]int{
	driver.MaxThreadsPerBlock:      1024,
	driver.MaxGridX:                1<<31 - 1,
	driver.MaxGridY:                65535,
	driver.MaxGridZ:                65535,
	driver.SharedPerBlock:          chipSharedBlock,
	driver.WarpSize:                32,
	driver.ClockRate:               1755000,
	driver.MultiprocessorCount:     chipMultiprocessors,
	driver.MemoryClockRate:         2619000,
	driver.MemoryBusWidth:          5120,
	driver.L2CacheSize:             50 << 20,
	driver.ThreadsPerMultiproc:     chipThreads,
	driver.SharedPerMultiproc:      chipShared,
	driver.RegistersPerMultiproc:   chipRegisters,
	driver.SharedPerBlockOptin:     chipSharedOptin,
	driver.ReservedSharedPerBlock:  chipReserved,
	driver.PageableMemoryAccess:    0,
	driver.ConcurrentManagedAccess: 1,
}
