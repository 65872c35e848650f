package methods

import "github.com/sectile-ml/sectile/autograd"

// observed are the values of a step that a Monitor looks at, kept by the tape.
type observed struct {
	features   *autograd.Var // [N, F], of the encoder that is trained
	embeddings *autograd.Var // [N, D], unit rows
	codes      *autograd.Var // [N, K], distributions over prototypes; nil: none
}
