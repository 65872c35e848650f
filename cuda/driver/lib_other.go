//go:build !(linux && (amd64 || arm64)) && !(windows && amd64)

package driver

import "runtime"

// Open says that there is no driver for this system.
func Open() (API, error) {
	return nil, &Unavailable{Reason: "no CUDA driver for " + runtime.GOOS + "/" + runtime.GOARCH,
		Remedy: "NVIDIA makes one for Linux and Windows"}
}
