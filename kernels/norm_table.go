package kernels

var normRows = register([]normRow{normGo})
