package cuda

import (
	"fmt"
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/kernels"
)

// Alloc makes n elements of type t with undefined values. The error is a
// *kernels.MemoryError; when the device is out of memory its Cause is an
// *OutOfMemory that names the largest holders.
func (d *Device) Alloc(t kernels.DType, n int) (kernels.Mem, error) {
	d.lock()
	defer d.unlock()
	if n == 0 {
		return kernels.Mem{Type: t}, nil
	}
	if d.closed {
		return kernels.Mem{}, &kernels.MemoryError{Want: int64(n * t.Size()), Cause: fmt.Errorf("%s: used after Close", d.Name())}
	}
	p, err := d.pool.alloc(n*t.Size(), caller(t, n))
	if err != nil {
		return kernels.Mem{}, err
	}
	return kernels.Mem{Dev: uint64(p), Len: n, Type: t}, nil
}

// Free ends memory made by Alloc. Ops issued before may still use it: the next
// owner's ops come after them in the stream.
func (d *Device) Free(m kernels.Mem) {
	if m.IsNil() {
		return
	}
	d.lock()
	defer d.unlock()
	if d.closed {
		return
	}
	d.pool.free(driver.Ptr(m.Dev))
}

// Upload copies src to Float32 memory; src has been read when it returns.
func (d *Device) Upload(dst kernels.Mem, src []float32) {
	upload(d, "Upload", dst, kernels.Float32, src)
}

// UploadInts copies src to Int32 memory.
func (d *Device) UploadInts(dst kernels.Mem, src []int32) {
	upload(d, "UploadInts", dst, kernels.Int32, src)
}

// UploadFloat64 copies src to Float64 memory.
func (d *Device) UploadFloat64(dst kernels.Mem, src []float64) {
	upload(d, "UploadFloat64", dst, kernels.Float64, src)
}

// Download waits for the ops issued so far and copies Float32 memory to dst.
// It reports the device's first failure.
func (d *Device) Download(dst []float32, src kernels.Mem) error {
	return download(d, "Download", dst, src, kernels.Float32)
}

// DownloadInts copies Int32 memory to dst.
func (d *Device) DownloadInts(dst []int32, src kernels.Mem) error {
	return download(d, "DownloadInts", dst, src, kernels.Int32)
}

// DownloadFloat64 copies Float64 memory to dst.
func (d *Device) DownloadFloat64(dst []float64, src kernels.Mem) error {
	return download(d, "DownloadFloat64", dst, src, kernels.Float64)
}

// Copy copies dst.Len elements of equal type within the device.
func (d *Device) Copy(dst, src kernels.Mem) {
	check("Copy", dst, src.Type, src.Len)
	check("Copy", src, dst.Type, dst.Len)
	d.lock()
	defer d.unlock()
	if dst.Len == 0 || d.err != nil {
		return
	}
	d.region.add(d, command{kind: cmdCopy, dst: driver.Ptr(dst.Dev), src: driver.Ptr(src.Dev), bytes: dst.Bytes()}, nil, nil)
}

// check panics unless m is device memory of this type and length.
func check(op string, m kernels.Mem, t kernels.DType, n int) {
	switch {
	case m.Host != nil:
		panic(&kernels.ArgError{Op: op, Rule: "host memory given to a device"})
	case m.Type != t:
		panic(&kernels.TypeError{Want: t, Got: m.Type})
	case m.Len != n:
		panic(&kernels.ArgError{Op: op, Rule: fmt.Sprintf("%d elements against %d", n, m.Len)})
	}
}

func upload[T float32 | float64 | int32](d *Device, op string, dst kernels.Mem, t kernels.DType, src []T) {
	check(op, dst, t, len(src))
	d.lock()
	defer d.unlock()
	if len(src) == 0 || d.err != nil {
		return
	}
	d.stage.upload(d, driver.Ptr(dst.Dev), bytesOf(src))
}

func download[T float32 | float64 | int32](d *Device, op string, dst []T, src kernels.Mem, t kernels.DType) error {
	check(op, src, t, len(dst))
	d.lock()
	defer d.unlock()
	if err := d.sync(); err != nil {
		return err
	}
	to, p := bytesOf(dst), driver.Ptr(src.Dev)
	for len(to) > 0 {
		n := min(len(to), len(d.bounce))
		if d.fail(d.api.MemcpyDtoHAsync(unsafe.Pointer(&d.bounce[0]), p, n, d.compute)); d.err != nil {
			return d.err
		}
		if d.fail(d.api.StreamSynchronize(d.compute)); d.err != nil {
			return d.err
		}
		copy(to, d.bounce[:n])
		to, p = to[n:], p+driver.Ptr(n)
	}
	return nil
}

// bytesOf is a slice's memory.
func bytesOf[T float32 | float64 | int32](s []T) []byte {
	var z T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(z)))
}
