package nn

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/internal/golden"
)

// hashed is n values of [-1,1) made from a name, as the golden file's text
// describes.
func hashed(name string, n int) []float64 {
	mix := func(z uint64) uint64 {
		z += 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	key := uint64(0xcbf29ce484222325)
	for _, c := range []byte(name) {
		key = (key ^ uint64(c)) * 0x100000001b3
	}
	key = mix(key)
	v := make([]float64, n)
	for i := range v {
		v[i] = 2*(float64(mix(key+uint64(i))>>40)*0x1p-24) - 1
	}
	return v
}

// setHashed gives a network the golden file's weights and fresh statistics.
func setHashed(state []*autograd.Param) {
	for _, p := range state {
		shape := p.Value.Shape()
		fanIn := p.Value.Len() / shape[0]
		v := make([]float32, p.Value.Len())
		for i, h := range hashed(p.Name, len(v)) {
			switch {
			case strings.HasSuffix(p.Name, "running_mean"):
			case strings.HasSuffix(p.Name, "running_var"):
				v[i] = 1
			case len(shape) > 1:
				v[i] = float32(h * math.Sqrt(6/float64(fanIn)))
			case strings.HasSuffix(p.Name, "bias"):
				v[i] = float32(0.1 * h)
			default:
				v[i] = float32(1 + 0.2*h)
			}
		}
		p.Value.SetFloat32s(fromTorch(v, shape))
	}
}

// hashedImages is the golden input [n,s,s,3].
func hashedImages(name string, n, s int) []float32 {
	v := make([]float32, n*3*s*s)
	for i, h := range hashed(name, len(v)) {
		v[i] = float32(2 * h)
	}
	return fromTorch(v, []int{n, s, s, 3})
}

// TestResNetGolden compares ResNet-18 and 50 with torchvision's: eval mode
// tightly, training mode within what two images' deep statistics allow. Short
// runs leave out ResNet-50.
func TestResNetGolden(t *testing.T) {
	f := golden.Open(t, "resnet")
	b := backend(t)
	const side = 64
	image := hashedImages("input", 2, side)
	archs := []string{"resnet18", "resnet50"}
	if testing.Short() {
		archs = archs[:1]
	}
	for _, arch := range archs {
		cfg, err := ResNetByName(arch)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Classes = 1000
		net := NewResNet(b, cfg, seeded())
		setHashed(net.State())
		var names []string
		if err := json.Unmarshal([]byte(f.Meta(arch+".names")), &names); err != nil {
			t.Fatal(err)
		}
		weights := Weights(net)
		for i, w := range weights {
			if i >= len(names) || w.Name != names[i] {
				t.Fatalf("%s: weight %d is %s", arch, i, w.Name)
			}
		}
		tape := autograd.NewTape(b)
		x := autograd.Dims(2, side, side, 3)

		tape.Begin("eval")
		logits := net.Forward(&Pass{Tape: tape}, tape.Input(x, image)).Keep()
		coef := make([]float32, 2*1000)
		for i, h := range hashed("coef", len(coef)) {
			coef[i] = float32(h)
		}
		tape.Backward(autograd.Sum(autograd.Mul(logits, tape.Input(autograd.Dims(2, 1000), coef)), -1))
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
		closeToMax(t, f, arch+".eval.logits", logits, 1e-4)
		closeGrads(t, f, arch+".eval", weights, 1e-3)

		tape.Begin("train")
		logits = net.Forward(&Pass{Tape: tape, Train: true}, tape.Input(x, image)).Keep()
		loss := autograd.CrossEntropy(logits, tape.Ints([]int32{3, 717}))
		tape.Backward(loss)
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
		closeToMax(t, f, arch+".train.logits", logits, 1e-3)
		golden.Close(t, arch+" loss", []float32{loss.Item()}, f.F64(arch+".train.loss"), 0, 1e-3)
		closeGrads(t, f, arch+".train", weights, 3e-2)
		for _, p := range net.State() {
			name := arch + ".after." + p.Name
			if !f.Has(name) {
				continue
			}
			atol := 0.0
			if strings.HasSuffix(p.Name, "running_mean") {
				atol = 1e-3
			}
			golden.Close(t, name, p.Value.Float32s(), f.F64(name), atol, 1e-3)
		}
		tape.Release()
	}
}

// closeToMax compares a value within tol of the largest wanted magnitude.
func closeToMax(t *testing.T, f *golden.File, name string, v *autograd.Var, tol float64) {
	t.Helper()
	got := make([]float32, v.Shape().Len())
	if err := v.CopyTo(got); err != nil {
		t.Fatal(err)
	}
	want, most := f.F64(name), 0.0
	for _, w := range want {
		most = max(most, math.Abs(w))
	}
	golden.Close(t, name, got, want, tol*most, 0)
}

// closeGrads compares every weight's gradient: norm, sum, first four entries.
func closeGrads(t *testing.T, f *golden.File, name string, weights []*autograd.Param, tol float64) {
	t.Helper()
	norms, sums, firsts := f.F64(name+".grad_norm"), f.F64(name+".grad_sum"), f.F64(name+".grad_first4")
	for i, w := range weights {
		g := toTorch(w.Grad.Float32s(), w.Grad.Shape())
		var sum, square float64
		for _, v := range g {
			sum += float64(v)
			square += float64(v) * float64(v)
		}
		what := name + " gradient of " + w.Name
		golden.Close(t, what+", norm", []float64{math.Sqrt(square)}, norms[i:i+1], 0, tol)
		golden.Close(t, what+", sum", []float64{sum}, sums[i:i+1], tol*norms[i]*math.Sqrt(float64(len(g))), 0)
		golden.Close(t, what+", first entries", g[:4], firsts[4*i:4*i+4], tol*norms[i], 0)
	}
}
