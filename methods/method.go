package methods

import (
	"context"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/nn"
)

// Method is an algorithm that a Trainer drives. The Trainer calls, for each
// step, BeforeStep, Loss (on an open tape), then runs the tape, moves the
// weights, and calls AfterStep.
//
// What a step changes besides weights, it changes by ops on the tape; what it
// leaves alone, it freezes in BeforeStep (autograd.Param.Frozen), so that no
// gradient is computed only to be dropped.
type Method interface {
	// EpochStart runs before the first step of an epoch: an E-step, for the
	// methods that have one.
	EpochStart(ctx context.Context, epoch int) error
	// BeforeStep prepares a step and names its kind: steps of one kind record
	// the same ops. It allocates nothing.
	BeforeStep(at Step) (kind string)
	// Loss records the step on p's tape and returns the scalar to minimise.
	// views are a batch's, one for each resolution.
	Loss(p *nn.Pass, views []*autograd.Var) *autograd.Var
	// AfterStep runs once the weights have moved.
	AfterStep()
	// State lists every named tensor that outlives a step: what has a Grad is
	// trained, everything is in a checkpoint.
	State() []*autograd.Param
	// Loaded says that State now holds a checkpoint's values.
	Loaded() error
	// Encoder is the network that is kept and judged.
	Encoder() Encoder
}

// Indexed is a Method whose step depends on which images it sees. The Trainer
// calls Indexes before BeforeStep, with the images' numbers in the source; the
// slice is the method's only until it returns.
type Indexed interface{ Indexes(images []int) }

// Encoder turns images [N,H,W,C] into features [N,Features()].
type Encoder interface {
	nn.Module
	Features() int
}

// Step is a place in a run. Epochs count from 0, iterations from 0 over the
// whole run; texts for people count both from 1.
type Step struct{ Epoch, Iteration int }
