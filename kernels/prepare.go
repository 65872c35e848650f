package kernels

import "fmt"

// Workspace is the size in bytes of the Work memory that an op with these
// arguments (*GemmArgs or *ConvArgs) needs.
func (c *CPU) Workspace(args any) int {
	switch a := args.(type) {
	case *GemmArgs:
		return c.gemmWorkspace(a)
	case *ConvArgs:
		return c.convWorkspace(a)
	}
	panic(&ArgError{"Workspace", fmt.Sprintf("no op takes %T", args)})
}

// PreparedBytes is the size of a weight laid out for a.Pass.
func (c *CPU) PreparedBytes(a *PrepareArgs) int {
	if a.Pass == PassGemm {
		return c.gemmPreparedBytes(a)
	}
	return c.convPreparedBytes(a)
}

// Prepare lays a weight out as the rows that run a.Pass read it.
func (c *CPU) Prepare(a *PrepareArgs) {
	if a.Pass == PassGemm {
		c.gemmPrepare(a)
		return
	}
	c.convPrepare(a)
}
