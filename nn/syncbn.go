package nn

import (
	"fmt"
	"slices"

	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
)

// SyncBN joins batch statistics over the ranks of a group, so that W ranks of
// N images normalise as one of W·N. It is a Pass's Sync; each rank has one.
//
// Ranks exchange (count, mean, M2), not sums of squares, and merge them in
// rank order in float64 by Chan, Golub and LeVeque (1979):
//
//	n = na + nb,  d = mean_b - mean_a
//	mean = mean_a + d nb/n,  M2 = M2a + M2b + d² na nb/n
//
// All ranks do the same arithmetic, so all get the same bits. The group works
// on host memory: moments and sums, a few numbers a channel, come down from
// the rank's backend and go up again.
type SyncBN struct {
	b         kernels.Backend
	group     dist.Group
	mine, all []float64
}

// NewSyncBN makes the reducer of one rank, which computes on b.
func NewSyncBN(b kernels.Backend, g dist.Group) *SyncBN { return &SyncBN{b: b, group: g} }

// Moments merges moments [groups, 2, C] (mean, M2), each of count values here,
// over the ranks and returns how many values a channel has in all. Ranks may
// bring different counts.
func (s *SyncBN) Moments(moments kernels.Mem, groups, c, count int) (total int, err error) {
	n := moments.Len + 1
	if ranks := s.group.Size(); cap(s.all) < ranks*n {
		s.mine, s.all = make([]float64, n), make([]float64, ranks*n)
	}
	mine, all := s.mine[:n], s.all[:s.group.Size()*n]
	mine[0] = float64(count)
	if err := s.b.DownloadFloat64(mine[1:], moments); err != nil {
		return 0, err
	}
	if err := s.group.AllGather(all, mine); err != nil {
		return 0, err
	}
	sum, m := all[0], all[1:n]
	for r := 1; r < s.group.Size(); r++ {
		nb, b := all[r*n], all[r*n+1:(r+1)*n]
		mergeMoments(m, sum, b, nb, groups, c)
		sum += nb
	}
	if sum < 2 {
		return 0, fmt.Errorf("nn: batch statistics over %d ranks need more than one value a channel", s.group.Size())
	}
	s.b.UploadFloat64(moments, m)
	return int(sum), nil
}

// mergeMoments adds the moments b of nb values to the moments a of na.
func mergeMoments(a []float64, na float64, b []float64, nb float64, groups, c int) {
	for g := range groups {
		ma, m2a := a[2*g*c:(2*g+1)*c], a[(2*g+1)*c:(2*g+2)*c]
		mb, m2b := b[2*g*c:(2*g+1)*c], b[(2*g+1)*c:(2*g+2)*c]
		for j := range c {
			d := mb[j] - ma[j]
			ma[j] += float64(d * (nb / (na + nb)))
			m2a[j] += m2b[j] + float64(d*d*(na*nb/(na+nb)))
		}
	}
}

// Sums adds sums over the ranks, in rank order.
func (s *SyncBN) Sums(sums kernels.Mem) error {
	s.mine = slices.Grow(s.mine[:0], sums.Len)[:sums.Len]
	if err := s.b.DownloadFloat64(s.mine, sums); err != nil {
		return err
	}
	if err := s.group.AllReduceSum(s.mine); err != nil {
		return err
	}
	s.b.UploadFloat64(sums, s.mine)
	return nil
}
