// Package bench holds the benchmarks of the layers below it and what compares
// their results.
//
//	go test -bench=. ./bench            representative shapes, under 5 minutes on two cores
//	go test -bench=. ./bench -all       every shape and layer of the lists
//	go run ./bench/compare new.txt      drift of a run's output against results/
//	cd bench/peers && go run . -h       other libraries beside ours, a module of its own
//
// Names are key=value pairs that benchstat's -row and -col understand. Each
// benchmark measures for 0.1 s unless -benchtime says otherwise. GFLOP/s and
// %peak are medians over its calls; the peak is the multiply-add rate of the
// widest float32 instruction set on as many threads, the best of measurements
// before the first call and every 30 ms after it.
package bench
