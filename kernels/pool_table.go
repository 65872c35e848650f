package kernels

var poolRows = register([]poolRow{poolGo})
