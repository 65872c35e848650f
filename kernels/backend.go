package kernels

// Backend is what a device can do: hold memory and run the ops below. The CPU
// implements it, package cuda does, and so does the float64 reference Ref64;
// kernelstest holds them all to one suite.
//
// Ops return no error. Shapes are checked above this package, and a device's
// failures are sticky: they come out of Sync and of every Download. Every
// field that a struct documents is mandatory for a backend: no caller asks
// whether a row can fuse. There is no silent fallback to the host.
//
// Unless a field says otherwise, memory is dense, row-major Float32 on the
// op's own backend; activations are NHWC, weights [OC,KH,KW,C]. Outputs may
// not overlap inputs except where an op allows it.
type Backend interface {
	// Name is the device and its best instruction set: "cpu/avx512".
	Name() string
	// Alloc makes n elements of type t; their values are undefined. The error
	// is a *MemoryError.
	Alloc(t DType, n int) (Mem, error)
	// Free ends memory made by Alloc.
	Free(m Mem)
	// Upload and Download move host values to and from memory of equal
	// length; they convert between float32 and the backend's own float type.
	// Every download waits for the ops issued so far and reports a device's
	// first failure; every upload has read src when it returns.
	Upload(dst Mem, src []float32)
	Download(dst []float32, src Mem) error
	// UploadInts and DownloadInts move Int32 memory, UploadFloat64 and
	// DownloadFloat64 memory allocated as Float64 (merged statistics, norms),
	// bit by bit.
	UploadInts(dst Mem, src []int32)
	DownloadInts(dst []int32, src Mem) error
	UploadFloat64(dst Mem, src []float64)
	DownloadFloat64(dst []float64, src Mem) error
	// Copy copies len(dst) elements of equal type within the backend.
	Copy(dst, src Mem)
	// Sync waits for all ops issued so far and reports the first failure.
	Sync() error
	// Enter and Leave bracket a run of ops (a training step): a CPU keeps its
	// team awake between them.
	Enter()
	Leave()

	// Workspace is the size in bytes of the Work memory that an op with these
	// arguments (*GemmArgs or *ConvArgs) needs: a function of shapes, never
	// of addresses.
	Workspace(args any) int
	// PreparedBytes and Prepare lay a weight out as the op's rows read it.
	PreparedBytes(a *PrepareArgs) int
	Prepare(a *PrepareArgs)

	Gemm(a *GemmArgs)
	Conv2D(a *ConvArgs)
	Conv2DGradInput(a *ConvArgs)
	Conv2DGradWeight(a *ConvArgs)

	ChannelStats(a *ChannelStatsArgs)
	BNMoments(a *BNMomentsArgs)
	BNFinalize(a *BNFinalizeArgs)
	BNApply(a *BNApplyArgs)
	BNReduce(a *BNReduceArgs)
	BNGradFinalize(a *BNGradFinalizeArgs)
	BNBackward(a *BNBackwardArgs)

	Pool(a *PoolArgs)
	PoolGrad(a *PoolArgs)

	RowNormalize(a *RowNormalizeArgs)
	RowNormalizeGrad(a *RowNormalizeArgs)
	LogSoftmax(a *LogSoftmaxArgs)
	LogSoftmaxGrad(a *LogSoftmaxArgs)
	CrossEntropy(a *CrossEntropyArgs)
	CrossEntropyGrad(a *CrossEntropyArgs)
	SoftCrossEntropy(a *SoftCrossEntropyArgs)
	SoftCrossEntropyGrad(a *SoftCrossEntropyArgs)
	LSE(a *LSEArgs)
	SinkhornCodes(a *SinkhornCodesArgs)

	Map(a *MapArgs)
	Broadcast(a *BroadcastArgs)
	Reduce(a *ReduceArgs)
	CopyRows(a *CopyRowsArgs)

	SquareNorms(a *SquareNormsArgs)
	Update(a *UpdateArgs)
	EMA(a *EMAArgs)
}

