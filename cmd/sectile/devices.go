package main

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/sectile-ml/sectile/kernels"
)

const deviceUsage = "`device` to train on: cpu, auto, cuda:0 or emu (PTX interpreted, for tests); sectile info lists them"

// defaultDevice is what trains when --device says nothing: SECTILE_DEVICE, or
// the CPU, which the published numbers were made on.
func defaultDevice() string { return cmp.Or(os.Getenv("SECTILE_DEVICE"), "cpu") }

// listDevices prints what --device can name, or why a kind has no device.
func listDevices(out io.Writer) {
	for _, d := range kernels.Devices()[1:] {
		text := d.Text
		if d.Err != nil {
			text = d.Err.Error()
		}
		fmt.Fprintf(out, "device   %s: %s\n", d.Name, text)
	}
}
