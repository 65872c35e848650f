// Package emu runs PTX text without a GPU: a functional interpreter behind
// the interface of package driver, so that every kernel and the whole host
// path are tested where there is no device.
//
//	d := emu.New(1)          // implements driver.API
//	...                      // load a module, launch, synchronise
//	d.Counters("gemm_f32")   // instructions, sectors, bank conflicts
//
// # What it finds
//
// A device that runs a wrong kernel often gives right numbers. Here a launch
// stops with a *Fault that names kernel, line, block, thread and address when
// it
//
//   - leaves its memory: buffers lie 64 MiB and more apart, shared arrays have
//     gaps between them, addresses are never used twice, freed memory is
//     remembered;
//   - accesses memory misaligned;
//   - reads what nobody has written: global, shared and local memory by the
//     byte, registers and predicates by the lane;
//   - races: two threads touch the same bytes, one writes, and no barrier (in a
//     block), no bar.warp.sync (in a warp) or nothing at all (between blocks)
//     orders them; also where cp.async data is touched before its wait;
//   - reaches a barrier without some of its threads, or names lanes in a mask
//     that are not there;
//   - divides by zero, never ends, or is launched with an argument block of the
//     wrong size, too many threads or too much shared memory.
//
// Reports are the same on every run, on any number of goroutines: a launch that
// fails in parallel is undone and run again block by block.
//
// The driver is as lazy as the real one may be: nothing in a stream runs before
// someone waits for it, and copies read pinned memory when they run, so that a
// forgotten synchronisation shows. A context belongs to the thread that made it
// current. Config makes drivers and devices that fail.
//
// # Limits
//
//   - No timing. Counters count; events measure the emulator.
//   - mma rounds the exact sum once, hardware adds in an order and with a
//     rounding of its own; ex2, lg2, sin, cos, tanh, rcp, rsqrt, sqrt and div
//     with .approx or .full are right to the last bit, or nearly, hardware to a
//     few units. Compare within bounds, never by bits.
//   - Memory is consistent. Fences order nothing for the race detector: a block
//     that hands data to another inside one launch by flag and fence is
//     reported unless every access is atomic, volatile or relaxed.
//   - Where lanes part, those earlier in the text run first. A lane that waits
//     in a loop for a lane of its own warp waits until Config.Limit.
//   - Threads that have ended count as missing at a barrier, which hardware
//     forgives; lanes of one warp may store different values to one address
//     only after bar.warp.sync.
//   - Not there: .func and call, textures, surfaces, mbarrier, TMA, wgmma,
//     clusters, float64 rounding other than .rn, %clock in cycles.
package emu
