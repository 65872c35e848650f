// Package methods holds the algorithms that learn image encoders without
// labels, and the protocols that judge what was learned. One file is one
// algorithm, in its paper's letters; a paragraph that begins "Differs:" names
// where published code and paper part.
//
// Judging: [Features] (features.go) is what everything here reads; [KNN]
// (knn.go) is the weighted nearest-neighbour vote, [FewLabels] (fewlabels.go)
// the same with ten labels a class; [KMeans] (kmeans.go) finds clusters, and
// [Agreement] (clustering.go) scores them against labels.
//
// Glossary.
//
//	bank       labelled features that queries are compared with
//	cosine     inner product of l2-normalised rows
//	centroid   mean of a cluster's members
//	objective  sum over points of the squared distance to the own centroid
//	N, D, K, M rows of features, their length, clusters or neighbours, queries
//
// Everything gives the same bits on every run and at any GOMAXPROCS.
package methods
