module github.com/sectile-ml/sectile

go 1.25.0

require (
	github.com/ebitengine/purego v0.11.2
	github.com/klauspost/cpuid/v2 v2.4.2
	golang.org/x/sys v0.47.0
)
