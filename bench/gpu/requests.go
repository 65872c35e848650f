package main

import "fmt"

// requests of a part, in the order of their worth; tiny ones are for the
// emulator.
func requests(part string, tiny bool) []string {
	switch part {
	case "gemm":
		return gemmRequests(tiny)
	case "conv":
		return convRequests(tiny)
	case "passes":
		return passRequests(tiny)
	case "train":
		if tiny {
			return []string{"train small8 2"}
		}
		return []string{"train resnet50 256", "train resnet18c 512", "train resnet50 64", "train resnet50 128"}
	case "profile":
		if tiny {
			return []string{"train small8 2"}
		}
		return []string{"train resnet50 128", "train resnet18c 512"}
	case "ssl":
		if tiny {
			return []string{"ssl swav small8 2", "ssl pcl small8 2"}
		}
		return []string{"ssl swav resnet50 64", "ssl pcl resnet50 64", "ssl swav resnet18c 256", "ssl pcl resnet18c 256"}
	case "predict":
		return smallRequests()
	}
	return nil
}

func gemmRequests(tiny bool) []string {
	if tiny {
		return []string{"gemm 64 64 32", "gemm 33 17 20 tn"}
	}
	all := []string{"gemm 4096 4096 4096", "gemm 8192 8192 8192", "gemm 2048 2048 2048", "gemm 1024 1024 1024"}
	for _, trans := range []string{"nt", "tn", "tt"} {
		all = append(all, "gemm 4096 4096 4096 "+trans)
	}
	// SwAV's scores and PCL's queue, a layer's 1x1 with its batch norm in the
	// loader and statistics of what it stores.
	return append(all, "gemm 512 3000 128 nt", "gemm 256 65536 128 nt", "gemm 802816 64 256 nt affine stats", "gemm 802816 256 64 nt affine stats", "gemm 802816 64 256 bn")
}

// convRequests are layers of ResNet-50 at batch 64 and of CIFAR ResNet-18 at
// batch 512.
func convRequests(tiny bool) []string {
	layers := []string{
		"64 56 56 64 64 3 1 1", "64 28 28 128 128 3 1 1", "64 14 14 256 256 3 1 1", "64 7 7 512 512 3 1 1",
		"64 56 56 128 128 3 2 1", "64 56 56 256 64 1 1 0", "64 14 14 1024 256 1 1 0", "64 56 56 256 512 1 2 0",
		"512 32 32 64 64 3 1 1", "512 8 8 256 256 3 1 1",
	}
	stem := "64 224 224 3 64 7 2 3"
	if tiny {
		layers, stem = []string{"2 6 6 8 8 3 1 1"}, "1 8 8 3 8 3 1 1"
	}
	var all []string
	for _, l := range layers {
		for _, pass := range []string{"fwd", "dx", "dw"} {
			all = append(all, fmt.Sprintf("conv %s %s", pass, l))
		}
	}
	all = append(all, "conv fwd "+stem, "conv dw "+stem)
	// As a training step calls them: batch norm in the loaders, statistics of
	// what is stored.
	for _, l := range layers[:min(2, len(layers))] {
		all = append(all, "conv fwd "+l+" affine stats", "conv dx "+l+" bn", "conv dw "+l+" affine bn")
	}
	return all
}

func passRequests(tiny bool) []string {
	shape, wide := "200704 256", "802816 64" // 205 MB an operand: four times the second cache
	if tiny {
		shape = "336 32"
	}
	var all []string
	for _, p := range passes {
		all = append(all, fmt.Sprintf("pass %s %s", p.name, shape))
	}
	if !tiny {
		for _, n := range []string{"channel_stats", "bn_apply", "bn_reduce", "bn_backward"} {
			all = append(all, fmt.Sprintf("pass %s %s", n, wide))
		}
	}
	return all
}

// smallRequests take every kernel once, with tails.
func smallRequests() []string {
	var all []string
	for _, p := range passes {
		all = append(all, fmt.Sprintf("pass %s 336 128", p.name))
	}
	for _, p := range passes {
		all = append(all, fmt.Sprintf("pass %s 180 35", p.name))
	}
	for _, s := range []string{"40 24 20", "72 70 40", "192 200 48", "700 700 16", "1400 1400 16"} { // tiles of 32, 64, 128
		all = append(all, "gemm "+s, "gemm "+s+" nt", "gemm "+s+" tn", "gemm "+s+" tt",
			"gemm "+s+" affine stats", "gemm "+s+" nt affine", "gemm "+s+" bn", "gemm "+s+" nt bn")
	}
	all = append(all, "gemm 48 40 1536") // k in parts
	for _, l := range []string{"2 9 7 8 16 3 1 1", "2 9 9 16 72 3 2 1", "1 12 11 3 16 3 1 1", "2 6 6 24 40 1 1 0", "3 12 12 32 130 3 1 1"} {
		all = append(all, "conv fwd "+l, "conv fwd "+l+" affine stats", "conv dx "+l, "conv dx "+l+" bn",
			"conv dw "+l, "conv dw "+l+" affine", "conv dw "+l+" bn", "conv dw "+l+" affine bn")
	}
	for _, l := range []string{"1 84 84 4 64 3 1 1", "1 118 118 4 128 3 1 1"} { // rows enough for tiles of 64 and 128
		all = append(all, "conv fwd "+l, "conv fwd "+l+" affine stats")
	}
	for _, l := range []string{"1 84 84 64 4 3 1 1", "1 118 118 128 4 3 1 1"} {
		all = append(all, "conv dx "+l, "conv dx "+l+" bn")
	}
	for _, l := range []string{"1 4 4 77 700 3 1 1", "1 4 4 155 1400 3 1 1"} {
		all = append(all, "conv dw "+l, "conv dw "+l+" affine", "conv dw "+l+" bn", "conv dw "+l+" affine bn")
	}
	return all
}
