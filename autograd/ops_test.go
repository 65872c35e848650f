package autograd

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// state makes a [c] state tensor with values of f.
func state(b kernels.Backend, c int, f func(i int) float32) *Param {
	p := NewState(b, "state", c)
	v := make([]float32, c)
	for i := range v {
		v[i] = f(i)
	}
	p.Value.SetFloat32s(v)
	return p
}

// running makes the running statistics of c channels.
func running(b kernels.Backend, c int) (mean, variance *Param) {
	return state(b, c, func(i int) float32 { return 0.25 * float32(i) }), state(b, c, func(i int) float32 { return 1 + 0.5*float32(i) })
}

func bnSample(train, relu, residual bool, groups int) *Sample {
	var mean, variance *Param
	s := &Sample{Inputs: []Shape{Dims(4, 3, 3, 2), Dims(2), Dims(2)}}
	if residual {
		s.Inputs = append(s.Inputs, Dims(4, 3, 3, 2))
	}
	s.Setup = func(b kernels.Backend) { mean, variance = running(b, 2) }
	s.Build = func(t *Tape, in []*Var) *Var {
		var res *Var
		if residual {
			res = in[3]
		}
		return BatchNorm(in[0], in[1], in[2], res, NormConfig{Eps: 1e-5, Momentum: 0.1, Train: train, ReLU: relu, Groups: groups, RunMean: mean, RunVar: variance})
	}
	return s
}

// unitSample is two units, the first one's result deferred or not, the input
// added to the second's.
func unitSample(train, relu, residual, deferred bool, groups int) *Sample {
	var m1, v1, m2, v2 *Param
	s := &Sample{Inputs: []Shape{Dims(4, 2, 3, 2), Dims(3, 1, 1, 2), Dims(3), Dims(3), Dims(2, 3, 3, 3), Dims(2), Dims(2)}}
	s.Setup = func(b kernels.Backend) {
		m1, v1 = running(b, 3)
		m2, v2 = running(b, 2)
	}
	s.Build = func(t *Tape, in []*Var) *Var {
		n := NormConfig{Eps: 1e-5, Momentum: 0.1, Train: train, ReLU: relu, Groups: groups, RunMean: m1, RunVar: v1}
		x := ConvBN(in[0], in[1], in[2], in[3], nil, ConvBNConfig{Norm: n, Deferred: deferred})
		n.RunMean, n.RunVar = m2, v2
		res := in[0]
		if !residual {
			res = nil
		}
		return ConvBN(x, in[4], in[5], in[6], res, ConvBNConfig{ConvConfig: Square(1, 1), Norm: n})
	}
	return s
}

// gridSample is a 1x1 unit, deferred, whose result goes through a second unit of
// c channels with the given kernel, stride and groups; no ReLU, whose kinks lie
// in the way of differences where there are many values.
func gridSample(c, size, k int, cfg ConvConfig, groups int) *Sample {
	var m1, v1, m2, v2 *Param
	s := &Sample{Inputs: []Shape{Dims(4, size, size, 2), Dims(c, 1, 1, 2), Dims(c), Dims(c), Dims(c, k, k, c/max(1, cfg.Groups)), Dims(c), Dims(c)}}
	s.Setup = func(b kernels.Backend) {
		m1, v1 = running(b, c)
		m2, v2 = running(b, c)
	}
	s.Build = func(t *Tape, in []*Var) *Var {
		n := NormConfig{Eps: 1e-5, Momentum: 0.1, Train: true, Groups: groups, RunMean: m1, RunVar: v1}
		x := ConvBN(in[0], in[1], in[2], in[3], nil, ConvBNConfig{Norm: n, Deferred: true})
		n.RunMean, n.RunVar = m2, v2
		return ConvBN(x, in[4], in[5], in[6], nil, ConvBNConfig{ConvConfig: cfg, Norm: n})
	}
	return s
}

func convSample(n, h, w, c, oc, kh, kw int, cfg ConvConfig) *Sample {
	g := max(1, cfg.Groups)
	return &Sample{Inputs: []Shape{Dims(n, h, w, c), Dims(oc, kh, kw, c/g), Dims(oc)},
		Build: func(t *Tape, in []*Var) *Var { return Conv2DBias(in[0], in[1], in[2], cfg) }}
}

// narrowGrad is s of convSample with an image that is not differentiated, whose
// weights are one channel's 144 repeated: few differences for many tiles.
func narrowGrad(s *Sample) *Sample {
	conv := s.Build
	s.Inputs[1] = Dims(1, 3, 3, 16)
	s.Build = func(t *Tape, in []*Var) *Var {
		var same []*Var
		for range s.Inputs[2].Len() {
			same = append(same, in[1])
		}
		return conv(t, []*Var{in[0], Concat(same...), in[2]})
	}
	return fixed(s, 0)
}

// fixed is s with an input that is not differentiated.
func fixed(s *Sample, input int) *Sample {
	s.Const = append(s.Const, input)
	return s
}

