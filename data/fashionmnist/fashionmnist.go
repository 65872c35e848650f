// Package fashionmnist holds the 10,000 images of Fashion-MNIST's test file
// (28x28, grey, ten classes of clothes), so that a first run needs no
// download. The 60,000 training images are not here: data.OpenIDX reads them.
//
// Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for
// Benchmarking Machine Learning Algorithms", arXiv 1708.07747; MIT licence,
// see LICENSE beside this file.
package fashionmnist

import (
	_ "embed"

	"github.com/sectile-ml/sectile/data"
)

var (
	//go:embed t10k-images-idx3-ubyte.gz
	images []byte
	//go:embed t10k-labels-idx1-ubyte.gz
	labels []byte
)

// Learn is where Sectile's runs split the set: images 0 to Learn-1 are learnt
// from without their labels, the other 2,000 are judged against them:
//
//	train, test := set.Split(fashionmnist.Learn)
const Learn = 8000

// Mean and Std are the mean and the standard deviation of the training
// images' pixels in [0,1].
const (
	Mean = 0.286
	Std  = 0.353
)

// Classes are the names of labels 0 to 9.
var Classes = []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
	"Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}

// Load unpacks the images [10000,28,28,1] and their labels: 7.8 MB, about
// 50 ms. Each call returns its own copy.
func Load() (*data.Set, error) {
	set, err := data.ParseIDX("fashionmnist/t10k-images-idx3-ubyte.gz", images, "fashionmnist/t10k-labels-idx1-ubyte.gz", labels)
	if err != nil {
		return nil, err
	}
	set.Name, set.Classes = "Fashion-MNIST test", Classes
	return set, nil
}
