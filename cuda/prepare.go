package cuda

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
)

// Workspace is the size in bytes of Work: the partial products of a split k, or
// the slots of statistics.
func (d *Device) Workspace(args any) int {
	switch a := args.(type) {
	case *kernels.GemmArgs:
		t := gemmTile(a)
		c := d.plan(&t)
		return t.bytes(&c)
	case *kernels.ConvArgs:
		most := 0
		for t := range convTiles(a) {
			c := d.plan(&t)
			most = max(most, t.bytes(&c))
		}
		return most
	}
	panic(&kernels.ArgError{Op: "Workspace", Rule: fmt.Sprintf("no op takes %T", args)})
}

// PreparedBytes is 0: the kernels read weights as they are.
func (d *Device) PreparedBytes(a *kernels.PrepareArgs) int { return 0 }

// Prepare does nothing.
func (d *Device) Prepare(a *kernels.PrepareArgs) {}
