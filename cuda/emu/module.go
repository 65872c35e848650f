package emu

import (
	"regexp"

	"github.com/sectile-ml/sectile/cuda/driver"
)

var entryName = regexp.MustCompile(`\.entry\s+([\w$]+)`)

func (d *Driver) ModuleLoadData(ptx string) (driver.Module, string, error) {
	const call = "cuModuleLoadDataEx"
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.useFree(call)
	if err != nil {
		return 0, "", err
	}
	if d.c.NoJIT {
		return 0, "", fail(call, driver.JITCompilerNotFound, "")
	}
	file := "module.ptx"
	if m := entryName.FindStringSubmatch(ptx); m != nil {
		file = m[1] + ".ptx"
	}
	m, err := Parse(file, ptx)
	if err != nil {
		return 0, err.Error(), fail(call, driver.InvalidPTX, "%v", err)
	}
	if need := m.needs(); d.c.Version < need {
		return 0, "", fail(call, driver.UnsupportedPTXVersion, "driver too old: PTX %d.%d needs CUDA %d.%d, the driver is of %d.%d",
			m.Version/10, m.Version%10, need/1000, need%1000/10, d.c.Version/1000, d.c.Version%1000/10)
	}
	if have := d.c.Capability[0]*10 + d.c.Capability[1]; have < m.Target {
		return 0, "", fail(call, driver.NoBinaryForGPU, "the kernels need compute capability %d.%d, the device has %d.%d", m.Target/10, m.Target%10, have/10, have%10)
	}
	if !m.link(dev.mem) {
		return 0, "", fail(call, driver.OutOfMemory, "")
	}
	h := driver.Module(d.next())
	d.modules[h] = &loaded{m, dev}
	return h, "", nil
}

// needs is the driver version that has the module's PTX version.
func (m *Module) needs() int {
	v := m.Version
	switch {
	case v >= 90:
		return 13000 + (v-90)*10
	case v >= 80:
		return 12000 + (v-80)*10
	case v >= 70:
		return 11000 + (v-70)*10
	}
	return 10000
}

// link gives .global and .const variables their memory.
func (m *Module) link(mem *memory) bool {
	for _, v := range m.globals {
		b := mem.alloc(max(v.size, 1), v.name)
		if b == nil {
			return false
		}
		v.addr = b.base
		b.fill(0, v.size, []byte{0})
		b.upload(0, v.init)
	}
	for _, e := range m.Entries {
		for _, f := range e.links {
			e.fill(f)
		}
	}
	return true
}

func (d *Driver) ModuleUnload(h driver.Module) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, ok := d.modules[h]
	if !ok {
		return fail("cuModuleUnload", driver.InvalidHandle, "no such module")
	}
	for k, f := range d.funcs {
		if f.e.module == m.m {
			delete(d.funcs, k)
		}
	}
	delete(d.modules, h)
	return nil
}

func (d *Driver) ModuleGetFunction(h driver.Module, name string) (driver.Function, error) {
	const call = "cuModuleGetFunction"
	d.mu.Lock()
	defer d.mu.Unlock()
	m, ok := d.modules[h]
	if !ok {
		return 0, fail(call, driver.InvalidHandle, "no such module")
	}
	e, ok := m.m.Entries[name]
	if !ok {
		return 0, fail(call, driver.NotFound, "no entry %s in the module; it has %v", name, m.m.Order)
	}
	f := driver.Function(d.next())
	d.funcs[f] = &function{e: e, dev: m.dev, maxDynamic: max(chipSharedBlock-e.sharedSize, 0)}
	return f, nil
}

func (d *Driver) function(call string, h driver.Function) (*function, error) {
	f, ok := d.funcs[h]
	if !ok {
		return nil, fail(call, driver.InvalidHandle, "no such function; its module may have been unloaded")
	}
	return f, nil
}

// FuncGetAttribute: registers are 0, the emulator allocates none.
func (d *Driver) FuncGetAttribute(a driver.FuncAttribute, h driver.Function) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.function("cuFuncGetAttribute", h)
	if err != nil {
		return 0, err
	}
	switch a {
	case driver.FuncMaxThreads:
		if m := f.e.MaxThread; m[0] > 0 {
			return int(m[0] * m[1] * m[2]), nil
		}
		return 1024, nil
	case driver.FuncSharedBytes:
		return f.e.sharedSize, nil
	case driver.FuncLocalBytes:
		return f.e.localBytes, nil
	case driver.FuncConstBytes, driver.FuncRegisters:
		return 0, nil
	case driver.FuncPTXVersion:
		return f.e.module.Target, nil
	case driver.FuncBinaryVersion:
		return d.c.Capability[0]*10 + d.c.Capability[1], nil
	case driver.FuncMaxDynamicShared:
		return f.maxDynamic, nil
	}
	return 0, fail("cuFuncGetAttribute", driver.InvalidValue, "the emulator does not know attribute %d", a)
}

func (d *Driver) FuncSetAttribute(h driver.Function, a driver.FuncAttribute, v int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.function("cuFuncSetAttribute", h)
	switch {
	case err != nil:
		return err
	case a != driver.FuncMaxDynamicShared:
		return fail("cuFuncSetAttribute", driver.InvalidValue, "attribute %d cannot be set", a)
	case v < 0 || v > chipSharedOptin-f.e.sharedSize:
		return fail("cuFuncSetAttribute", driver.InvalidValue, "%d bytes of dynamic shared memory: %s has %d static ones of at most %d", v, f.e.Name, f.e.sharedSize, chipSharedOptin)
	}
	f.maxDynamic = v
	return nil
}

func (d *Driver) OccupancyMaxActiveBlocksPerMultiprocessor(h driver.Function, threads, dynamic int) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.function("cuOccupancyMaxActiveBlocksPerMultiprocessor", h)
	if err != nil {
		return 0, err
	}
	if threads < 1 || threads > 1024 || dynamic < 0 {
		return 0, fail("cuOccupancyMaxActiveBlocksPerMultiprocessor", driver.InvalidValue, "%d threads, %d bytes", threads, dynamic)
	}
	return min(chipBlocks, chipThreads/((threads+31)/32*32), chipShared/(f.e.sharedSize+dynamic+chipReserved)), nil
}
