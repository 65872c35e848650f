package kernels

import (
	"math"
	"unsafe"
)

// goMap is the Go row of the table "vec": one plain loop a function, products
// rounded before they are added.
var goMap = [mapOps]mapFn{
	MapCopy: goCopy,
	MapFill: func(n int, dst, a, b *float32, s, t float32) {
		d := unsafe.Slice(dst, n)
		for i := range d {
			d[i] = s
		}
	},
	MapScale: func(n int, dst, a, b *float32, s, t float32) {
		d, x := unsafe.Slice(dst, n), unsafe.Slice(a, n)
		for i := range d {
			d[i] = s * x[i]
		}
	},
	MapAdd: func(n int, dst, a, b *float32, s, t float32) {
		d, x, y := unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
		for i := range d {
			d[i] = x[i] + y[i]
		}
	},
	MapSub: func(n int, dst, a, b *float32, s, t float32) {
		d, x, y := unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
		for i := range d {
			d[i] = x[i] - y[i]
		}
	},
	MapMul: goMul,
	MapDiv: func(n int, dst, a, b *float32, s, t float32) {
		d, x, y := unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
		for i := range d {
			d[i] = x[i] / y[i]
		}
	},
	MapAXPY: func(n int, dst, a, b *float32, s, t float32) {
		d, x, y := unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
		for i := range d {
			d[i] = float32(s*x[i]) + y[i]
		}
	},
	MapAXPBY: func(n int, dst, a, b *float32, s, t float32) {
		d, x, y := unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
		for i := range d {
			d[i] = float32(s*x[i]) + float32(t*y[i])
		}
	},
	MapReLU: func(n int, dst, a, b *float32, s, t float32) {
		d, x := unsafe.Slice(dst, n), unsafe.Slice(a, n)
		for i := range d {
			v := x[i]
			if v < 0 {
				v = 0
			}
			d[i] = v
		}
	},
	MapReLUGrad: func(n int, dst, a, b *float32, s, t float32) {
		d, x, y := unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
		for i := range d {
			v := x[i]
			if !(y[i] > 0) {
				v = 0
			}
			d[i] = v
		}
	},
	MapExp: func(n int, dst, a, b *float32, s, t float32) {
		d, x := unsafe.Slice(dst, n), unsafe.Slice(a, n)
		for i := range d {
			d[i] = exp32(x[i])
		}
	},
	MapLog: func(n int, dst, a, b *float32, s, t float32) {
		d, x := unsafe.Slice(dst, n), unsafe.Slice(a, n)
		for i := range d {
			d[i] = log32(x[i])
		}
	},
	MapSqrt: func(n int, dst, a, b *float32, s, t float32) {
		d, x := unsafe.Slice(dst, n), unsafe.Slice(a, n)
		for i := range d {
			d[i] = float32(math.Sqrt(float64(x[i])))
		}
	},
	MapAffine: func(n int, dst, a, b *float32, s, t float32) {
		d, x := unsafe.Slice(dst, n), unsafe.Slice(a, n)
		for i := range d {
			d[i] = float32(s*x[i]) + t
		}
	},
	MapExpGrad: goMul,
}

// goCopy is MapCopy on every row: the runtime's memmove is as good as it gets.
func goCopy(n int, dst, a, b *float32, s, t float32) {
	copy(unsafe.Slice(dst, n), unsafe.Slice(a, n))
}

func goMul(n int, dst, a, b *float32, s, t float32) {
	d, x, y := unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
	for i := range d {
		d[i] = x[i] * y[i]
	}
}
