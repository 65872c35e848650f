package ptx

// FillF32 is y[i] = v.
var FillF32 = Entry("fill.ptx", "fill_f32", 256)
