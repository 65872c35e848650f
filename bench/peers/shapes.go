package main

import "fmt"

// shape is one product: C [m,n] = A [m,k] * B [k,n], operands stored
// transposed where ta or tb says so.
type shape struct {
	name    string
	m, n, k int
	ta, tb  bool
}

func (s shape) flop() float64 { return 2 * float64(s.m) * float64(s.n) * float64(s.k) }

// request is the worker protocol's line; inner makes a time at least about 5 ms.
func (s shape) request(flopPerTime float64) string {
	bit := map[bool]int{true: 1}
	return fmt.Sprintf("gemm %d %d %d %d %d %d 2", s.m, s.n, s.k, bit[s.ta], bit[s.tb], max(1, int(flopPerTime/s.flop())))
}

// sets are the products of this field: 1x1 convolutions of ResNet-50 at batch
// 32, similarities with a memory queue and with prototypes, and the gradients.
var sets = map[string][]shape{
	"cubes": {
		cube(64), cube(128), cube(256), cube(384), cube(512), cube(768), cube(1024), cube(1536), cube(2048), cube(4096),
	},
	"resnet": {
		{name: "ResNet-50 56² 64→64", m: 100352, n: 64, k: 64},
		{name: "ResNet-50 56² 64→256", m: 100352, n: 256, k: 64},
		{name: "ResNet-50 28² 512→128", m: 25088, n: 128, k: 512},
		{name: "ResNet-50 14² 1024→256", m: 6272, n: 256, k: 1024},
		{name: "ResNet-50 7² 2048→512", m: 1568, n: 512, k: 2048},
		{name: "ResNet-50 7² 512→2048", m: 1568, n: 2048, k: 512},
	},
	"contrast": {
		{name: "queue", m: 256, n: 65536, k: 128},
		{name: "queue, B transposed", m: 256, n: 65536, k: 128, tb: true},
		{name: "small queue", m: 64, n: 4096, k: 128, tb: true},
		{name: "prototypes", m: 512, n: 3000, k: 128, tb: true},
		{name: "few prototypes", m: 384, n: 300, k: 128, tb: true},
	},
	"trans": {
		{name: "1024³, B transposed", m: 1024, n: 1024, k: 1024, tb: true},
		{name: "1024³, A transposed", m: 1024, n: 1024, k: 1024, ta: true},
		{name: "weight gradient", m: 64, n: 256, k: 100352, ta: true},
		{name: "input gradient", m: 100352, n: 64, k: 256, tb: true},
	},
}

func cube(n int) shape { return shape{name: fmt.Sprintf("%d³", n), m: n, n: n, k: n} }

func shapesOf(names []string) ([]shape, error) {
	var all []shape
	for _, n := range names {
		s, ok := sets[n]
		if !ok {
			return nil, fmt.Errorf("no set %q: cubes, resnet, contrast, trans", n)
		}
		all = append(all, s...)
	}
	return all, nil
}
