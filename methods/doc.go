// Package methods holds the algorithms that learn image encoders without
// labels, and the protocols that judge what was learned. One file is one
// algorithm, in its paper's letters; a paragraph that begins "Differs:" names
// where published code and paper part.
//
// Learning: four methods, each a [Method] (method.go) that a [Trainer]
// (trainer.go) drives; a [RunConfig] (runconfig.go) is all settings of a run,
// [Preset] (presets.go, presets_swav.go) makes one that works,
// [RunConfig.Automatic] (automatic.go) chooses what it leaves open,
// [RunConfig.Cost] (cost.go) says what it will take, [RunConfig.Speed]
// (speed.go) how fast this machine is, and a [Run] (run.go) is its folder on
// disk. They tell one story:
//
//   - [SimCLR] (simclr.go) tells views of an image from all others in the batch
//     by [NTXent] (ntxent.go), so the batch has to be large; ranks join theirs
//     through [Gather] (gather.go).
//   - [MoCo] (moco.go, moco_config.go) keeps the others in a [Ring] (ring.go),
//     made by an encoder that follows by momentum (momentum.go), and scores them
//     by [InfoNCE] (infonce.go).
//   - [PCL] (pcl.go, pcl_config.go) adds prototypes: clusters of all images that
//     an [EStep] (estep.go) finds by [KMeans], each with its [Concentration]
//     (phi.go); [ProtoLogits] (protonce.go) compares a query with those that
//     columns.go picks.
//   - [SwAV] (swav.go, swav_config.go) has prototypes instead of negatives:
//     [Sinkhorn] (sinkhorn.go) codes each crop against them, [UnitRows] keeps
//     them on the sphere (swav_prototypes.go), [Enqueue] keeps older embeddings
//     (queue.go), [MultiCrop] (multicrop.go) passes crops of several sizes.
//
// [Head] (head.go) names the projection heads, [OptimizerConfig] (optimizer.go)
// optimizers and schedules. A [Monitor] (monitor.go) watches for collapse, by
// [EffectiveRank] (rank.go) among others.
//
//	run, _ := methods.Preset("pcl", "demo")
//	t, err := run.New(backend, images)
//	err = t.Train(ctx)
//	f, labels, err := methods.Extractor{...}.Features(ctx, t.Method.Encoder(), images)
//
// Judging: [Features] (features.go) is what everything here reads; [KNN]
// (knn.go) is the weighted nearest-neighbour vote, [FewLabels] (fewlabels.go)
// the same with ten labels a class, [Linear] (linear.go) a linear classifier;
// all give [Votes] (votes.go); [KMeans] (kmeans.go) finds clusters, and
// [Agreement] (clustering.go) scores them against labels.
//
// An [Extractor] (extract.go) makes features of images; [Protocol] and
// [NewReport] (report.go) make the table of a README.
//
// Glossary.
//
//	view       a random part of an image with all changes made
//	crop       a random part of an image at some size, before the changes
//	prototype  a unit row of C: a direction that stands for a group of images
//	score      inner product of an embedding and a prototype
//	code       an image's distribution over prototypes, found by Sinkhorn
//	query, key the embedding that learns, and the constant that it shall match
//	negative   what a query shall not match: another image, another prototype
//	E-step     clustering of all images between two epochs
//	phi        concentration of a cluster, the temperature of its prototype
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
