package kernels

// vecRows is the table of elementwise kernels.
var vecRows = register([]vecRow{
	{Kernel: Kernel{Op: "vec", Name: "go"}, Map: goMap},
})
