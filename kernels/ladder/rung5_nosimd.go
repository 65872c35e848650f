//go:build !(goexperiment.simd && amd64 && go1.26 && !go1.27)

package ladder

// SIMD needs a build with simd/archsimd (rung5_simd.go).
func SIMD(m, n, k int, a, b, c []float32) { panic(skipSIMD()) }

func skipSIMD() string { return "built without GOEXPERIMENT=simd for Go 1.26 on amd64" }
