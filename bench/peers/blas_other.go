//go:build !((linux || darwin) && amd64)

package main

import "errors"

func openBLAS(file, symbol string) (library, error) {
	return nil, errors.New("BLAS libraries are opened on linux/amd64 and darwin/amd64 only")
}