// Mat is a row-major matrix view: element (i, j) is at i*Ld + j.
type Mat struct {
	Mem
	Ld int
}

// Stats asks a producer for the per-channel sums of the values it stores,
// before bias, residual and ReLU. Rows are cut into chunks of StatsChunk that
// start anew at each group of Group rows (0: one group); chunk c of channel j
// holds sum(v-Shift[j]) at Part[(2c)*C+j] and sum((v-Shift[j])^2) at
// Part[(2c+1)*C+j], each summed in row order (the square by a fused
// multiply-add). BNMoments merges them.
type Stats struct {
	Part  Mem // [StatsChunks(M, Group), 2, C]; nil: no statistics
	Shift Mem // [C]; nil: zeros
	Group int // rows of one statistics group
}

// Epilogue is applied once, after the last chunk of k, to the finished value
// v = acc (+ C when accumulating): Stats over v; + Bias; + Residual; ReLU;
// store. ReLU(x) is x > 0 ? x : 0 with ReLU(NaN) = NaN.
type Epilogue struct {
	Stats    Stats
	Bias     Mem // [N]
	Residual Mat // [M,N]
	ReLU     bool
}

// ProKind says what a Prologue does to an operand as it is loaded.
type ProKind uint8

// ProNone loads as is. ProAffine loads relu?(x*Scale[c]+Shift[c]), a fused
// multiply-add; padding taps are zero after it. ProBNBackward loads
// A[c]*dy' + B[c]*x + C[c] (fma(A, dy', fma(B, x, C))), dy' = dy where the
// ReLU let x through, else 0: where Mask > 0, or without Mask where
// fma(x, Scale, Shift) > 0, or without both everywhere.
const (
	ProNone ProKind = iota
	ProAffine
	ProBNBackward
)

// Prologue is applied to an operand's elements as they are loaded. c is the
// operand's last axis. Coefficients are per statistics group: row r (pixel of
// an activation) uses set r/Group of [groups, C]; Group 0 is one group.
type Prologue struct {
	Kind         ProKind
	Scale, Shift Mem // [groups, C]; ProBNBackward: may be nil
	ReLU         bool
	A, B, C      Mem // ProBNBackward: [groups, C]
	X, Mask      Mem // ProBNBackward: same shape as the operand; Mask may be nil
	Group        int
}

// GemmArgs is C[M,N] (+)= A[M,K] B[K,N]. With TransA the memory of A is
// [K,M], with TransB that of B is [N,K].
type GemmArgs struct {
	M, N, K        int
	TransA, TransB bool
	A, B, C        Mat
	Accumulate     bool
	Prepared       *Prepared // of B; nil: B is packed in Work
	Pro            Prologue  // on A; ProAffine and ProBNBackward need !TransA
	Epi            Epilogue
	Work           Mem // Workspace(a) bytes
	// Batch > 1 is that many products of one shape: A, B and C of product i
	// begin i times their steps further on, in elements; 0 is one operand for
	// all, but no two C overlap. Bias and Prepared serve all; a batch has no
	// prologue, statistics or residual.
	Batch               int
	StepA, StepB, StepC int
}

// Products is how many products a asks for. It panics with *ArgError on a batch
// with what only a single product may have.
func (a *GemmArgs) Products() int {
	if a.Batch > 1 && (a.Pro.Kind != ProNone || !a.Epi.Stats.Part.IsNil() || !a.Epi.Residual.IsNil()) {
		panic(&ArgError{"Gemm", "a batch has no prologue, statistics or residual"})
	}
	return max(1, a.Batch)
}

// Product is product i of a batch by itself.
func (a *GemmArgs) Product(i int) GemmArgs {
	p := *a
	p.Batch = 0
	from := func(m Mem, step int) Mem { return m.At(i*step, m.Len-i*step) }
	p.A.Mem, p.B.Mem, p.C.Mem = from(a.A.Mem, a.StepA), from(a.B.Mem, a.StepB), from(a.C.Mem, a.StepC)
	return p
}

