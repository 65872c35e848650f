package nn

import "github.com/sectile-ml/sectile/autograd"

// Pass is how modules run: the tape they record on and the mode. A step may
// hold several passes, MoCo's query pass and key pass for instance.
type Pass struct {
	Tape *autograd.Tape
	// Train makes batch norm use the batch's statistics and move the running
	// ones; without it the running ones are used. It says nothing about
	// gradients: those are the tape's affair (Begin, BeginNoGrad).
	Train bool
	// Groups > 1 takes batch statistics over that many equal parts of the
	// batch by themselves, part i being rows i·N/Groups and on: shuffle BN
	// (He et al. 2020, section 3.3) without several devices. 0 and 1 are the
	// whole batch.
	Groups int
	// Sync joins batch statistics over ranks; nil keeps them local. See
	// SyncBN.
	Sync autograd.Reducer
}
