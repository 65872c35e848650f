package main

import (
	"strings"
	"testing"
)

func TestDrifts(t *testing.T) {
	was, is := results{}, results{}
	for _, r := range []struct {
		into results
		text string
	}{
		{was, "goos: linux\nBenchmarkA/m=1-2 10 5 ns/op 80 %peak\nBenchmarkA/m=1-2 10 5 ns/op 90 %peak\nBenchmarkB-2 1 200 ns/op\n"},
		{is, "BenchmarkA/m=1-2 10 9 ns/op 68 %peak\nBenchmarkB-2 1 100 ns/op\nBenchmarkC-2 1 1 ns/op\nPASS\n"},
	} {
		if err := r.into.read(strings.NewReader(r.text)); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	report(&b, drifts(was, is), len(is), 5)
	want := `  -20.0 %        85 to       68 %peak    BenchmarkA/m=1-2
 +100.0 %       200 to      100 ns/op    BenchmarkB-2
geometric mean +26.5 % over 2 of 3 benchmarks, the others have no stored result; drifts under 5 % are not listed
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
