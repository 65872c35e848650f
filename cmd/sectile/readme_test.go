package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/data/fashionmnist"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
)

// README: begin
func train(ctx context.Context, images data.Source, checkpoint string) error {
	backend, err := kernels.Default() // the CPU, all its threads
	if err != nil {
		return err
	}
	run, err := methods.Presets("demo") // a struct: change what you like, keep it as JSON
	if err != nil {
		return err
	}
	run.Epochs = 1
	trainer, err := run.New(backend, images)
	if err != nil {
		return err
	}
	if err := trainer.Train(ctx); err != nil { // stops between two steps when ctx ends
		return err
	}
	return trainer.Checkpoint(checkpoint) // safetensors with torchvision's names
}

func embed(ctx context.Context, images data.Source, checkpoint string) (methods.Features, error) {
	backend, err := kernels.Default()
	if err != nil {
		return methods.Features{}, err
	}
	run, err := methods.Presets("demo")
	if err != nil {
		return methods.Features{}, err
	}
	trainer, err := run.New(backend, images)
	if err != nil {
		return methods.Features{}, err
	}
	encoder := trainer.Method.Encoder()
	if _, err := nn.LoadWeights(checkpoint, "", encoder.State()); err != nil {
		return methods.Features{}, err
	}
	e := methods.Extractor{Tape: trainer.Tape, Views: trainer.Views, Short: 28, Size: 28, Batch: 256}
	features, _, err := e.Features(ctx, encoder, images)
	return features, err
}

// README: end

func Example() {
	all, err := fashionmnist.Load()
	if err != nil {
		panic(err)
	}
	images, _ := all.Split(512)
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx, checkpoint := context.Background(), filepath.Join(dir, "encoder.safetensors")
	if err := train(ctx, images, checkpoint); err != nil {
		panic(err)
	}
	features, err := embed(ctx, images, checkpoint)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d images, %d features each\n", features.N(), features.D)
	// Output: 512 images, 256 features each
}

// TestREADME: the Go code in README.md is the code that Example runs, and the
// files it names are there.
func TestREADME(t *testing.T) {
	readme := string(get(t, filepath.Join("..", "..", "README.md")))
	_, code, _ := strings.Cut(string(get(t, "readme_test.go")), "// README: begin\n")
	code, _, _ = strings.Cut(code, "\n// README: end")
	if block := "```go\n" + code + "```\n"; !strings.Contains(readme, block) {
		t.Errorf("README.md does not hold the code between the marks in readme_test.go:\n%s", block)
	}
	for i, part := range strings.Split(readme, "](")[1:] {
		name, _, _ := strings.Cut(part, ")")
		if strings.Contains(name, "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join("..", "..", name)); err != nil {
			t.Errorf("link %d: %v", i, err)
		}
	}
	for _, guide := range []string{"swav.md", "pcl.md", "step.md", "env.md"} {
		if !bytes.Contains([]byte(readme), []byte("docs/guide/"+guide)) {
			t.Errorf("README.md does not mention docs/guide/%s", guide)
		}
	}
}
