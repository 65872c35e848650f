package methods

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// goldenPCL is PCL without networks in the middle of a run, as the golden file
// has it: prototypes are set and the columns chosen.
func goldenPCL(t *testing.T, f *golden.File, b kernels.Backend, d Denominator) *PCL {
	t.Helper()
	n, dim := f.Shape("loss.q_raw")[0], f.Shape("loss.q_raw")[1]
	moco := bareMoCo(t, b, n, dim, n, f.Scalar("loss.temperature"))
	moco.queue = NewRing(b, "queue", f.Shape("loss.queue")[1], dim, tensor.NewRNG(1, "test"))
	setRing(t, moco.queue, f.F32("loss.queue"), 0)
	m := &PCL{PCLConfig: PCLConfig{MoCoConfig: moco.MoCoConfig, Denominator: d}, moco: moco, images: f.Ints("loss.index"), protos: make([]*autograd.Var, 3), active: true}
	for i := range 3 {
		name := fmt.Sprintf("loss.m%d.", i)
		k, ids, neg := f.Shape(name + "centroids")[0], f.Ints(name+"im2cluster"), f.Ints(name+"neg")
		s := &prototypes{
			centroids: autograd.NewState(b, name+"centroids", k, dim), phi: autograd.NewState(b, name+"phi", k),
			of: make([]int32, len(ids)), own: make([]int32, n), columns: newColumns(d, n, len(neg), k),
		}
		s.centroids.Value.SetFloat32s(f.F32(name + "centroids"))
		s.phi.Value.SetFloat32s(f.F32(name + "phi"))
		for j, id := range ids {
			s.of[j] = int32(id)
		}
		m.sets = append(m.sets, s)
	}
	return m
}

// withNegatives takes the golden file's draw in place of one of the stream's.
func withNegatives(f *golden.File, m *PCL) {
	for i, s := range m.sets {
		for b, image := range m.images {
			s.own[b] = s.of[image]
		}
		var none data.Stream
		s.columns.sample(s.own, m.Denominator == DistinctPrototypes, -1, &none)
		for j, id := range f.Ints(fmt.Sprintf("loss.m%d.neg", i)) {
			s.columns.ids[len(s.own)+j], s.columns.bias[len(s.own)+j] = int32(id), 0
		}
	}
}

// lossOf records m's loss as PCL.loss does, on columns that are chosen already.
func lossOf(m *PCL, q0, k0 *autograd.Var) (q, loss *autograd.Var) {
	q, _, _, m.inst = m.moco.contrast(q0, k0)
	for i, s := range m.sets {
		m.protos[i] = s.loss(q)
	}
	return q, m.total()
}

func TestPCLLossGolden(t *testing.T) {
	f := golden.Open(t, "pcl")
	shape := autograd.Dims(f.Shape("loss.q_raw")...)
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			m := goldenPCL(t, f, b, SampledPrototypes)
			withNegatives(f, m)
			tape := autograd.NewTape(b)
			defer tape.Release()
			tape.Begin("pcl")
			q0 := tape.Input(shape, f.F32("loss.q_raw")).WithGrad().Keep()
			q, loss := lossOf(m, q0, tape.Input(shape, f.F32("loss.k_raw")))
			m.inst.Keep()
			for _, p := range m.protos {
				p.Keep()
			}
			tape.Backward(loss)
			if err := tape.Run(); err != nil {
				t.Fatal(err)
			}
			golden.Close(t, "inst", values(t, m.inst), f.F64("loss.inst"), 0, 1e-5)
			var protos []float32
			for _, p := range m.protos {
				protos = append(protos, values(t, p)...)
			}
			golden.Close(t, "proto", protos, f.F64("loss.proto"), 0, 1e-5)
			golden.Close(t, "total", values(t, loss), f.F64("loss.total"), 0, 1e-5)
			golden.Close(t, "g_q", gradient(t, q), f.F64("loss.g_q"), 2e-5, 0)
			golden.Close(t, "g_q_raw", gradient(t, q0), f.F64("loss.g_q_raw"), 2e-5, 0)
		})
	}
}

