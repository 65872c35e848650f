// Package data turns images into the batches a method learns from: sources,
// views, loaders. Everything random is drawn from streams that the seed and the
// place of the image decide, so that a run can be repeated, resumed and spread
// over threads to the bit.
//
// # Map, in the order an image passes
//
//	open.go      Open, OpenOptions, Opened     what a path holds, whatever it is
//	arrange.go   split and classes from paths  (stores: folder.go, zip.go, tar.go)
//	source.go    Source, Image                 what can be read
//	files.go     a Source of encoded images
//	decode.go    Decode                        JPEG, PNG, GIF to levels (pixels.go, chroma.go)
//	cache.go     Cache                         decoded images in memory
//	shrink.go    Shrink                        smaller ones (channels: recolour.go)
//	set.go       Set                           equally large images in memory
//	idx.go       OpenIDX, ParseIDX             files of the MNIST family
//	cifar.go     OpenCIFAR                     CIFAR-10 and CIFAR-100, binary
//	fashionmnist/                              10,000 embedded images
//	stream.go    Stream, NewStream             random numbers by key
//	crop.go      CropBox, FlipH                which part of the image
//	resize.go    Resize, EvalCrop, Scratch     to the size of the view (weights: taps.go)
//	vector.go    whether AVX2 does the sums    (asm/levels_avx2_amd64.s)
//	colour.go    Brightness ... Jitter         on 8-bit levels (hue: hue.go)
//	blur.go      Blur                          on 8-bit levels
//	recipe.go    Recipe, MultiCrop, GreyTone   what a view is made of
//	recipes.go   SwAV, MoCoV2, SimCLR ...      those of the papers
//	statistics.go  Statistics, Measure         what levels are normalised by
//	views.go     Views                         image and key to view (tones: tone.go, field.go)
//	order.go     the sequence of an epoch
//	loader.go    Loader, Batch                 batches ahead of the step
//	bad.go       BadImagesError                what could not be read
//	rate.go      Rate                          images a second
//	exp.go       e^x and ln x with the same bits on every machine
//
// # Glossary
//
//   - crop: a request (how many, how large, which share of the area), and its
//     number among the views of an image
//   - view: one crop of one image after all random changes, as numbers
//   - group: consecutive crops of one size; they share a buffer in the batch
//   - key: seed, epoch, index, crop: what a view depends on besides the image
//   - level: an 8-bit value of one channel of one pixel
//   - taps: the weights of a resize along one axis
//   - piece: the work for one image of a batch, done by whoever has time
//
// Images and views are NHWC: rows from the top, channels innermost.
//
// # Read next
//
// recipe.go for what happens to an image, loader.go for when; fashionmnist for
// a set to try it on. Package methods uses the batches.
package data
