package kernels

// softmaxRows is the table of exponential row kernels.
var softmaxRows = register([]softmaxRow{
	goSoftmax,
})