// protoInWords is proto_m and its gradient in float64, straight from the
// formula: row i's columns are ids, its own is own[i].
func protoInWords(q []float64, d int, centroids []float64, phi []float64, ids, own []int) (loss float64, grad []float64) {
	n := len(q) / d
	grad = make([]float64, len(q))
	for i := range n {
		var total, target float64
		e := make([]float64, len(ids))
		for j, id := range ids {
			dot := 0.0
			for x := range d {
				dot += q[i*d+x] * centroids[id*d+x]
			}
			e[j] = math.Exp(dot / phi[id])
			total += e[j]
			if id == own[i] {
				target = e[j]
			}
		}
		loss -= math.Log(target/total) / float64(n)
		for j, id := range ids {
			p := e[j] / total
			if id == own[i] {
				p--
			}
			for x := range d {
				grad[i*d+x] += p * centroids[id*d+x] / phi[id] / float64(n)
			}
		}
	}
	return loss, grad
}

// TestPCLDistinctGolden: on the golden inputs, with each prototype once among
// the columns; and with every prototype.
func TestPCLDistinctGolden(t *testing.T) {
	f := golden.Open(t, "pcl")
	shape := f.Shape("loss.q_raw")
	n, d := shape[0], shape[1]
	unit := Features{f.F32("loss.q_raw"), d}.Unit()
	for _, denominator := range []Denominator{DistinctPrototypes, EveryPrototype} {
		for name, b := range backends(t) {
			t.Run(string(denominator)+"/"+name, func(t *testing.T) {
				m := goldenPCL(t, f, b, denominator)
				if denominator == DistinctPrototypes {
					withNegatives(f, m)
				}
				tape := autograd.NewTape(b)
				defer tape.Release()
				for i, s := range m.sets {
					if denominator == EveryPrototype {
						m.choose(i, s)
					}
					tape.Begin(fmt.Sprint(i))
					q := tape.Input(autograd.Dims(n, d), unit.X).WithGrad().Keep()
					loss := s.loss(q)
					tape.Backward(loss)
					if err := tape.Run(); err != nil {
						t.Fatal(err)
					}
					of, key := f.Ints(fmt.Sprintf("loss.m%d.im2cluster", i)), fmt.Sprintf("loss.m%d.", i)
					own := make([]int, n)
					for j, image := range m.images {
						own[j] = of[image]
					}
					ids := ascending(s.centroids.Value.Dim(0))
					if denominator == DistinctPrototypes {
						ids = slices.Concat(own, f.Ints(key+"neg"))
						slices.Sort(ids)
						ids = slices.Compact(ids)
					}
					want, grad := protoInWords(widen(unit.X), d, f.F64(key+"centroids"), f.F64(key+"phi"), ids, own)
					golden.Close(t, key+"loss", values(t, loss), []float64{want}, 0, 1e-5)
					golden.Close(t, key+"gradient", gradient(t, q), grad, 2e-5, 0)
				}
			})
		}
	}
}

func TestPCLPhiGolden(t *testing.T) {
	f := golden.Open(t, "pcl")
	sq, assign, cfg := f.F32("phi.sqdist"), f.Ints("phi.assign"), f.F64("phi.K_temperature")
	k := int(cfg[0])
	filled := rawConcentration(sq, assign, k)
	golden.Close(t, "filled", filled, f.F64("phi.filled"), 0, 1e-6)
	raw, n := slices.Clone(filled), make([]int, k)
	for _, c := range assign {
		n[c]++
	}
	for c := range raw {
		if n[c] <= 1 {
			raw[c] = 0
		}
	}
	golden.Close(t, "raw", raw, f.F64("phi.raw"), 0, 1e-6)
	limits := []float64{percentile(filled, 0.1), percentile(filled, 0.9)}
	golden.Close(t, "limits", limits, f.F64("phi.limits"), 0, 1e-6)
	for c := range filled {
		filled[c] = min(max(filled[c], limits[0]), limits[1])
	}
	golden.Close(t, "clipped", filled, f.F64("phi.clipped"), 0, 1e-6)
	golden.Close(t, "phi", Concentration(sq, assign, k, cfg[1]), f.F64("phi.phi"), 0, 1e-6)
}

// TestConcentrationEdges: clusters of one, and points that all coincide, have
// phi tau.
func TestConcentrationEdges(t *testing.T) {
	for _, sq := range [][]float32{{1, 2, 3}, {0, 0, 0}} {
		for _, assign := range [][]int{{0, 1, 2}, {0, 0, 0}} {
			for _, v := range Concentration(sq, assign, 3, 0.2) {
				if math.Abs(v-0.2) > 1e-15 {
					t.Errorf("distances %v of clusters %v: phi %v", sq, assign, v)
				}
			}
		}
	}
	if p := percentile([]float64{3, 1, 2}, 1); p != 3 {
		t.Errorf("largest of three: %v", p)
	}
}

