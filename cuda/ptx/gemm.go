package ptx

import "fmt"

//go:generate go run ./build

// Product is a family of tile kernels: one way to read the operands of
// C[M,N] (+)= A[M,K] B[K,N], on tiles of several sizes and on two units.
type Product struct {
	F32  []*Kernel // FP32 lanes, exact products: tiles of 32, 64 and (mostly) 128
	TF32 []*Kernel // tensor cores, inputs rounded to TF32: tiles of 64 and 128
}

// Edge is the rows and columns of C that a block of k computes.
func (p *Product) Edge(k *Kernel) int { return k.Block / 2 }

func product(name string, large bool) *Product {
	p := &Product{}
	for _, n := range []int{32, 64, 128} {
		if n == 128 && !large {
			continue
		}
		p.F32 = append(p.F32, Entry(name+".ptx", fmt.Sprintf("%s_f32_%d", name, n), 2*n))
		if n > 32 {
			p.TF32 = append(p.TF32, Entry(name+"_tf32.ptx", fmt.Sprintf("%s_tf32_%d", name, n), 2*n))
		}
	}
	return p
}

// The products. N and T say whether A and B are transposed in memory; affine
// and bn name the prologues.
var (
	GemmNN       = product("gemm_nn", true)
	GemmNT       = product("gemm_nt", true)
	GemmTN       = product("gemm_tn", true)
	GemmTT       = product("gemm_tt", false)
	GemmNNAffine = product("gemm_nn_affine", false)
	GemmNTAffine = product("gemm_nt_affine", true)
	GemmNNBN     = product("gemm_nn_bn", true)
	GemmNTBN     = product("gemm_nt_bn", false)

	ConvForward            = product("conv_forward", true)
	ConvForwardAffine      = product("conv_forward_affine", true)
	ConvGradInput          = product("conv_gradinput", true)
	ConvGradInputBN        = product("conv_gradinput_bn", true)
	ConvGradWeight         = product("conv_gradweight", true)
	ConvGradWeightAffine   = product("conv_gradweight_affine", false)
	ConvGradWeightBN       = product("conv_gradweight_bn", false)
	ConvGradWeightBNAffine = product("conv_gradweight_bn_affine", true)
)

// The second passes: partial products of a split k, and slots of statistics
// chunks.
var (
	GemmReduce = Entry("gemm_sums.ptx", "gemm_reduce", 256)
	GemmStats  = Entry("gemm_sums.ptx", "gemm_stats", 256)
)

// The BF16 products, C[M,N] (+)= A[M,K] B[K,N] and B^T[N,K]; no op of
// kernels.Backend calls them yet.
var (
	GemmBF16NN = Entry("gemm_bf16.ptx", "gemm_bf16_nn", 128)
	GemmBF16NT = Entry("gemm_bf16.ptx", "gemm_bf16_nt", 128)
)