// ConvShape is a 2-D cross-correlation. C and OC are multiples of Groups.
type ConvShape struct {
	N, H, W, C       int
	OC, KH, KW       int
	StrideH, StrideW int
	PadH, PadW       int
	DilH, DilW       int
	Groups           int
}

// OH is the height of the output.
func (s *ConvShape) OH() int { return (s.H+2*s.PadH-s.DilH*(s.KH-1)-1)/s.StrideH + 1 }

// OW is the width of the output.
func (s *ConvShape) OW() int { return (s.W+2*s.PadW-s.DilW*(s.KW-1)-1)/s.StrideW + 1 }

// FLOP counts 2 per multiply-add, padding taps included.
func (s *ConvShape) FLOP() int {
	return 2 * s.N * s.OH() * s.OW() * s.OC * s.KH * s.KW * s.C / s.Groups
}

// ConvArgs serves the three passes over one shape:
//
//	Conv2D            Y (+)= X * Wt, Epi on Y, ProX on X
//	Conv2DGradInput   X (+)= gradient from Y, Wt; ProY on Y
//	Conv2DGradWeight  Wt (+)= gradient from X, Y; ProX on X, ProY on Y
//
// In the gradient passes X, Wt and Y hold gradients where they are written
// (Y is always dy). ProX is ProNone or ProAffine, ProY ProNone or
// ProBNBackward.
type ConvArgs struct {
	ConvShape
	X          Mem // [N,H,W,C]
	Wt         Mem // [OC,KH,KW,C/Groups]
	Y          Mem // [N,OH,OW,OC]
	Accumulate bool
	Prepared   *Prepared // of Wt for this pass; nil: prepared in Work
	ProX, ProY Prologue
	Epi        Epilogue // Conv2D only
	Work       Mem      // Workspace(a, pass) bytes
	Pass       Pass     // which pass Workspace is asked for
}

// Pass names what a weight is prepared for.
type Pass uint8

// PassForward is Conv2D, PassGradInput and PassGradWeight its gradients;
// PassGemm is B of a Gemm.
const (
	PassForward Pass = iota
	PassGradInput
	PassGradWeight
	PassGemm
)

// PrepareArgs asks for a weight in the layout of the row that will read it:
// for PassForward and PassGradInput Conv and Wt, for PassGemm N, K, TransB
// and B.
type PrepareArgs struct {
	Pass   Pass
	Conv   ConvShape
	Wt     Mem
	N, K   int
	TransB bool
	B      Mat
	Dst    *Prepared // Dst.Mem holds PreparedBytes
}

// Prepared is a weight laid out for one kernel row and one pass. It is valid
// as long as the weight's version, the row and the pass are those it was made
// for; its owner keys it so.
type Prepared struct {
	Mem
	Row string // the row that made it
}

// ChannelStatsArgs computes Stats of X [Rows,C], for producers without an
// epilogue.
type ChannelStatsArgs struct {
	Rows, C int
	X       Mem
	Stats   Stats
}

// BNMomentsArgs merges the chunks of Stats into Mean and M2, the sum of
// squared deviations from the mean, per group and channel in float64: chunks
// merge left to right by Chan's formula.
type BNMomentsArgs struct {
	Rows, C int
	Stats   Stats
	Moments Mem // Float64 [groups, 2, C]: mean, M2
}

// BNFinalizeArgs turns moments of Count values into the affine form of batch
// normalisation: InvStd = 1/sqrt(M2/Count+Eps), Scale = Gamma*InvStd,
// Shift = Beta - mean*Scale, computed in float64 and rounded once. Running
// statistics move by Momentum towards the mean over groups of the means and
// of the unbiased variances M2/(Count-1).
type BNFinalizeArgs struct {
	Groups, C     int
	Count         int // values per channel and group, over all ranks
	Moments       Mem // Float64 [Groups, 2, C]
	Gamma, Beta   Mem // [C]
	Eps, Momentum float32
	RunMean       Mem // [C], read and written; nil: left alone
	RunVar        Mem
	Eval          bool // use RunMean and RunVar (unchanged) instead of Moments; Groups is 1
	Mean, InvStd  Mem  // [Groups, C] out
	Scale, Shift  Mem  // [Groups, C] out
}