// TestColumns draws negatives many times: never one of the batch, never one
// twice, none beyond the last, all equally often; and all that are left where
// too many are asked for.
func TestColumns(t *testing.T) {
	own := []int32{3, 1, 3, 9}
	for _, distinct := range []bool{false, true} {
		c := newColumns(SampledPrototypes, 4, 3, 12)
		var seen [12]int
		const draws = 4000
		for i := range draws {
			s := data.NewStream(5, NegativePurpose, i, 0, 0)
			if pool := c.sample(own, distinct, 9, &s); pool != 7 {
				t.Fatalf("pool of %d", pool)
			}
			if !slices.Equal(c.ids[:4], own) || !slices.Equal(c.labels, []int32{0, 1, map[bool]int32{false: 2, true: 0}[distinct], 3}) || (c.bias[2] == excluded) != distinct {
				t.Fatalf("ids %v, labels %v, bias %v", c.ids, c.labels, c.bias)
			}
			for j, id := range c.ids[4:] {
				if slices.Contains(own, id) || id > 9 || slices.Contains(c.ids[4:4+j], id) || c.bias[4+j] != 0 {
					t.Fatalf("drew %v", c.ids[4:])
				}
				seen[id]++
			}
		}
		for id, n := range seen[:10] {
			if want := draws * 3 / 7; !slices.Contains(own, int32(id)) && math.Abs(float64(n-want)) > 150 {
				t.Errorf("prototype %d drawn %d times, want about %d", id, n, want)
			}
		}
	}
	c := newColumns(SampledPrototypes, 4, 3, 12)
	s := data.NewStream(5, NegativePurpose, 0, 0, 0)
	if pool := c.sample(own, false, 4, &s); pool != 3-0 {
		t.Errorf("pool of %d", pool)
	}
	if pool := c.sample([]int32{0, 1, 2, 3}, false, 4, &s); pool != 1 || c.ids[4] != 4 || c.bias[4] != 0 || c.bias[5] != excluded || c.bias[6] != excluded {
		t.Errorf("pool of %d, ids %v, bias %v", pool, c.ids, c.bias)
	}
}

// fewImages is a PCL of 40 images whose embeddings are given.
func fewImages(t *testing.T, change func(*PCLConfig)) *PCL {
	t.Helper()
	cfg := DefaultPCLV1()
	cfg.Crops[0].Size, cfg.Short = 1, 0
	cfg.Batch, cfg.Groups, cfg.Dim, cfg.Queue, cfg.Images = 4, 1, 8, 8, 40
	cfg.Clusters, cfg.Negatives, cfg.Warmup, cfg.Every = []int{5, 10}, 2, 1, 2
	if change != nil {
		change(&cfg)
	}
	m, err := NewPCL(backends(t)["cpu"], bare{d: 8}, bare{d: 8}, cfg, tensor.NewRNG(1, "test"))
	if err != nil {
		t.Fatal(err)
	}
	m.Features = func(ctx context.Context, keys Encoder) (Features, error) {
		f := Features{make([]float32, 40*8), 8}
		tensor.NewRNG(3, "points").FillNormal(f.X, 1)
		return f.Unit(), ctx.Err()
	}
	return m
}

// TestPCLEStep: prototypes are unit, phi is tau on average, E-steps come when
// they are due, and a checkpoint's values are taken up.
func TestPCLEStep(t *testing.T) {
	m := fewImages(t, nil)
	var reports []EStep
	m.Report = func(e EStep) { reports = append(reports, e) }
	for epoch := range 4 {
		if err := m.EpochStart(context.Background(), epoch); err != nil {
			t.Fatal(err)
		}
		if want := map[int]int{0: 0, 1: 2, 2: 2, 3: 4}[epoch]; len(reports) != want {
			t.Errorf("%d clusterings by epoch %d, want %d", len(reports), epoch, want)
		}
		if kind, want := m.BeforeStep(Step{Epoch: epoch}), map[bool]string{false: "pcl, warm-up", true: "pcl"}[epoch > 0]; kind != want {
			t.Errorf("epoch %d: step of kind %q, want %q", epoch, kind, want)
		}
	}
	for i, s := range m.sets {
		c := Features{s.centroids.Value.Float32s(), 8}
		if err := c.checkUnit("centroids"); err != nil {
			t.Error(err)
		}
		members, mean := 0.0, 0.0
		for _, v := range s.size.Value.Float32s() {
			members += float64(v)
		}
		for _, v := range s.phi.Value.Float32s() {
			mean += float64(v) / float64(m.Clusters[i])
		}
		if members != 40 || math.Abs(mean-m.Temperature) > 1e-6 || reports[i].K != m.Clusters[i] {
			t.Errorf("%d members, mean phi %v: %s", int(members), mean, reports[i])
		}
	}
	if n := reports[0].Notes; len(n) != 1 || !strings.Contains(n[0], "5 clusters can leave as few as 1 beside a batch of 4") {
		t.Errorf("notes: %q", n)
	}

	again := fewImages(t, nil)
	for i, p := range again.State() {
		p.Value.SetFloat32s(m.State()[i].Value.Float32s())
	}
	if err := again.Loaded(); err != nil || !again.ready {
		t.Fatal(err, again.ready)
	}
	for i, s := range again.sets {
		if !slices.Equal(s.of, m.sets[i].of) || s.last != m.sets[i].last {
			t.Error("assignments differ after a checkpoint")
		}
	}
	again.sets[0].assign.Value.SetFloat32s(slices.Repeat([]float32{5}, 40))
	if err := again.Loaded(); err == nil || !strings.Contains(err.Error(), "prototypes.0.assign[0] is 5, there are 5 clusters") {
		t.Error(err)
	}
}

