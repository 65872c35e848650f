package methods

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
)

// watched is a method of which nothing but its negatives is looked at.
func watched(t *testing.T, m Method, labels ...int) *Negatives {
	t.Helper()
	n, err := WatchNegatives(backends(t)["cpu"], m, labels)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func wantShares(t *testing.T, n *Negatives, want ...NegativeShare) {
	t.Helper()
	got, err := n.Shares()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

// TestNegativesInTheBatch: of images with labels 0 0 0 1, each of the first
// three has 4 views of 0 among 6, the last none; an image without a label is
// no anchor and no row of a label.
func TestNegativesInTheBatch(t *testing.T) {
	n := watched(t, &SimCLR{SimCLRConfig: SimCLRConfig{Batch: 4}}, 0, 0, 0, 1, 1, -1)
	n.Indexes([]int{3, 0, 2, 1})
	n.AfterStep()
	wantShares(t, n, NegativeShare{"views", 4, 24, 12})
	n.Indexes([]int{3, 4, 5, 0}) // 3, 4 and 0 anew: 2, 2 and 0 of 6 each
	n.AfterStep()
	wantShares(t, n, NegativeShare{"views", 5, 30, 4 + 4 + 2 + 2})
}

// step is a step of two images whose keys the ring takes up.
func step(n *Negatives, q *Ring, a, b int) {
	n.Indexes([]int{a, b})
	q.next = (q.next + 2) % 4 // the tape's late op
	n.AfterStep()
}

// TestNegativesInTheQueue: images 0 to 3 have labels 0 0 1 1, the queue 4
// rows. An image meets its own key of an epoch ago.
func TestNegativesInTheQueue(t *testing.T) {
	q := &Ring{}
	n := watched(t, &MoCo{MoCoConfig: MoCoConfig{Batch: 2, Queue: 4}, queue: q}, 0, 0, 1, 1)
	step(n, q, 0, 2) // four rows of noise
	wantShares(t, n, NegativeShare{"queue", 2, 8, 0})
	step(n, q, 1, 3) // 0 and 1, and two of noise
	wantShares(t, n, NegativeShare{"queue", 4, 16, 2})
	step(n, q, 0, 1) // 0 1 0 1
	wantShares(t, n, NegativeShare{"queue", 4, 16, 2 + 2 + 1})
	step(n, q, 2, 3) // 0 0 0 1
	wantShares(t, n, NegativeShare{"queue", 4, 16, 2 + 2 + 1 + 1})
	if want := []float32{0, 0, 1, 1}; !slices.Equal(n.queue.v, want) {
		t.Errorf("labels of the queue are %v, want %v", n.queue.v, want)
	}
}

// TestNegativePrototypesOfPCL: six images of labels 0 0 0 1 1 2 in clusters
// 0 0 1 1 1 2 of five: the clusters' labels are 0 1 2 and none, none.
func TestNegativePrototypesOfPCL(t *testing.T) {
	set := &prototypes{of: []int32{0, 0, 1, 1, 1, 2}, members: []int{2, 3, 1, 0, 0}, columns: newColumns(EveryPrototype, 2, 0, 5)}
	q := &Ring{}
	m := &PCL{PCLConfig: PCLConfig{MoCoConfig: MoCoConfig{Batch: 2, Queue: 4}}, moco: &MoCo{queue: q}, sets: []*prototypes{set}, ready: true, images: make([]int, 2)}
	n := watched(t, m, 0, 0, 0, 1, 1, 2)
	n.name()
	if want := []int{0, 1, 2, -1, -1}; !slices.Equal(n.major[0], want) {
		t.Fatalf("labels of clusters are %v, want %v", n.major[0], want)
	}
	step(n, q, 0, 2) // a warm-up
	wantShares(t, n, NegativeShare{"queue", 2, 8, 0})

	// Image 0 is in the cluster of its label, so its 4 others have none of it;
	// image 2 is not, and cluster 0 is one of its.
	m.active = true
	set.columns.every([]int32{0, 1})
	step(n, q, 0, 2)
	wantShares(t, n, NegativeShare{"queue", 2, 8, 4}, NegativeShare{"prototypes", 2, 8, 1})

	// Two images of one cluster see each other's column, unless it counts once.
	for _, c := range []struct {
		distinct  bool
		all, same int64
	}{{false, 4, 2}, {true, 2, 0}} {
		set.columns = newColumns(SampledPrototypes, 2, 1, 5)
		stream := data.NewStream(1, NegativePurpose, 0, 0, 0)
		set.columns.sample([]int32{0, 0}, c.distinct, 2, &stream)
		step(n, q, 0, 1)
		got, _ := n.Shares()
		// image 2 had 4 columns, one of its label, in the step before
		if want := (NegativeShare{"prototypes", 3, 4 + c.all, 1 + c.same}); got[1] != want {
			t.Errorf("distinct %v: %v, want %v", c.distinct, got[1], want)
		}
	}
}

// TestNegativePrototypesOfSwAV: three images of labels 0 0 1; codes of two
// crops choose among four prototypes.
func TestNegativePrototypesOfSwAV(t *testing.T) {
	n := watched(t, &SwAV{SwAVConfig: SwAVConfig{Batch: 2, Prototypes: 4, Assign: []int{0, 1}}}, 0, 0, 1)
	wantShares(t, n)
	choose := func(a, b int, chosen ...int) {
		q := Features{make([]float32, 4*len(chosen)), 4}
		for i, k := range chosen {
			q.Row(i)[k] = 1
		}
		n.Indexes([]int{a, b})
		n.choose(q)
	}
	choose(0, 2, 3, 1, 3, 3)
	choose(0, 1, 0, 0, 2, 0) // image 0 chooses anew: 0 and 2, image 1: 0 and 0
	// Prototypes 0 and 2 are label 0's, 1 and 3 label 1's: each code has one
	// other of its label among three.
	wantShares(t, n, NegativeShare{"prototypes", 6, 18, 6})
	choose(0, 2, 0, 0, 0, 1) // 0: three of label 0 and one of 1; 1: label 1; 2 and 3: none
	// Image 2's codes: 0, which is not its label's, beside 1, which is; and 1.
	wantShares(t, n, NegativeShare{"prototypes", 6, 18, 1})
}

// TestNegativesChangeNothing trains each method to the same bits with and
// without them; a run that was stopped counts the same as one left alone.
func TestNegativesChangeNothing(t *testing.T) {
	b, src := backends(t)["cpu"], noise(48)
	for _, method := range MethodNames {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			const stop, last = 9, 14
			train := func(watch bool, from, to string, last int) *Trainer {
				tr, err := tiny(t, method).New(b, src)
				if err != nil {
					t.Fatal(err)
				}
				if watch {
					if tr.Method, err = WatchNegatives(b, tr.Method, labels(src)); err != nil {
						t.Fatal(err)
					}
				}
				if from != "" {
					if err := tr.Resume(from); err != nil {
						t.Fatal(err)
					}
				}
				tr.Monitor = &Monitor{Every: 5}
				ctx, end := context.WithCancel(context.Background())
				tr.Progress = func(p Progress) {
					if p.Iteration+1 == last {
						end()
					}
				}
				if err := tr.Train(ctx); err != context.Canceled {
					t.Fatal(err)
				}
				if to != "" {
					if err := tr.Checkpoint(to); err != nil {
						t.Fatal(err)
					}
				}
				return tr
			}
			path := filepath.Join(t.TempDir(), "checkpoint")
			plain, whole := train(false, "", "", last), train(true, "", "", last)
			train(true, "", path, stop)
			sameState(t, "stopped", train(true, path, "", last), whole)
			n := whole.Method.(*Negatives)
			shares, err := n.Shares()
			if want := map[string]int{"pcl": 2}[method]; err != nil || len(shares) != max(1, want) {
				t.Errorf("%v, %v", shares, err)
			}
			for _, s := range shares {
				if s.Anchors != map[bool]int{true: 2 * 48, false: 48}[method == "swav"] || s.Same == 0 || s.Same > s.Negatives/2 {
					t.Errorf("%+v", s)
				}
			}
			whole.Method = n.Method
			sameState(t, "watched", whole, plain)
		})
	}
}

// stranger is a method of somebody else.
type stranger struct{ Method }

func TestNegativesErrors(t *testing.T) {
	cpu := backends(t)["cpu"]
	two := dist.InProcess(2)
	for what, m := range map[string]Method{
		"a stranger's": stranger{},
		"two ranks":    &SimCLR{SimCLRConfig: SimCLRConfig{Group: two[0]}},
	} {
		if _, err := WatchNegatives(cpu, m, []int{0}); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	q := &Ring{Rows: autograd.NewState(cpu, "queue", 2, 1), Ptr: autograd.NewState(cpu, "queue_ptr", 1)}
	q.Rows.Value.SetFloat32s([]float32{1, 1})
	n := watched(t, &MoCo{MoCoConfig: MoCoConfig{Queue: 2}, queue: q}, 0)
	n.queue.param.Value.SetFloat32s([]float32{0, 1})
	if err := n.Loaded(); err == nil {
		t.Error("a label that no image has: no error")
	}
}