// samples has at least one entry for every op type, by its name.
var samples = map[string][]*Sample{
	"conv2D": {
		convSample(2, 5, 4, 3, 4, 3, 3, Square(1, 1)),
		convSample(1, 6, 5, 2, 3, 3, 2, ConvConfig{StrideH: 2, StrideW: 1, PadH: 1, PadW: 0}),
		convSample(1, 7, 7, 4, 4, 3, 3, ConvConfig{StrideH: 2, StrideW: 2, PadH: 2, PadW: 2, DilH: 2, DilW: 2, Groups: 2}),
		convSample(2, 3, 3, 2, 3, 1, 1, ConvConfig{}),
		convSample(2, 5, 5, 2, 3, 1, 1, ConvConfig{StrideH: 2, StrideW: 2}),
		convSample(1, 7, 6, 2, 3, 3, 3, ConvConfig{StrideH: 1, StrideW: 1, PadH: 2, PadW: 3, DilH: 2, DilW: 3}),
		convSample(2, 5, 4, 6, 6, 3, 3, ConvConfig{StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 6}), // depthwise
		convSample(1, 7, 6, 3, 6, 5, 5, ConvConfig{StrideH: 2, StrideW: 2, PadH: 2, PadW: 2, Groups: 3}), // two outputs a channel
		convSample(1, 5, 5, 8, 8, 3, 3, ConvConfig{StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 2}), // four channels a group
		convSample(1, 12, 11, 1, 4, 7, 7, ConvConfig{StrideH: 2, StrideW: 2, PadH: 3, PadW: 3}),          // stem
		convSample(1, 3, 2, 16, 16, 3, 3, Square(1, 1)),                                                  // Winograd
		convSample(1, 3, 3, 16, 16, 3, 3, Square(2, 1)),
		narrowGrad(convSample(12, 4, 4, 16, 16, 3, 3, Square(1, 1))), // Winograd's weight gradient
		{Inputs: []Shape{Dims(1, 4, 4, 2), Dims(2, 3, 3, 2)}, Build: func(t *Tape, in []*Var) *Var { // one weight twice, an image twice
			h := Conv2D(in[0], in[1], Square(1, 1))
			return Add(Conv2D(h, in[1], Square(1, 1)), Add(h, Conv2D(in[0], in[1], Square(1, 1))))
		}},
	},
	"batchNorm": {
		bnSample(true, false, false, 1), bnSample(true, true, true, 1), bnSample(true, true, false, 2),
		bnSample(false, true, true, 1), bnSample(false, true, false, 1), bnSample(true, false, true, 4),
	},
	"convBN": {
		unitSample(true, true, true, true, 1), unitSample(true, true, false, true, 2), unitSample(true, false, true, true, 1),
		unitSample(true, true, true, false, 2), unitSample(true, false, false, false, 1),
		unitSample(false, true, false, true, 1), unitSample(false, true, true, false, 1),
		gridSample(4, 4, 3, ConvConfig{StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, Groups: 4}, 1),                   // depthwise
		gridSample(4, 5, 3, ConvConfig{StrideH: 1, StrideW: 1, PadH: 2, PadW: 2, DilH: 2, DilW: 2, Groups: 2}, 2), // dilated, grouped
		gridSample(3, 5, 3, Square(2, 1), 4), fixed(gridSample(16, 2, 3, Square(1, 1), 2), 4), // Winograd
	},
	"matMul": {
		{Inputs: []Shape{Dims(3, 4), Dims(4, 5)}, Build: func(t *Tape, in []*Var) *Var { return MatMul(in[0], in[1]) }},
		{Inputs: []Shape{Dims(3, 4), Dims(5, 4)}, Build: func(t *Tape, in []*Var) *Var { return MatMulT(in[0], in[1]) }},
		{Inputs: []Shape{Dims(4, 3), Dims(4, 5)}, Build: func(t *Tape, in []*Var) *Var { return TMatMul(in[0], in[1]) }},
		{Inputs: []Shape{Dims(3, 4), Dims(5, 4), Dims(5)}, Build: func(t *Tape, in []*Var) *Var { return Linear(in[0], in[1], in[2]) }},
		{Inputs: []Shape{Dims(4, 4)}, Build: func(t *Tape, in []*Var) *Var { return MatMul(in[0], in[0]) }},
	},
	"pool": {
		{Inputs: []Shape{Dims(2, 5, 6, 3)}, Build: func(t *Tape, in []*Var) *Var { return MaxPool(in[0], 3, 2, 1) }},
		{Inputs: []Shape{Dims(1, 5, 6, 2)}, Build: func(t *Tape, in []*Var) *Var { return AvgPool(in[0], 3, 2, 1) }},
		{Inputs: []Shape{Dims(1, 5, 4, 2)}, Build: func(t *Tape, in []*Var) *Var {
			return Pool(in[0], PoolConfig{kernels.PoolAvgValid, 3, 3, 2, 2, 1, 1})
		}},
		{Inputs: []Shape{Dims(2, 3, 4, 5)}, Build: func(t *Tape, in []*Var) *Var { return GlobalAvgPool(in[0]) }},
	},
	"unary": {
		{Inputs: []Shape{Dims(3, 5)}, Build: func(t *Tape, in []*Var) *Var { return Affine(Scale(Exp(in[0]), 1.5), 2, 3) }},
		{Inputs: []Shape{Dims(3, 5)}, Positive: true, Build: func(t *Tape, in []*Var) *Var { return Sqrt(Log(Affine(in[0], 1, 1))) }},
		{Inputs: []Shape{Dims(7)}, Build: func(t *Tape, in []*Var) *Var { return ReLU(Affine(in[0], 1, 1.0/8192)) }},
	},
	"binary": {
		{Inputs: []Shape{Dims(3, 5), Dims(3, 5)}, Build: func(t *Tape, in []*Var) *Var {
			return Sub(Mul(in[0], Add(in[0], in[1])), in[1])
		}},
	},
	"rows": {
		{Inputs: []Shape{Dims(5, 3)}, Build: func(t *Tape, in []*Var) *Var { return Add(Rows(in[0], 1, 4), Rows(in[0], 0, 3)) }},
	},
	"concat": {
		{Inputs: []Shape{Dims(2, 3), Dims(1, 3)}, Build: func(t *Tape, in []*Var) *Var { return Concat(in[0], in[1], in[0]) }},
	},
	"normalize": {
		{Inputs: []Shape{Dims(4, 6)}, Build: func(t *Tape, in []*Var) *Var { return Normalize(in[0]) }},
	},
	"logSoftmax": {
		{Inputs: []Shape{Dims(4, 6)}, Build: func(t *Tape, in []*Var) *Var { return LogSoftmax(in[0]) }},
	},
	"crossEntropy": {
		{Inputs: []Shape{Dims(4, 6)}, Ints: [][]int32{{0, 5, -100, 2}}, Build: func(t *Tape, in []*Var) *Var { return CrossEntropy(in[0], in[1]) }},
	},
	"softCrossEntropy": {
		{Inputs: []Shape{Dims(6, 4), Dims(4, 4)}, Const: []int{1}, Positive: true, Build: func(t *Tape, in []*Var) *Var {
			return SoftCrossEntropy(in[0], in[1], SoftConfig{Rows: 2, T: 0.5, Weight: 0.25, N: 3, Pairs: [maxPairs]SoftPair{{2, 0}, {0, 2}, {4, 0}}})
		}},
	},
	"reduce": {
		{Inputs: []Shape{Dims(2, 3, 4)}, Build: func(t *Tape, in []*Var) *Var { return Mul(Sum(in[0], 1), Mean(in[0], 1)) }},
		{Inputs: []Shape{Dims(2, 3)}, Build: func(t *Tape, in []*Var) *Var { return Mean(in[0], -1) }},
	},
	"alias": {
		{Inputs: []Shape{Dims(2, 6)}, Build: func(t *Tape, in []*Var) *Var { return Mul(in[0].Reshape(3, 4), in[0].Detach().Reshape(3, 4)) }},
	},
	"input": {},
}

