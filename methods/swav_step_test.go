package methods

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// hashUnit are the golden files' n values in [-1,1) for a name.
func hashUnit(name string, n int) []float64 {
	mix := func(x uint64) uint64 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return x ^ x>>31
	}
	h := uint64(0xcbf29ce484222325)
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	key := mix(h)
	v := make([]float64, n)
	for i := range v {
		v[i] = 2*(float64(mix(key+uint64(i))>>40)*0x1p-24) - 1
	}
	return v
}

// torchIndex is where element i of PyTorch's layout lies in ours, [OC,KH,KW,C].
func torchIndex(s []int, i int) int {
	if len(s) != 4 {
		return i
	}
	kh, kw, c := s[1], s[2], s[3]
	oc, in, tap := i/(kh*kw*c), i/(kh*kw)%c, i%(kh*kw)
	return (oc*kh*kw+tap)*c + in
}

// setHash gives a weight the golden files' value for its name.
func setHash(p *autograd.Param) {
	s := p.Value.Shape()
	v := hashUnit(p.Name, p.Value.Len())
	w := make([]float32, len(v))
	for i, x := range v {
		switch {
		case strings.HasSuffix(p.Name, "bias"):
			x *= 0.1
		case len(s) == 1:
			x = 1 + 0.2*x
		default:
			x *= math.Sqrt(6 / float64(len(v)/s[0]))
		}
		w[torchIndex(s, i)] = float32(x)
	}
	p.Value.SetFloat32s(w)
}

// TestSwAVStepGolden is a whole step: ResNet-18, two resolutions, head,
// prototypes, loss, every gradient.
func TestSwAVStepGolden(t *testing.T) {
	f := golden.Open(t, "swav_step")
	cfg := f.Ints("cfg")
	n, hidden, d, k := cfg[0], cfg[1], cfg[2], cfg[3]
	var sizes []int
	var names []string
	for key, to := range map[string]any{"crop_sizes": &sizes, "names": &names} {
		if err := json.Unmarshal([]byte(f.Meta(key)), to); err != nil {
			t.Fatal(err)
		}
	}
	b := backends(t)["cpu"]
	net, err := nn.ResNetByName("resnet18")
	if err != nil {
		t.Fatal(err)
	}
	rng := tensor.NewRNG(1, "test")
	c := DefaultSwAV()
	c.Crops, c.Batch, c.Hidden, c.Dim, c.Prototypes, c.Freeze = nil, n, hidden, d, k, 0
	for _, s := range sizes {
		c.Crops = append(c.Crops, data.Crop{Count: 1, Size: s, Scale: [2]float64{1, 1}})
	}
	m, err := NewSwAV(b, nn.NewResNet(b, net, rng), c, rng)
	if err != nil {
		t.Fatal(err)
	}
	weights := map[string]*autograd.Param{}
	state := map[string]*autograd.Param{}
	for _, p := range m.State() {
		state[p.Name] = p
		if p.Grad != nil {
			weights[p.Name] = p
			setHash(p)
		}
	}
	if len(weights) != len(names) {
		t.Fatalf("%d weights, want %d", len(weights), len(names))
	}

	tape := autograd.NewTape(b)
	defer tape.Release()
	tape.Begin(m.BeforeStep(Step{}))
	var views []*autograd.Var
	for from := 0; from < len(sizes); {
		to, s := from, sizes[from]
		var x []float32
		for ; to < len(sizes) && sizes[to] == s; to++ {
			v := hashUnit(fmt.Sprintf("crop%d", to), n*3*s*s)
			y := make([]float32, len(v))
			for i := range v { // NCHW to NHWC
				img, ch, px := i/(3*s*s), i/(s*s)%3, i%(s*s)
				y[(img*s*s+px)*3+ch] = float32(2 * v[i])
			}
			x = append(x, y...)
		}
		views = append(views, tape.Input(autograd.Dims((to-from)*n, s, s, 3), x))
		from = to
	}
	p := &nn.Pass{Tape: tape, Train: true}
	z, S, Q, loss := m.swap(tape, m.head.Forward(p, m.crops.Forward(p, m.encoder, views)))
	z.Keep()
	S.Keep()
	Q.Keep()
	tape.Backward(loss)
	if err := tape.Run(); err != nil {
		t.Fatal(err)
	}
	check := func(what string, v *autograd.Var, atol, rtol float64) {
		t.Helper()
		got := make([]float32, v.Shape().Len())
		if err := v.CopyTo(got); err != nil {
			t.Fatal(err)
		}
		golden.Close(t, what, got, f.F64(what), atol, rtol)
	}
	check("embedding", z, 1e-3, 0)
	check("scores", S, 1e-3, 0)
	check("q", Q, 5e-3, 0)
	check("loss", loss, 0, 1e-3)

	norm, first := f.F64("grad_norm"), f.F64("grad_first4")
	largest := 0.0
	for _, x := range norm {
		largest = max(largest, x)
	}
	for i, name := range names {
		w := weights[name]
		if w == nil {
			t.Fatalf("no weight %s", name)
		}
		g := w.Grad.Float32s()
		got := []float64{math.Sqrt(sqNorm(g))}
		golden.Close(t, name+" grad_norm", got, norm[i:i+1], 1e-5*largest, 2e-2)
		var four [4]float64
		for j := range min(4, len(g)) {
			four[j] = float64(g[torchIndex(w.Value.Shape(), j)])
		}
		golden.Close(t, name+" grad_first4", four[:], first[4*i:4*i+4], 2e-2*norm[i]+1e-5*largest, 0)
	}
	for _, layer := range []string{"bn1", "layer4.1.bn2", "projection_head.1"} {
		mean, variance := layer+".running_mean", layer+".running_var"
		golden.Close(t, mean, state[mean].Value.Float32s(), f.F64("after."+mean), 1e-3, 0)
		golden.Close(t, variance, state[variance].Value.Float32s(), f.F64("after."+variance), 0, 2e-3)
	}
}
