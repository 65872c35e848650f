package cuda

import (
	"fmt"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/ptx"
)

// code holds the modules and functions that were loaded: a file is compiled by
// the driver when its first kernel is used (15-105 ms by ptxas' figures, then
// from the driver's disk cache).
type code struct {
	d         *Device
	modules   map[string]driver.Module
	functions []function // by ptx.Kernel.Index
}

// function is a loaded kernel.
type function struct {
	driver.Function
	shared int // dynamic shared memory that it may ask for
	Attributes
}

// Attributes are what the driver's compiler made of a kernel.
type Attributes struct {
	Kernel    string
	Registers int // of a thread
	Expected  int // registers by the table of ptx.Registers, 0 unknown
	Local     int // bytes of a thread that did not fit registers
	Shared    int // static bytes of a block
	Threads   int // most threads of a block
}

func (c *code) init(d *Device) {
	c.d = d
	c.modules = map[string]driver.Module{}
	c.functions = make([]function, len(ptx.All()))
}

// freeShared is what any kernel may use without asking.
const freeShared = 48 << 10

// ready is the function for a launch with so much dynamic shared memory.
func (c *code) ready(k *ptx.Kernel, shared int) (driver.Function, error) {
	f, err := c.function(k)
	if err != nil {
		return 0, err
	}
	if shared > f.shared && shared+f.Shared > freeShared {
		if limit := c.d.info.SharedOptin; shared+f.Shared > limit {
			return 0, fmt.Errorf("kernel %s: %d bytes of shared memory, the device has %d a block", k.Name, shared+f.Shared, limit)
		}
		if err := c.d.api.FuncSetAttribute(f.Function, driver.FuncMaxDynamicShared, shared); err != nil {
			return 0, fmt.Errorf("kernel %s: %w", k.Name, err)
		}
		f.shared = shared
	}
	return f.Function, nil
}

// function loads a kernel at its first use.
func (c *code) function(k *ptx.Kernel) (*function, error) {
	if k.Index() >= len(c.functions) {
		c.functions = append(c.functions, make([]function, len(ptx.All())-len(c.functions))...)
	}
	f := &c.functions[k.Index()]
	if f.Function != 0 {
		return f, nil
	}
	m, ok := c.modules[k.File]
	if !ok {
		var log string
		var err error
		if m, log, err = c.d.api.ModuleLoadData(ptx.Text(k.File)); err != nil {
			if log != "" {
				log = "\n" + log
			}
			return nil, fmt.Errorf("%s: %w%s", k.File, err, log)
		}
		c.modules[k.File] = m
	}
	h, err := c.d.api.ModuleGetFunction(m, k.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: entry %s: %w", k.File, k.Name, err)
	}
	f.Attributes = Attributes{Kernel: k.Name}
	for _, a := range []struct {
		what driver.FuncAttribute
		to   *int
	}{{driver.FuncRegisters, &f.Registers}, {driver.FuncLocalBytes, &f.Local}, {driver.FuncSharedBytes, &f.Shared}, {driver.FuncMaxThreads, &f.Threads}} {
		if *a.to, err = c.d.api.FuncGetAttribute(a.what, h); err != nil {
			return nil, fmt.Errorf("kernel %s: %w", k.Name, err)
		}
	}
	if f.Threads < k.Block {
		return nil, fmt.Errorf("kernel %s: blocks of %d threads, the driver's code allows %d", k.Name, k.Block, f.Threads)
	}
	if f.Local > 0 {
		c.d.warn("kernel %s spills %d bytes a thread to local memory: this driver's compiler chose other registers than ptxas did here", k.Name, f.Local)
	}
	f.Expected = ptx.Registers(k.Name, 10*c.d.info.Major+c.d.info.Minor)
	if f.Expected > 0 && f.Registers > (f.Expected+7)/8*8 {
		c.d.warn("kernel %s takes %d registers a thread, %d by ptxas: fewer blocks may run at a time", k.Name, f.Registers, f.Expected)
	}
	f.Function = h
	return f, nil
}

func (c *code) release() {
	for _, m := range c.modules {
		c.d.api.ModuleUnload(m)
	}
	c.modules, c.functions = nil, nil
}

// Kernels lists the attributes of every kernel of the catalogue, which loads
// them all. Attributes of the emulator are zero where it has none.
func (d *Device) Kernels() ([]Attributes, error) {
	d.lock()
	defer d.unlock()
	var all []Attributes
	for _, k := range ptx.All() {
		f, err := d.code.function(k)
		if err != nil {
			return all, err
		}
		all = append(all, f.Attributes)
	}
	return all, nil
}
