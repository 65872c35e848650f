package ptx

// The ops of kernels.Backend that are not products or convolutions, and a few
// that no op calls yet. The text of each file has formulas, layouts, grids,
// bytes and, marked as such, predictions. How to read it:
//
//	%p_ %r_ %d_ %f_ %g_   predicates, 32 bits, 64 bits, Float32, Float64
//	%f_x0 ... %f_x3       the thread's four elements of x
//	%p_0 ... %p_3         which of them exist
//	%p_vec                they lie side by side on 16 bytes: one access; else
//	                      %d_lane bytes apart: four accesses (LD_ONE_n, ST_ONE_n),
//	                      of which a warp's lanes still lie side by side
//	%d_off                byte offset of the first, the same in all operands
//
// Sums meet in shared memory or in a second launch, in a fixed order: no kernel
// adds by atomics, so that every run gives the same bits.
var (
	Map       = Entry("elementwise.ptx", "map", 256)
	Broadcast = Entry("elementwise.ptx", "broadcast", 256)

	ChannelStats   = Entry("norm.ptx", "channel_stats", 256)
	BNMoments      = Entry("norm.ptx", "bn_moments", 1024)
	BNSums         = Entry("norm.ptx", "bn_sums", 1024)
	BNFinalize     = Entry("norm.ptx", "bn_finalize", 128)
	BNApply        = Entry("norm.ptx", "bn_apply", 256)
	BNReduce       = Entry("norm.ptx", "bn_reduce", 256)
	BNGradFinalize = Entry("norm.ptx", "bn_grad_finalize", 128)
	BNBackward     = Entry("norm.ptx", "bn_backward", 256)

	PoolMax     = Entry("pool.ptx", "pool_max", 256)
	PoolAvg     = Entry("pool.ptx", "pool_avg", 256)
	PoolMaxGrad = Entry("pool.ptx", "pool_max_grad", 256)
	PoolAvgGrad = Entry("pool.ptx", "pool_avg_grad", 256)

	RowNormalize     = Entry("rows.ptx", "row_normalize", 256)
	RowNormalizeGrad = Entry("rows.ptx", "row_normalize_grad", 256)

	LogSoftmax           = Entry("softmax.ptx", "log_softmax", 256)
	LogSoftmaxGrad       = Entry("softmax.ptx", "log_softmax_grad", 256)
	CrossEntropy         = Entry("softmax.ptx", "cross_entropy", 256)
	CrossEntropyGrad     = Entry("softmax.ptx", "cross_entropy_grad", 256)
	SoftCrossEntropy     = Entry("softmax.ptx", "soft_cross_entropy", 256)
	SoftCrossEntropyGrad = Entry("softmax.ptx", "soft_cross_entropy_grad", 256)
	LossFold             = Entry("softmax.ptx", "loss_fold", 256)

	LSERows       = Entry("lse.ptx", "lse_rows", 256)
	LSECols       = Entry("lse.ptx", "lse_cols", 256)
	LSEColsFold   = Entry("lse.ptx", "lse_cols_fold", 256)
	SinkhornCodes = Entry("lse.ptx", "sinkhorn_codes", 256)

	ReduceRows = Entry("reduce.ptx", "reduce_rows", 256)
	ReduceCols = Entry("reduce.ptx", "reduce_cols", 256)
	ReduceFold = Entry("reduce.ptx", "reduce_fold", 256)

	CopyRows = Entry("copyrows.ptx", "copy_rows", 256)

	Squares     = Entry("optim.ptx", "squares", 256)
	SquaresFold = Entry("optim.ptx", "squares_fold", 256)
	TrustRates  = Entry("optim.ptx", "trust_rates", 128)
	Momentum    = Entry("optim.ptx", "momentum", 256)
	Adam        = Entry("optim.ptx", "adam", 256)
	EMA         = Entry("optim.ptx", "ema", 256)

	CastToBF16   = Entry("cast.ptx", "cast_to_bf16", 256)
	CastFromBF16 = Entry("cast.ptx", "cast_from_bf16", 256)

	Philox = Entry("rng.ptx", "philox", 256)

	HalfSquares = Entry("nearest.ptx", "half_squares", 256)
	Nearest     = Entry("nearest.ptx", "nearest", 256)

	QueueLSE  = Entry("queue.ptx", "queue_lse", 256)
	QueueRows = Entry("queue.ptx", "queue_rows", 256)
	QueueGrad = Entry("queue.ptx", "queue_grad", 256)
)