// BNApplyArgs is y = relu?(x*Scale + Shift + Residual) per channel, the
// product and first sum fused. Y may be X.
type BNApplyArgs struct {
	Rows, C      int
	Group        int // rows per coefficient set, 0: all
	X            Mem
	Scale, Shift Mem // [groups, C]
	Residual     Mem // [Rows,C] or nil
	ReLU         bool
	Y            Mem
}

// BNReduceArgs computes the two sums that batch norm's backward needs, in
// chunks of StatsChunk rows merged left to right in float64:
// Sums[g,0,c] = sum dy', Sums[g,1,c] = sum dy'*(x-Mean[g,c]), dy' = dy where
// the ReLU let x through, else 0: where Mask > 0, or without Mask where
// fma(x, Scale, Shift) > 0 (the normalised value made again instead of read),
// or without both everywhere.
type BNReduceArgs struct {
	Rows, C  int
	Group    int
	DY, X    Mem // [Rows,C]
	Mask     Mem // [Rows,C] or nil
	Scale    Mem // [groups,C] or nil
	Shift    Mem // [groups,C] or nil
	Mean     Mem // [groups,C]
	Sums     Mem // Float64 [groups,2,C]
	Work     Mem // Float32 [StatsChunks(Rows,Group), 2, C]
	DResid   Mem // nil, or [Rows,C]: receives dy' (gradient of a residual)
	AccResid bool
}

// BNGradFinalizeArgs turns the sums over Count values into the coefficients
// of dx = A*dy' + B*x + C and into the parameter gradients
// DGamma = sum_g Sums[g,1]*InvStd, DBeta = sum_g Sums[g,0].
// With k = Gamma*InvStd: A = k, B = -k*InvStd^2*Sums1/Count,
// C = -k*Sums0/Count - B*Mean. Eval: A = k, B = C = 0.
type BNGradFinalizeArgs struct {
	Groups, C     int
	Count         int
	Sums          Mem // Float64 [Groups,2,C], over all ranks for dx
	LocalSums     Mem // Float64 [Groups,2,C] of this rank, for DGamma, DBeta
	Gamma         Mem
	Mean, InvStd  Mem // [Groups,C]
	Eval          bool
	CoefA, CoefB  Mem // [Groups,C] out
	CoefC         Mem
	DGamma, DBeta Mem // [C]; nil: not wanted
	AccGamma      bool
	AccBeta       bool
}

// BNBackwardArgs is DX (+)= fma(A, dy', fma(B, x, C)) with dy' as in
// BNReduceArgs. DX may be DY when not accumulating.
type BNBackwardArgs struct {
	Rows, C             int
	Group               int
	DY, X, Mask         Mem
	Scale, Shift        Mem // [groups,C] or nil
	CoefA, CoefB, CoefC Mem // [groups,C]
	DX                  Mem
	Accumulate          bool
}

// PoolKind is what a pool takes of its window.
type PoolKind uint8

// PoolMax takes the first maximum in row-major window order (NaN wins).
// PoolAvg divides by the window's full size, PoolAvgValid by the taps that lie
// inside the image.
const (
	PoolMax PoolKind = iota
	PoolAvg
	PoolAvgValid
)

// PoolArgs pools [N,H,W,C] to [N,OH,OW,C]; the global pool is KH = H, KW = W
// without padding. Pool writes Y and, for PoolMax, Index: the tap kh*KW+kw of
// each maximum. PoolGrad reads dY (and Index) and writes dX (+ when
// Accumulate).
type PoolArgs struct {
	Kind             PoolKind
	N, H, W, C       int
	KH, KW           int
	StrideH, StrideW int
	PadH, PadW       int
	X, Y             Mem
	Index            Mem // Int32 [N,OH,OW,C]
	Accumulate       bool
}