// TestPCLEStepMistakes: what an E-step cannot work with is named, and leaves
// the prototypes as they were.
func TestPCLEStepMistakes(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		features func(f Features) Features
		want     string
	}{
		{func(f Features) Features { f.X[8] *= 3; return f }, "row 1 of embeddings has length"},
		{func(f Features) Features { f.X[16] = float32(nan()); return f }, "row 2 holds NaN"},
		{func(f Features) Features { return f.rows(0, 39) }, "39 embeddings of 8 numbers for 40 images of 8"},
	} {
		m := fewImages(t, nil)
		good := m.Features
		m.Features = func(ctx context.Context, keys Encoder) (Features, error) {
			f, err := good(ctx, keys)
			return c.features(f), err
		}
		if err := m.EpochStart(ctx, 1); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "E-step of epoch 2") || m.ready {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	m := fewImages(t, nil)
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if err := m.EpochStart(stopped, 1); err == nil || m.ready {
		t.Errorf("cancelled: %v", err)
	}
	m.Features = nil
	if err := m.EpochStart(ctx, 1); err == nil || !strings.Contains(err.Error(), "set PCL.Features") {
		t.Error(err)
	}
}

func TestPCLValidate(t *testing.T) {
	for _, c := range []struct {
		change func(*PCLConfig)
		want   string
	}{
		{func(c *PCLConfig) { c.Images = 60000 }, "100000 clusters of 60000 images: at most as many clusters as images; a tenth (6000)"},
		{func(c *PCLConfig) { c.Negatives = 25000 }, "25000 negative prototypes, but 25000 clusters leave at most 24999"},
		{func(c *PCLConfig) { c.Negatives = 0 }, `0 negative prototypes: at least 1, or denominator "every"`},
		{func(c *PCLConfig) { c.Queue = 16000 }, "pcl: queue of 16000"},
		{func(c *PCLConfig) { c.Batch, c.Groups = 1, 1 }, "pcl: batch 1"},
		{func(c *PCLConfig) { c.Temperature = 0 }, "pcl: temperature 0"},
		{func(c *PCLConfig) { c.Clusters = nil }, "no numbers of clusters"},
		{func(c *PCLConfig) { c.Clusters = []int{1}; c.Denominator = EveryPrototype }, "1 clusters: at least 2"},
		{func(c *PCLConfig) { c.Denominator = "some" }, `denominator "some"`},
		{func(c *PCLConfig) { c.Every = 0 }, "every 0 epochs"},
		{func(c *PCLConfig) { c.Warmup = -1 }, "warm-up of -1"},
		{func(c *PCLConfig) { c.Short = 200 }, "resized to 200"},
		{func(c *PCLConfig) { c.Redos = 0 }, "Redos is 0"},
	} {
		cfg := DefaultPCLV1()
		cfg.Images = 1281167
		c.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %q alone", err, c.want)
		}
	}
	for _, c := range []PCLConfig{DefaultPCLV1(), DefaultPCLV2()} {
		c.Images = 1281167
		if err := c.Validate(); err != nil || len(c.Warnings()) > 0 {
			t.Error(err, c.Warnings())
		}
	}
	cfg := DefaultPCLV2()
	cfg.Images, cfg.Clusters, cfg.Negatives = 5000, []int{600}, 500
	if w := cfg.Warnings(); len(w) != 2 || !strings.Contains(w[0], "500 at most is better") || !strings.Contains(w[1], "a batch of 256 can leave fewer") {
		t.Errorf("%q", w)
	}
}
