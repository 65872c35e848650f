package kernels

import "unsafe"

// Ref64 is the float64 backend of the tests: its "Float32" memory is Float64
// and its ops are the generic references, one thread, no tricks. Gradient
// checks run on it, and every other backend is compared with it.
type Ref64 struct{}

// Name is "ref64".
func (Ref64) Name() string { return "ref64" }

// Alloc makes n elements; Float32 is held as Float64.
func (Ref64) Alloc(t DType, n int) (Mem, error) {
	if t == Float32 {
		t = Float64
	}
	return hostAlloc(t, n)
}

// Free ends memory made by Alloc.
func (Ref64) Free(m Mem) { hostFree(m) }

// Upload widens src into dst.
func (Ref64) Upload(dst Mem, src []float32) {
	checkLen("Upload", dst.Len, len(src))
	for i, d := 0, dst.F64(); i < len(d); i++ {
		d[i] = float64(src[i])
	}
}

// Download rounds src into dst.
func (Ref64) Download(dst []float32, src Mem) error {
	checkLen("Download", len(dst), src.Len)
	for i, v := range src.F64() {
		dst[i] = float32(v)
	}
	return nil
}

// UploadInts copies src into Int32 memory.
func (Ref64) UploadInts(dst Mem, src []int32) {
	checkLen("UploadInts", dst.Len, len(src))
	copy(dst.I32(), src)
}

// DownloadInts copies Int32 memory into dst.
func (Ref64) DownloadInts(dst []int32, src Mem) error {
	checkLen("DownloadInts", len(dst), src.Len)
	copy(dst, src.I32())
	return nil
}

// UploadFloat64 copies src into Float64 memory.
func (Ref64) UploadFloat64(dst Mem, src []float64) {
	checkLen("UploadFloat64", dst.Len, len(src))
	copy(dst.F64(), src)
}

// DownloadFloat64 copies Float64 memory into dst.
func (Ref64) DownloadFloat64(dst []float64, src Mem) error {
	checkLen("DownloadFloat64", len(dst), src.Len)
	copy(dst, src.F64())
	return nil
}

// Copy copies dst.Len elements.
func (Ref64) Copy(dst, src Mem) { hostCopy(dst, src) }

// Sync returns nil.
func (Ref64) Sync() error { return nil }

// Enter does nothing.
func (Ref64) Enter() {}

// Leave does nothing.
func (Ref64) Leave() {}

// Workspace is 0: the references need none.
func (Ref64) Workspace(args any) int { return 0 }

// PreparedBytes is 0: the references read plain weights.
func (Ref64) PreparedBytes(a *PrepareArgs) int { return 0 }

// Prepare does nothing.
func (Ref64) Prepare(a *PrepareArgs) {}

// hostBytesOf is the span as bytes.
func hostBytesOf(m Mem) []byte { return unsafe.Slice((*byte)(m.Host), m.Bytes()) }