// OH is the height of the output.
func (p *PoolArgs) OH() int { return (p.H+2*p.PadH-p.KH)/p.StrideH + 1 }

// OW is the width of the output.
func (p *PoolArgs) OW() int { return (p.W+2*p.PadW-p.KW)/p.StrideW + 1 }

// RowNormalizeArgs is y = x / max(|x|, 1e-12) per row. Norm receives
// max(|x|, 1e-12). The gradient is dx (+)= (dy - y (y.dy)) / norm, for rows
// whose norm was clamped dx (+)= dy / 1e-12. Y may be X.
type RowNormalizeArgs struct {
	Rows, C    int
	X, Y       Mem
	Norm       Mem // [Rows]; nil in forward: not wanted
	DY, DX     Mem
	Accumulate bool
}

// LogSoftmaxArgs is y = x - lse(x) per row; dx (+)= dy - exp(y) sum(dy).
type LogSoftmaxArgs struct {
	Rows, C    int
	X, Y       Mem
	DY, DX     Mem
	Accumulate bool
}

// CrossEntropyArgs is the mean over rows with Labels >= 0 of
// lse(x) - x[label]. Forward writes Loss [1] and LSE [Rows]; the gradient is
// dx (+)= DLoss[0] * (exp(x-LSE) - onehot) / count, 0 for ignored rows. With
// no labelled row the loss is 0.
type CrossEntropyArgs struct {
	Rows, C    int
	X          Mem
	Labels     Mem // Int32 [Rows]; negative: ignored
	Loss, LSE  Mem
	DLoss, DX  Mem
	Accumulate bool
}

// SoftCrossEntropyArgs is the cross-entropy against given distributions Q:
// Loss[0] = Weight * sum over rows of (lse(x/T)*sum(q) - sum(q*x)/T). Forward
// writes LSE [Rows] of x/T; the gradient is
// dx (+)= DLoss[0]*Weight/T * (exp(x/T-LSE)*sum(q) - q).
type SoftCrossEntropyArgs struct {
	Rows, C    int
	X, Q       Mat
	InvT       float32
	Weight     float32
	Loss, LSE  Mem
	AccLoss    bool // Loss[0] += instead of =
	DLoss      Mem
	DX         Mat
	Accumulate bool
}

// LSEArgs computes log-sum-exps of L = X*Scale - U[row] - V[col] (U or V may be
// nil). ByCol false: Out[row] = U[row] + lse over columns. ByCol true:
// Out[col] = V[col] + lse over rows. With Max given only the maximum of L
// (Phase 1) or the sum of exp(L - Max) (Phase 2) is written to Out, so that a
// group can reduce them in between; 0 is both.
type LSEArgs struct {
	Rows, C int
	X       Mat
	Scale   float32
	U, V    Mem
	ByCol   bool
	Phase   int
	Max     Mem
	Out     Mem
}

// SinkhornCodesArgs is Q = exp(X*Scale - U[row] - V[col]).
type SinkhornCodesArgs struct {
	Rows, C int
	X       Mat
	Scale   float32
	U, V    Mem
	Q       Mat
}

// MapOp is an elementwise function.
type MapOp uint8

// The elementwise functions; a and b are elements of A and B, s and t the
// scalars S and T. A fused multiply-add rounds once.
const (
	MapCopy     MapOp = iota // a
	MapFill                  // s
	MapScale                 // s*a
	MapAdd                   // a + b
	MapSub                   // a - b
	MapMul                   // a * b
	MapDiv                   // a / b
	MapAXPY                  // fma(s, a, b)
	MapAXPBY                 // fma(s, a, t*b)
	MapReLU                  // a > 0 ? a : 0, NaN stays
	MapReLUGrad              // b > 0 ? a : 0
	MapExp                   // exp(a), the contract's polynomial
	MapLog                   // log(a), likewise
	MapSqrt                  // sqrt(a)
	MapAffine                // fma(s, a, t)
	MapExpGrad               // a * b (dy * y)
	mapOps
)

