package dist

// Solo returns the group of one rank. Its collectives check their arguments
// and otherwise do nothing, except that a gather copies; none allocates.
func Solo() Group { return solo{} }

type solo struct{}

func (solo) Rank() int                      { return 0 }
func (solo) Size() int                      { return 1 }
func (solo) AllReduceSum([]float64) error   { return nil }
func (solo) AllReduceSum32([]float32) error { return nil }
func (solo) AllReduceMax([]float64) error   { return nil }
func (solo) Barrier() error                 { return nil }
func (solo) Abort(error)                    {}

func (solo) AllGather(dst, src []float64) error {
	if err := (call{op: gather64, n: len(src), dst: len(dst)}).check(0, 1); err != nil {
		return err
	}
	copy(dst, src)
	return nil
}

func (solo) AllGather32(dst, src []float32) error {
	if err := (call{op: gather32, n: len(src), dst: len(dst)}).check(0, 1); err != nil {
		return err
	}
	copy(dst, src)
	return nil
}

func (solo) Broadcast32(x []float32, root int) error {
	return call{op: broadcast32, n: len(x), root: root}.check(0, 1)
}

func (solo) BroadcastInts(x []int, root int) error {
	return call{op: broadcastInts, n: len(x), root: root}.check(0, 1)
}
