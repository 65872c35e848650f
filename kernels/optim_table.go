package kernels

// optimRows is the table of optimizer kernels.
var optimRows = register([]optimRow{
	goOptim,
})
