package emu

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"
)

// samples are values of a type that break things, and random ones.
func samples(t typ, n int, rng *rand.Rand) []uint64 {
	var out []uint64
	switch {
	case t.float():
		for _, f := range []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 1.5, 2.5, -2.5, 3e38, 65504, 65520, 1e-40, -1e-45, 0x1p-126, math.Inf(1), math.Inf(-1), math.NaN(), 2147483648, -2147483649, 1e20, 255.5} {
			out = append(out, t.pack(widest(t, f)))
		}
	default:
		for _, u := range []uint64{0, 1, 2, 5, 31, 32, 63, 64, 127, 128, 255, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 62, 1 << 63, ^uint64(0)} {
			out = append(out, u&t.mask())
		}
	}
	for len(out) < n {
		u := rng.Uint64() & t.mask()
		if t.float() {
			if x := rng.NormFloat64() * math.Ldexp(1, rng.IntN(12)-6); rng.IntN(2) == 0 {
				u = t.pack(widest(t, x))
			}
			if v := t.unpack(u); v != v {
				u = t.pack(v)
			}
		}
		out = append(out, u)
	}
	rng.Shuffle(n, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:n]
}

// widest rounds f to the type.
func widest(t typ, f float64) float64 {
	if t.bits == 64 {
		return f
	}
	return t.format().round(f, "rn")
}

// instruction is one that computes one value from up to three: "add.s32", with
// the types of destination and sources, and what it should give.
type instruction struct {
	op    string
	types string // destination, then sources
	want  func(x, y, z uint64) uint64
}

func registerType(t typ) string {
	if t.float() && t.bits >= 32 {
		return fmt.Sprintf("f%d", t.bits)
	}
	return fmt.Sprintf("b%d", max(t.bits, 16))
}

// program is a kernel that applies the instruction to 256 triples.
func (in instruction) program(ts []typ) string {
	var b strings.Builder
	b.WriteString(".reg .b64 %a<5>; .reg .b32 %i; .reg .b64 %o; .reg .b32 %c; mov.u32 %i, %tid.x; mul.wide.u32 %o, %i, 8;\n")
	for k, t := range ts {
		fmt.Fprintf(&b, ".reg .%s %%v%d; ld.param.u64 %%a%d, [p%d]; add.u64 %%a%d, %%a%d, %%o;\n", registerType(t), k, k, k, k, k)
	}
	ops := []string{"%v0"}
	for k, t := range ts[1:] {
		fmt.Fprintf(&b, "ld.global.b%d %%v%d, [%%a%d];\n", t.bits, k+1, k+1)
		ops = append(ops, fmt.Sprintf("%%v%d", k+1))
	}
	text := in.op
	if strings.Contains(text, "$") {
		text = strings.NewReplacer("$0", "%v0", "$1", "%v1", "$2", "%v2", "$3", "%v3").Replace(text)
	} else {
		text += " " + strings.Join(ops, ", ")
	}
	fmt.Fprintf(&b, "%s;\nst.global.b%d [%%a0], %%v0;\nret;", text, max(ts[0].bits, 16))
	return ptx(".param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 p3", b.String())
}

func (in instruction) check(t *testing.T, r *rig) {
	t.Helper()
	var ts []typ
	for _, s := range strings.Fields(in.types) {
		ts = append(ts, types[s])
	}
	f := r.kernel(in.program(ts))
	const n = 256
	rng := rand.New(rand.NewPCG(7, uint64(len(in.op))))
	out := r.buffer(make([]uint64, n))
	args := []any{out}
	var v [3][]uint64
	for k := range v {
		v[k] = make([]uint64, n)
		if k+1 < len(ts) {
			v[k] = samples(ts[k+1], n, rng)
		}
		args = append(args, r.buffer(v[k]))
	}
	r.launch(f, 1, n, args...)
	got := make([]uint64, n)
	r.read(got, out)
	for i := range got {
		want := in.want(v[0][i], v[1][i], v[2][i]) & ts[0].mask()
		if g := got[i] & ts[0].mask(); g != want {
			t.Errorf("%s of %#x %#x %#x is %#x, want %#x", in.op, v[0][i], v[1][i], v[2][i], g, want)
			return
		}
	}
}

func nan64(f float64) uint64 { return types["f64"].pack(f) }

// exact is a op b (or a*b+c) in arbitrary precision, rounded once to float32.
func exact(f func(a, b, c *big.Float) *big.Float, mode big.RoundingMode) func(x, y, z uint64) uint64 {
	return func(x, y, z uint64) uint64 {
		a, b, c := f32(x), f32(y), f32(z)
		const p = 700
		big3 := func(v float32) *big.Float { return new(big.Float).SetPrec(p).SetFloat64(float64(v)) }
		r := f(big3(a), big3(b), big3(c))
		if r.Sign() == 0 {
			return 0
		}
		return roundBig(r, mode)
	}
}