// MapArgs is Dst (+)= f(A, B) over N dense elements. Dst may be A or B.
type MapArgs struct {
	Op         MapOp
	N          int
	Dst, A, B  Mem
	S, T       float32
	Accumulate bool
}

// BroadcastArgs is Dst (+)= f(A, B), f one of the two-operand MapOps, over
// Dims of Dst (dense); SA and SB are strides in elements, 0 on a broadcast
// axis.
type BroadcastArgs struct {
	Op         MapOp
	Dims       [4]int
	SA, SB     [4]int
	Dst, A, B  Mem
	S, T       float32
	Accumulate bool
}

// ReduceOp is what Reduce makes of an axis.
type ReduceOp uint8

// ReduceMax and ReduceArgMax take the first maximum, NaN wins; ReduceArgMax
// writes Int32.
const (
	ReduceSum ReduceOp = iota
	ReduceMean
	ReduceMax
	ReduceArgMax
)

// ReduceArgs reduces the middle axis of X [Outer, Axis, Inner] into
// Y [Outer, Inner]. Sums with Inner 1 use the 16 virtual lanes, others run in
// chunks of StatsChunk along the axis, chunks left to right.
type ReduceArgs struct {
	Op                 ReduceOp
	Outer, Axis, Inner int
	X, Y               Mem
	Accumulate         bool
}

// CopyRowsArgs copies Rows rows of C elements (any type): row i goes from
// SrcIndex[i] (i when nil) to DstIndex[i] (i when nil). Accumulate adds
// (Float32, DstIndex without repeats).
type CopyRowsArgs struct {
	Rows, C            int
	Dst, Src           Mat
	DstIndex, SrcIndex Mem // Int32 [Rows]
	Accumulate         bool
}

// Span is one parameter of a sweep: value, gradient and the optimizer's
// moments.
type Span struct {
	P, G, M, V Mem
	Decay      float32 // weight decay of this tensor
	Adapt      bool    // LARC and LARS: scaled by the trust ratio
}

// SquareNormsArgs computes sum(P^2) and sum(G^2) of each span into
// Out Float64 [n,2]: 16 lanes a chunk of 4096 elements, chunks left to right
// in float64.
type SquareNormsArgs struct {
	Spans []Span
	Out   Mem
	Work  Mem // Float32, 2 per chunk of 4096 elements of every span
}

// UpdateKind is an optimizer.
type UpdateKind uint8

// The optimizers; p parameter, g gradient, m and v moments, wd decay.
//
//	SGD   d = g + wd p; m = d at step 0, else mom m + d; p -= lr (nesterov ? d + mom m : m)
//	LARC  rate = trust |p| / (|g| + wd |p| + eps) when |p|, |g| > 0 and Adapt
//	      (clip: min(rate/lr, 1)): d = (g + wd p) rate; else d = g; then SGD
//	LARS  d = g + wd p; rate = Adapt && |p|,|d| > 0 ? trust |p|/|d| : 1;
//	      m = mom m + lr rate d; p -= m
//	Adam  d = g + wd p; m, v moments of d with bias correction;
//	      p -= lr mhat / (sqrt(vhat) + eps)
//	AdamW p *= 1 - lr wd, then Adam of g
const (
	UpdateSGD UpdateKind = iota
	UpdateLARC
	UpdateLARS
	UpdateAdam
	UpdateAdamW
)

// UpdateArgs is one sweep of an optimizer over all spans.
type UpdateArgs struct {
	Kind         UpdateKind
	Spans        []Span
	Norms        Mem // Float64 [n,2] of SquareNorms: LARC, LARS
	Step         int // 0 for the first
	LR           float32
	Momentum     float32
	Nesterov     bool
	Trust, Eps   float32
	Clip         bool
	Beta1, Beta2 float32
}

// EMAArgs is k = fma(Momentum, k, (1-Momentum)*q) over all spans: P is k, G q.
type EMAArgs struct {
	Spans    []Span
	Momentum float32
}
