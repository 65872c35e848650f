module github.com/sectile-ml/sectile/cuda/gorgoniacu

go 1.25.0

require (
	github.com/sectile-ml/sectile v0.0.0
	gorgonia.org/cu v0.9.6
)

require (
	github.com/ebitengine/purego v0.11.2 // indirect
	github.com/google/uuid v1.1.1 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/sectile-ml/sectile => ../..