// roundBig rounds to float32, subnormals and overflow too.
func roundBig(r *big.Float, mode big.RoundingMode) uint64 {
	e := r.MantExp(nil)
	prec := 24
	if e-1 < -126 {
		prec = 24 - (-126 - (e - 1))
	}
	neg := r.Signbit()
	if prec <= 0 { // below half of the least, or about it
		least := new(big.Float).SetPrec(700).SetMantExp(big.NewFloat(1), -149)
		half := new(big.Float).SetPrec(700).SetMantExp(big.NewFloat(1), -150)
		a := new(big.Float).Abs(r)
		up := a.Cmp(half) > 0
		switch mode {
		case big.ToZero:
			up = false
		case big.ToNegativeInf:
			up = neg
		case big.ToPositiveInf:
			up = !neg
		}
		v, _ := least.Float32()
		if !up {
			v = 0
		}
		if neg {
			v = -v
			if !up {
				v = float32(math.Copysign(0, -1))
			}
		}
		return uint64(math.Float32bits(v))
	}
	q := new(big.Float).SetPrec(uint(prec)).SetMode(mode).Set(r)
	v, _ := q.Float32()
	if math.IsInf(float64(v), 0) || q.MantExp(nil) > 128 {
		toward := mode == big.ToZero || mode == big.ToNegativeInf && !neg || mode == big.ToPositiveInf && neg
		v = float32(math.Inf(1))
		if toward {
			v = math.MaxFloat32
		}
		if neg {
			v = -v
		}
	}
	return uint64(math.Float32bits(v))
}

func sum(a, b, _ *big.Float) *big.Float      { return a.Add(a, b) }
func product2(a, b, _ *big.Float) *big.Float { return a.Mul(a, b) }
func fusedSum(a, b, c *big.Float) *big.Float { return a.Add(a.Mul(a, b), c) }

// TestFusedTies takes sums that lie on or beside a tie of float32, among
// normal numbers and subnormals: where rounding twice would go wrong.
func TestFusedTies(t *testing.T) {
	const n = 1024
	rng := rand.New(rand.NewPCG(5, 6))
	var v [3][]float32
	for i := range n {
		a, b := float32(1+rng.Float64()), float32(1+rng.Float64())
		c := float32(math.Ldexp(float64(a)*float64(b), 20+rng.IntN(10)))
		if i%2 == 0 { // the product is half a unit of c, and a little
			a, b = 1+float32(rng.IntN(3))*0x1p-23, 1-float32(rng.IntN(3))*0x1p-23
			c = float32(math.Ldexp(float64(1<<23+rng.IntN(1<<23)), 1))
		}
		if i%4 >= 2 { // the same among subnormals: a unit is 2^-149
			a, b = float32(math.Ldexp(float64(a), -75)), float32(math.Ldexp(float64(b), -75))
			c = float32(math.Ldexp(float64(rng.IntN(1<<22)), -149))
		}
		v[0], v[1], v[2] = append(v[0], a), append(v[1], b), append(v[2], c)
	}
	r := newRig(t, Config{})
	f := r.kernel(instruction{op: "fma.rn.f32", types: "f32 f32 f32 f32"}.program([]typ{types["f32"], types["f32"], types["f32"], types["f32"]}))
	wide := func(s []float32) []uint64 {
		var u []uint64
		for _, x := range s {
			u = append(u, bits32(x))
		}
		return u
	}
	out := r.buffer(make([]uint64, n))
	r.launch(f, 1, n, out, r.buffer(wide(v[0])), r.buffer(wide(v[1])), r.buffer(wide(v[2])))
	got := make([]uint64, n)
	r.read(got, out)
	twice := 0
	for i, g := range got {
		a, b, c := v[0][i], v[1][i], v[2][i]
		want := exact(fusedSum, big.ToNearestEven)(bits32(a), bits32(b), bits32(c))
		if g != want {
			t.Fatalf("fma(%x, %x, %x) is %#x, want %#x", a, b, c, g, want)
		}
		if bits32(float32(math.FMA(float64(a), float64(b), float64(c)))) != want {
			twice++
		}
	}
	if twice < 20 {
		t.Errorf("only %d samples tell rounding once from twice", twice)
	}
}

func TestFloat32Rounding(t *testing.T) {
	modes := map[string]big.RoundingMode{"rn": big.ToNearestEven, "rz": big.ToZero, "rm": big.ToNegativeInf, "rp": big.ToPositiveInf}
	r := newRig(t, Config{})
	for name, mode := range modes {
		for op, f := range map[string]func(a, b, c *big.Float) *big.Float{"add": sum, "mul": product2, "fma": fusedSum} {
			ts := "f32 f32 f32"
			if op == "fma" {
				ts += " f32"
			}
			want := exact(f, mode)
			in := instruction{op: op + "." + name + ".f32 $0, $1, $2", types: ts}
			if op == "fma" {
				in.op += ", $3"
			}
			plain := map[string]func(a, b, c float32) float32{
				"add": func(a, b, c float32) float32 { return a + b },
				"mul": func(a, b, c float32) float32 { return a * b },
				"fma": func(a, b, c float32) float32 { return float32(math.FMA(float64(a), float64(b), float64(c))) },
			}[op]
			in.want = func(x, y, z uint64) uint64 {
				a, b, c := float64(f32(x)), float64(f32(y)), float64(f32(z))
				if s := a + b + c; s != s || math.IsInf(s, 0) {
					return bits32(plain(f32(x), f32(y), f32(z)))
				}
				w := want(x, y, z)
				if w&0x7fffffff == 0 && f32(x) != 0 && f32(y) != 0 && op == "mul" || w&0x7fffffff != 0 {
					return w
				}
				p := float64(f32(x)) * float64(f32(y))
				if op == "add" {
					p, c = a, b
				}
				if mode == big.ToNegativeInf && op != "mul" && math.Signbit(p) != math.Signbit(c) {
					return 1 << 31 // x-x
				}
				return bits32(plain(f32(x), f32(y), f32(z)))
			}
			in.check(t, r)
		}
	}
}

var _ = bits.Len