// TestEveryOpHasASample fails for an op type without an entry in samples.
func TestEveryOpHasASample(t *testing.T) {
	for _, name := range opTypes(t) {
		if _, ok := samples[name]; !ok {
			t.Errorf("op %s has no gradient sample in ops_test.go", name)
		}
	}
}

// opTypes lists the types of this package that have a Backward(*Ctx) method.
func opTypes(t *testing.T) []string {
	pkgs, err := parser.ParseDir(token.NewFileSet(), ".", func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range pkgs["autograd"].Files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "Backward" || len(fn.Type.Params.List) != 1 {
				continue
			}
			star, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
			if !ok || star.X.(*ast.Ident).Name != "Ctx" {
				continue
			}
			recv := fn.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name
			names = append(names, recv)
		}
	}
	if len(names) < 10 {
		t.Fatalf("found only the ops %v", names)
	}
	return names
}

// TestGradCheck holds every op's gradients to central differences in float64.
func TestGradCheck(t *testing.T) {
	for name, list := range samples {
		for i, s := range list {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				check := *s
				if name == "alias" { // Detach is meant to differ from the derivative
					check.Build = func(t *Tape, in []*Var) *Var { return Exp(in[0].Reshape(3, 4)) }
				}
				if err := GradCheck(&check, 1); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestFloat32AgainstFloat64 compares every op's values and gradients on the CPU
// with the float64 backend.
func TestFloat32AgainstFloat64(t *testing.T) {
	cpu := tensor.Default()
	for name, list := range samples {
		for i, s := range list {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				want, err := s.Eval(kernels.Ref64{}, 2)
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.Eval(cpu, 2)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "value", got.Value, want.Value)
				for j := range want.Grads {
					near(t, fmt.Sprintf("gradient %d", j), got.Grads[j], want.Grads[j])
				}
			})
		}
	}
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	var scale float64
	for _, w := range want {
		scale = max(scale, math.Abs(float64(w)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= 2e-5*(scale+1)) {
			t.Errorf("%s element %d: %g, float64 gives %g", what, i, got[i], want[i])
			return
		}
	}
}
