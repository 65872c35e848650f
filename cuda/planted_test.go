package cuda

import (
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/kernels"
)

// planted is a driver that is given a kernel text with a fault in it.
type planted struct {
	driver.API
	from, to string
	done     bool
}

func (p *planted) ModuleLoadData(text string) (driver.Module, string, error) {
	if strings.Contains(text, p.from) {
		text, p.done = strings.Replace(text, p.from, p.to, 1), true
	}
	return p.API.ModuleLoadData(text)
}

// TestPlantedFaults plants faults into the kernels' text and shows that the
// edge cases, or the emulator under them, see each.
func TestPlantedFaults(t *testing.T) {
	stats := func(e *edge) {
		const rows, c = 400, 6
		x := e.in(rows*c, 3, 5)
		st := kernels.Stats{Part: e.in(2*3*c, 0, 1)}
		e.b.ChannelStats(&kernels.ChannelStatsArgs{Rows: rows, C: c, X: x, Stats: st})
		m := e.alloc(kernels.Float64, 2*c)
		e.b.BNMoments(&kernels.BNMomentsArgs{Rows: rows, C: c, Stats: st, Moments: m})
		e.out("moments", m, 200*rows)
	}
	apply := func(e *edge) {
		y := e.in(9*6, -1, 1)
		e.b.BNApply(&kernels.BNApplyArgs{Rows: 9, C: 6, Group: 3, X: e.in(9*6, -1, 1), Scale: e.in(3*6, 1, 2), Shift: e.in(3*6, -1, 1), Y: y})
		e.out("y", y, 8)
	}
	relu := func(e *edge) {
		v := e.draw(1030, -1, 1)
		v[0], v[1024] = nan32, nan32
		m := kernels.MapArgs{Op: kernels.MapReLU, N: 1030, A: e.hold(v), Dst: e.in(1030, 0, 1)}
		e.b.Map(&m)
		e.out("dst", m.Dst, 1)
	}
	pool := func(e *edge) {
		a := kernels.PoolArgs{N: 1, H: 7, W: 6, C: 5, KH: 3, KW: 2, StrideH: 2, StrideW: 2, PadH: 1, X: e.in(7*6*5, -1, 1), Y: e.in(4*3*5, 0, 1), Index: e.ints(make([]int32, 60)...)}
		e.b.Pool(&a)
		e.out("index", a.Index, 0)
		g := a
		g.X, g.Y = e.in(7*6*5, 0, 1), e.in(60, 0, 1)
		e.b.PoolGrad(&g)
		e.out("dx", g.X, 8)
	}
	normalize := func(e *edge) {
		a := kernels.RowNormalizeArgs{Rows: 3, C: 40, X: e.in(120, -1, 1), Y: e.in(120, 0, 1), Norm: e.in(3, 0, 1)}
		e.b.RowNormalize(&a)
		e.out("norm", a.Norm, 4)
	}
	softmax := func(e *edge) {
		a := kernels.LogSoftmaxArgs{Rows: 2, C: 700, X: e.in(1400, -9, 9), Y: e.in(1400, 0, 1)}
		e.b.LogSoftmax(&a)
		e.out("y", a.Y, 32)
	}
	lse := func(e *edge) {
		for _, byCol := range []bool{false, true} {
			a := kernels.LSEArgs{Rows: 130, C: 132, Scale: 1, ByCol: byCol, Out: e.in(130, 0, 1)}
			x := e.draw(a.Rows*a.C, -1, 1)
			for i := range a.C {
				x[i] = inf32 // the first row
			}
			if byCol {
				x, a.Rows, a.C = x[200:], 66, 130
			}
			a.X = kernels.Mat{Mem: e.hold(x), Ld: a.C}
			e.b.LSE(&a)
			e.out("lse", a.Out, 32)
		}
	}
	argmax := func(e *edge) {
		for _, inner := range []int{1, 2} {
			x := make([]float32, 300*inner)
			for i := range x {
				x[i] = float32(i % 7)
			}
			a := kernels.ReduceArgs{Op: kernels.ReduceArgMax, Outer: 1, Axis: 300, Inner: inner, X: e.hold(x), Y: e.ints(make([]int32, inner)...)}
			e.b.Reduce(&a)
			e.out("argmax", a.Y, 0)
		}
	}
	sgd := func(e *edge) {
		s := []kernels.Span{{P: e.in(9000, -1, 1), G: e.in(9000, -1, 1), M: e.in(9000, -1, 1), Decay: 0.1}}
		for step := range 2 {
			e.b.Update(&kernels.UpdateArgs{Spans: s, Step: step, LR: 0.1, Momentum: 0.9})
		}
		e.out("p", s[0].P, 8)
	}
	norms := func(e *edge) {
		out := e.alloc(kernels.Float64, 2)
		e.b.SquareNorms(&kernels.SquareNormsArgs{Spans: []kernels.Span{{P: e.in(9000, -1, 1), G: e.in(9000, -1, 1)}}, Out: out, Work: e.in(6, 0, 1)})
		e.out("norms", out, 9000)
	}
	for _, f := range []struct {
		name     string
		from, to string
		run      func(*edge)
	}{
		{"statistics without their barrier", "bar.sync 0;", "", stats},
		{"chunks of 167 rows", "mul.lo.u32 %r_k, %r_k, 168;", "mul.lo.u32 %r_k, %r_k, 167;", stats},
		{"warp 7 left out", "ld.shared.v2.f32 {%f_x0, %f_x1}, [%r_k+1792];", "", stats},
		{"a tree that stops early", "setp.ge.u32 %p_t, %r_half, 8;", "setp.ge.u32 %p_t, %r_half, 16;", stats},
		{"merge without a barrier", "bar.sync 0;\n\tsetp.ge.u32 %p_t, %r_tid, %r_half;", "setp.ge.u32 %p_t, %r_tid, %r_half;", stats},
		{"coefficients of group 0", "mov.u32 %r_k, %ctaid.z;\n\tmul.lo.u32 %r_k, %r_k, %r_C;", "mov.u32 %r_k, 0;\n\tmul.lo.u32 %r_k, %r_k, %r_C;", apply},
		{"a tail one too long", "setp.lt.u32 %p_0, %r_c, %r_left;", "setp.le.u32 %p_0, %r_c, %r_left;", relu},
		{"a maximum that loses NaN", "max.NaN.f32 %f_v0, %f_a0, 0f00000000;", "max.f32 %f_v0, %f_a0, 0f00000000;", relu},
		{"taps counted by the height", "mad.lo.u32 %r_tap, %r_tap, %r_KW, %r_k;", "mad.lo.u32 %r_tap, %r_tap, %r_KH, %r_k;", pool},
		{"the first window of a pixel missed", "div.u32 %r_k, %r_k, %r_SH;\n\tadd.u32 %r_k, %r_k, 1;", "div.u32 %r_k, %r_k, %r_SH;\n\tadd.u32 %r_k, %r_k, 2;", pool},
		{"a shuffle of the wrong distance", "shfl.sync.bfly.b32 %f_w, %f_ss, 1, 31", "shfl.sync.bfly.b32 %f_w, %f_ss, 2, 31", normalize},
		{"pairs read before they are there", "st.shared.v2.f32 [%r_sm], {%f_m, %f_s};\n\tbar.sync 0;", "st.shared.v2.f32 [%r_sm], {%f_m, %f_s};", softmax},
		{"equal infinities", "setp.eq.f32 %p_o, %f_x1, %f_m;", "setp.ne.f32 %p_o, %f_x1, %f_x1;", lse},
		{"a warp of a column left out", "mov.u32 %r_j, 1;\nJOIN:", "mov.u32 %r_j, 2;\nJOIN:", lse},
		{"the last maximum", "setp.lt.and.u32 %p_b3, %r_w, %r_i, %p_b3;", "setp.gt.and.u32 %p_b3, %r_w, %r_i, %p_b3;", argmax},
		{"chunks that overlap", "mul.wide.u32 %d_at, %r_at, 16384;", "mul.wide.u32 %d_at, %r_at, 16380;", norms},
		{"momentum from the first step", "@%p_first bra START;", "", sgd},
		{"a span's last chunk missed", "ld.global.u32 %r_last, [%d_k+4];", "ld.global.u32 %r_last, [%d_k+4];\n\tsub.u32 %r_last, %r_last, 1;", norms},
	} {
		p := &planted{API: emulator(), from: f.from, to: f.to}
		d, err := Open(p, 0, Options{NoGraphs: true})
		if err != nil {
			t.Fatal(err)
		}
		bad := edgeFaults(d, f.run)
		switch {
		case !p.done:
			t.Errorf("%s: %q is in no kernel that ran", f.name, f.from)
		case len(bad) == 0:
			t.Errorf("%s: not seen", f.name)
		default:
			t.Logf("%s: %.200s", f.name, bad[0])
		}
		d.Close()
	}
	d := emulated(t)
	for i, run := range []func(*edge){stats, apply, relu, pool, normalize, softmax, lse, argmax, sgd, norms} {
		if bad := edgeFaults(d, run); len(bad) > 0 {
			t.Errorf("case %d without a fault: %v", i, bad)
		}
	}
}
