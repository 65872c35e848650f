package data

// order is the sequence of the n images in an epoch: Fisher-Yates on
// NewStream(seed, OrderPurpose, epoch, 0, 0). It reuses p.
func order(p []int, n int, seed uint64, epoch int) []int {
	p = grow(p, n)
	for i := range p {
		p[i] = i
	}
	s := NewStream(seed, OrderPurpose, epoch, 0, 0)
	for i := n - 1; i > 0; i-- {
		j := s.IntN(i + 1)
		p[i], p[j] = p[j], p[i]
	}
	return p
}
