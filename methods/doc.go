// Package methods holds the algorithms that learn image encoders without
// labels, and the protocols that judge what was learned. One file is one
// algorithm, in its paper's letters; a paragraph that begins "Differs:" names
// where published code and paper part.
//
// Learning: [SwAV] (swav.go; settings in swav_config.go, presets in presets.go)
// codes its crops by [Sinkhorn] (sinkhorn.go) against prototypes that
// [UnitRows] keeps on the sphere (swav_prototypes.go), beside older embeddings
// that [Enqueue] kept (queue.go); [MultiCrop] (multicrop.go) passes crops of
// several sizes. A [Trainer] (trainer.go) drives any [Method] (method.go), and a
// [Run] (run.go) is its folder on disk.
//
//	run, _ := methods.Presets("demo")
//	t, err := run.New(backend, images)
//	err = t.Train(ctx)
//	f, labels, err := methods.Extractor{...}.Features(ctx, t.Method.Encoder(), images)
//
// Judging: [Features] (features.go) is what everything here reads; [KNN]
// (knn.go) is the weighted nearest-neighbour vote, [FewLabels] (fewlabels.go)
// the same with ten labels a class; [KMeans] (kmeans.go) finds clusters, and
// [Agreement] (clustering.go) scores them against labels.
//
// An [Extractor] (extract.go) makes features of images; [Protocol] and
// [NewReport] (report.go) make the table of a README.
//
// Glossary.
//
//	crop       a random part of an image at some size; all changes made, a view
//	prototype  a unit row of C: a direction that stands for a group of images
//	score      inner product of an embedding and a prototype
//	code       an image's distribution over prototypes, found by Sinkhorn
//	phase      a stretch of the run whose steps record the same ops
//	iteration  a step, counted over the whole run
//	bank       labelled features that queries are compared with
//	cosine     inner product of l2-normalised rows
//	centroid   mean of a cluster's members
//	objective  sum over points of the squared distance to the own centroid
//	N, D, K, M rows of features, their length, clusters or neighbours, queries
//	V, A, B, L crops of an image, those that assign codes, rows that Sinkhorn
//	           balances, rows of a queue; here K is prototypes too
//
// Everything gives the same bits on every run and at any GOMAXPROCS.
package methods
