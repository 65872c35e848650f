package methods

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sectile-ml/sectile/data"
)

// EStep is what an E-step found for one K.
type EStep struct {
	Epoch, K  int           // epochs count from 0; texts count them from 1
	Objective float64       // k-means: sum of squared distances
	Took      time.Duration // of the clustering
	Features  time.Duration // of the embeddings, shared by all K
	Least     int           // members of the smallest cluster
	Median    int
	Most      int
	Single    int        // clusters of one member or none
	Phi       [3]float64 // least, mean and largest concentration
	Notes     []string   // what an attentive user should know
}

func (e EStep) String() string {
	return fmt.Sprintf("E-step of epoch %d, K %d: clusters of %d to %d images (median %d, %d of one or none), phi %.3f to %.3f, %.1f s",
		e.Epoch+1, e.K, e.Least, e.Most, e.Median, e.Single, e.Phi[0], e.Phi[2], e.Took.Seconds())
}

// eStep embeds all images with the key encoder, clusters them once for each K,
// and makes the clusters' centroids the prototypes (arXiv 2005.04966, section
// 3.3 and algorithm 1). k-means sees unit vectors and plain distances; its
// centroids are l2-normalised once phi is taken. Rank 0 clusters the images of
// all ranks; nothing is changed where an error is returned.
func (m *PCL) eStep(ctx context.Context, epoch int) error {
	start := time.Now()
	x, err := m.embedAll(ctx)
	if err != nil {
		return fmt.Errorf("E-step of epoch %d: %w", epoch+1, err)
	}
	features := time.Since(start)
	found := make([]*clustering, len(m.sets))
	for i, k := range m.Clusters {
		if found[i], err = m.cluster(ctx, x, k, i); err != nil {
			return fmt.Errorf("E-step of epoch %d, K %d: %w", epoch+1, k, err)
		}
	}
	for i, s := range m.sets {
		s.take(found[i], m.first())
		if m.Report != nil {
			m.Report(m.describe(epoch, i, found[i], features))
		}
	}
	m.ready = true
	return nil
}

// first is the number of the rank's first image among those of all ranks.
func (m *PCL) first() int {
	if m.Group == nil {
		return 0
	}
	return m.Group.Rank() * m.Images
}

// embedAll is the unit embeddings of the images of all ranks, in rank order.
func (m *PCL) embedAll(ctx context.Context) (Features, error) {
	if m.Features == nil {
		return Features{}, errors.New("no features: set PCL.Features")
	}
	x, err := m.Features(ctx, m.moco.key)
	if err != nil {
		return x, err
	}
	if x.D != m.Dim || x.N() != m.Images {
		return x, fmt.Errorf("%d embeddings of %d numbers for %d images of %d", x.N(), x.D, m.Images, m.Dim)
	}
	if err := x.check("embeddings"); err != nil {
		return x, err
	}
	if err := x.checkUnit("embeddings"); err != nil || ranks(m.Group) == 1 {
		return x, err
	}
	all := Features{make([]float32, len(x.X)*m.Group.Size()), x.D}
	return all, m.Group.AllGather32(all.X, x.X)
}

// clustering is one K's result: unit centroids [K, D], phi [K], and for the
// images of all ranks their clusters.
type clustering struct {
	centroids, phi []float32
	assign         []int
	objective      float64
	took           time.Duration
}

// cluster runs k-means on rank 0 and gives every rank the result.
func (m *PCL) cluster(ctx context.Context, x Features, k, i int) (*clustering, error) {
	start := time.Now()
	c := &clustering{centroids: make([]float32, k*x.D), phi: make([]float32, k), assign: make([]int, x.N())}
	if m.first() == 0 {
		found, err := m.kMeans(k, i).Fit(ctx, x)
		if err != nil {
			return nil, err
		}
		for j, v := range Concentration(found.SqDist, found.Assign, k, m.Temperature) {
			if c.phi[j] = float32(v); !(c.phi[j] > 0) {
				return nil, fmt.Errorf("the concentration of cluster %d is %v: over a tenth of the clusters hold images whose embeddings are all equal; the encoder has collapsed, or the images repeat: fewer clusters help against the second", j, v)
			}
		}
		found.Centroids.unit(found.Centroids, nil)
		copy(c.centroids, found.Centroids.X)
		copy(c.assign, found.Assign)
		c.objective = found.Objective
	}
	if g := m.Group; ranks(g) > 1 {
		if err := errors.Join(g.Broadcast32(c.centroids, 0), g.Broadcast32(c.phi, 0), g.BroadcastInts(c.assign, 0)); err != nil {
			return nil, err
		}
	}
	c.took = time.Since(start)
	return c, nil
}

// take makes c the prototypes of the images from number first on.
func (s *prototypes) take(c *clustering, first int) {
	of, size := make([]float32, len(s.of)), make([]float32, len(c.phi))
	for i := range of {
		s.of[i] = int32(c.assign[first+i])
		of[i] = float32(s.of[i])
	}
	s.last = 0
	clear(s.members)
	for _, k := range c.assign {
		s.members[k]++
		s.last = max(s.last, int32(k))
	}
	for k, n := range s.members {
		size[k] = float32(n)
	}
	s.centroids.Value.SetFloat32s(c.centroids)
	s.phi.Value.SetFloat32s(c.phi)
	s.assign.Value.SetFloat32s(of)
	s.size.Value.SetFloat32s(size)
}

// describe is the report on clustering i.
func (m *PCL) describe(epoch, i int, c *clustering, features time.Duration) EStep {
	e := EStep{Epoch: epoch, K: len(c.phi), Objective: c.objective, Took: c.took, Features: features}
	n := slices.Clone(m.sets[i].members)
	slices.Sort(n)
	e.Least, e.Median, e.Most = n[0], n[len(n)/2], n[len(n)-1]
	e.Single, _ = slices.BinarySearch(n, 2)
	mean := 0.0
	for _, v := range c.phi {
		mean += float64(v) / float64(len(c.phi))
	}
	e.Phi = [3]float64{float64(slices.Min(c.phi)), mean, float64(slices.Max(c.phi))}
	if left := int(m.sets[i].last) + 1 - m.Batch; m.Denominator != EveryPrototype && left < m.Negatives {
		e.Notes = append(e.Notes, fmt.Sprintf("%d negative prototypes are asked for, %d clusters can leave as few as %d beside a batch of %d: all that are left are taken then", m.Negatives, m.sets[i].last+1, max(0, left), m.Batch))
	}
	return e
}

// readable gives for an image that cannot be read the next one that can, as a
// Loader does: one bad file must not end a run in its E-step.
type readable struct{ data.Source }

func (s readable) Image(i int, buf *data.Image) (err error) {
	for j := range s.Len() {
		if err = s.Source.Image((i+j)%s.Len(), buf); err == nil {
			return nil
		}
	}
	return err
}
