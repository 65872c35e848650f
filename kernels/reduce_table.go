package kernels

// reduceRows is the table of sums and maxima.
var reduceRows = register([]reduceRow{
	goReduce,
})
