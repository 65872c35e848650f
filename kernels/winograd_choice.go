package kernels

// Which of Winograd's algorithms runs is a function of the shape alone
// (contract_winograd.go), unless a row of convTable is pinned.

// tile is the tile of a forward pass or an input gradient that writes maps of
// h x w.
func (s *convState) tile(h, w int) int {
	if s.winogradPin > 0 {
		return s.winogradPin
	}
	return winogradTileOf(h, w)
}

// weightTile is that of a weight gradient, 0 where it is direct.
func (s *convState) weightTile(shape *ConvShape) int {
	switch {
	case s.transforms == nil:
	case s.winogradPin == winogradSmall:
		if winograd2WeightFits(shape) {
			return winogradSmall
		}
	case winogradWeightFits(shape):
		return winogradTile
	}
	return 0
}

// winogradName is the row of weights prepared for a tile.
func (s *convState) winogradName(tile int) string {
	if tile == winogradSmall {
		return s.winogradNames[1]
	}
	return s.winogradNames[0]
}
