// exp and log as macros on one vector register. exp.go has the formulas and
// says where the polynomials come from; both instruction sets evaluate them by
// the same chain of fused multiply-adds, so their bits agree. NaNs pass
// through: MAX and MIN return their second source (the first operand here) when
// either is NaN.

#define CMin     ·expTable+0(SB)
#define CMax     ·expTable+32(SB)
#define CLog2E   ·expTable+64(SB)
#define CLn2Hi   ·expTable+96(SB)
#define CLn2Lo   ·expTable+128(SB)
#define CExp6    ·expTable+160(SB)
#define CExp5    ·expTable+192(SB)
#define CExp4    ·expTable+224(SB)
#define CExp3    ·expTable+256(SB)
#define CExp2    ·expTable+288(SB)
#define COne     ·expTable+320(SB)
#define CBias    ·expTable+352(SB)
#define CLog10   ·expTable+384(SB)
#define CLog9    ·expTable+416(SB)
#define CLog8    ·expTable+448(SB)
#define CLog7    ·expTable+480(SB)
#define CLog6    ·expTable+512(SB)
#define CLog5    ·expTable+544(SB)
#define CLog4    ·expTable+576(SB)
#define CLog3    ·expTable+608(SB)
#define CLog2    ·expTable+640(SB)
#define CFrom    ·expTable+672(SB)
#define C23      ·expTable+704(SB)
#define CNormal  ·expTable+736(SB)
#define CScale23 ·expTable+768(SB)
#define CInf     ·expTable+800(SB)
#define CNegInf  ·expTable+832(SB)
#define CNaN     ·expTable+864(SB)

// EXPCONST512 loads what EXP512 keeps in Z16-Z26.
#define EXPCONST512 \
	VBROADCASTSS CMin, Z16;   \
	VBROADCASTSS CMax, Z17;   \
	VBROADCASTSS CLog2E, Z18; \
	VBROADCASTSS CLn2Hi, Z19; \
	VBROADCASTSS CLn2Lo, Z20; \
	VBROADCASTSS CExp6, Z21;  \
	VBROADCASTSS CExp5, Z22;  \
	VBROADCASTSS CExp4, Z23;  \
	VBROADCASTSS CExp3, Z24;  \
	VBROADCASTSS CExp2, Z25;  \
	VBROADCASTSS COne, Z26

// EXP512: Z0 = exp(Z0), Z2 and Z3 are scratch. VSCALEF rounds p*2^n once.
#define EXP512 \
	VMAXPS       Z0, Z16, Z0;  \
	VMINPS       Z0, Z17, Z0;  \
	VMULPS       Z0, Z18, Z2;  \
	VRNDSCALEPS  $0, Z2, Z2;   \
	VFNMADD231PS Z2, Z19, Z0;  \
	VFNMADD231PS Z2, Z20, Z0;  \
	VMOVAPS      Z21, Z3;      \
	VFMADD213PS  Z22, Z0, Z3;  \
	VFMADD213PS  Z23, Z0, Z3;  \
	VFMADD213PS  Z24, Z0, Z3;  \
	VFMADD213PS  Z25, Z0, Z3;  \
	VFMADD213PS  Z26, Z0, Z3;  \
	VFMADD213PS  Z26, Z0, Z3;  \
	VSCALEFPS    Z2, Z3, Z0

// EXP256: Y0 = exp(Y0), Y2, Y3 and Y4 are scratch. Half of n is added to the
// polynomial's exponent, which is exact (|n/2| <= 75), the other half is a
// product: the result is rounded once, like VSCALEF's.
#define EXP256 \
	VMOVUPS      CMin, Y3;        \
	VMAXPS       Y0, Y3, Y0;      \
	VMOVUPS      CMax, Y3;        \
	VMINPS       Y0, Y3, Y0;      \
	VMULPS       CLog2E, Y0, Y2;  \
	VROUNDPS     $0, Y2, Y2;      \
	VFNMADD231PS CLn2Hi, Y2, Y0;  \
	VFNMADD231PS CLn2Lo, Y2, Y0;  \
	VMOVUPS      CExp6, Y3;       \
	VFMADD213PS  CExp5, Y0, Y3;   \
	VFMADD213PS  CExp4, Y0, Y3;   \
	VFMADD213PS  CExp3, Y0, Y3;   \
	VFMADD213PS  CExp2, Y0, Y3;   \
	VFMADD213PS  COne, Y0, Y3;    \
	VFMADD213PS  COne, Y0, Y3;    \
	VCVTPS2DQ    Y2, Y2;          \
	VPSRAD       $1, Y2, Y4;      \
	VPSUBD       Y4, Y2, Y2;      \
	VPSLLD       $23, Y4, Y4;     \
	VPADDD       Y4, Y3, Y3;      \
	VPADDD       CBias, Y2, Y2;   \
	VPSLLD       $23, Y2, Y2;     \
	VMULPS       Y2, Y3, Y0

// LOGCONST512 loads what LOG512 keeps in Z10-Z29.
#define LOGCONST512 \
	VBROADCASTSS CNormal, Z10;  \
	VBROADCASTSS CScale23, Z11; \
	VBROADCASTSS CFrom, Z12;    \
	VBROADCASTSS C23, Z13;      \
	VBROADCASTSS CInf, Z14;     \
	VBROADCASTSS CNegInf, Z15;  \
	VBROADCASTSS CNaN, Z16;     \
	VBROADCASTSS CLog10, Z17;   \
	VBROADCASTSS CLog9, Z18;    \
	VBROADCASTSS CLog8, Z19;    \
	VBROADCASTSS CLog7, Z20;    \
	VBROADCASTSS CLog6, Z21;    \
	VBROADCASTSS CLog5, Z22;    \
	VBROADCASTSS CLog4, Z23;    \
	VBROADCASTSS CLog3, Z24;    \
	VBROADCASTSS CLog2, Z25;    \
	VBROADCASTSS COne, Z26;     \
	VBROADCASTSS CLn2Hi, Z27;   \
	VBROADCASTSS CLn2Lo, Z28;   \
	VXORPS Z29, Z29, Z29

// LOG512: Z0 = log(Z0); Z2-Z6 and K2 are scratch. Denormals are scaled by 2^23.
// +Inf stays, a zero gives -Inf, what is below or no number gives NaN.
#define LOG512 \
	VMOVAPS     Z0, Z6;            \
	VCMPPS      $0x11, Z10, Z0, K2; \
	VMULPS      Z11, Z0, K2, Z0;   \
	VPSUBD      Z12, Z0, Z2;       \
	VPSRAD      $23, Z2, Z2;       \
	VPSLLD      $23, Z2, Z3;       \
	VPSUBD      Z3, Z0, Z0;        \
	VCVTDQ2PS   Z2, Z2;            \
	VSUBPS      Z13, Z2, K2, Z2;   \
	VSUBPS      Z26, Z0, Z0;       \
	VMOVAPS     Z17, Z3;           \
	VFMADD213PS Z18, Z0, Z3;       \
	VFMADD213PS Z19, Z0, Z3;       \
	VFMADD213PS Z20, Z0, Z3;       \
	VFMADD213PS Z21, Z0, Z3;       \
	VFMADD213PS Z22, Z0, Z3;       \
	VFMADD213PS Z23, Z0, Z3;       \
	VFMADD213PS Z24, Z0, Z3;       \
	VFMADD213PS Z25, Z0, Z3;       \
	VMULPS      Z0, Z0, Z4;        \
	VMULPS      Z28, Z2, Z5;       \
	VFMADD213PS Z5, Z4, Z3;        \
	VADDPS      Z3, Z0, Z0;        \
	VFMADD231PS Z27, Z2, Z0;       \
	VCMPPS      $0x00, Z14, Z6, K2; \
	VMOVAPS     Z14, K2, Z0;       \
	VCMPPS      $0x00, Z29, Z6, K2; \
	VMOVAPS     Z15, K2, Z0;       \
	VCMPPS      $0x19, Z29, Z6, K2; \
	VMOVAPS     Z16, K2, Z0

// LOG256: Y0 = log(Y0); Y2-Y8 are scratch. As LOG512.
#define LOG256 \
	VMOVAPS     Y0, Y6;               \
	VCMPPS      $0x11, CNormal, Y0, Y7; \
	VMULPS      CScale23, Y0, Y2;     \
	VBLENDVPS   Y7, Y2, Y0, Y0;       \
	VPSUBD      CFrom, Y0, Y2;        \
	VPSRAD      $23, Y2, Y2;          \
	VPSLLD      $23, Y2, Y3;          \
	VPSUBD      Y3, Y0, Y0;           \
	VCVTDQ2PS   Y2, Y2;               \
	VSUBPS      C23, Y2, Y4;          \
	VBLENDVPS   Y7, Y4, Y2, Y2;       \
	VSUBPS      COne, Y0, Y0;         \
	VMOVUPS     CLog10, Y3;           \
	VFMADD213PS CLog9, Y0, Y3;        \
	VFMADD213PS CLog8, Y0, Y3;        \
	VFMADD213PS CLog7, Y0, Y3;        \
	VFMADD213PS CLog6, Y0, Y3;        \
	VFMADD213PS CLog5, Y0, Y3;        \
	VFMADD213PS CLog4, Y0, Y3;        \
	VFMADD213PS CLog3, Y0, Y3;        \
	VFMADD213PS CLog2, Y0, Y3;        \
	VMULPS      Y0, Y0, Y4;           \
	VMULPS      CLn2Lo, Y2, Y5;       \
	VFMADD213PS Y5, Y4, Y3;           \
	VADDPS      Y3, Y0, Y0;           \
	VFMADD231PS CLn2Hi, Y2, Y0;       \
	VXORPS      Y8, Y8, Y8;           \
	VMOVUPS     CInf, Y3;             \
	VCMPPS      $0x00, Y3, Y6, Y7;    \
	VBLENDVPS   Y7, Y3, Y0, Y0;       \
	VMOVUPS     CNegInf, Y3;          \
	VCMPPS      $0x00, Y8, Y6, Y7;    \
	VBLENDVPS   Y7, Y3, Y0, Y0;       \
	VMOVUPS     CNaN, Y3;             \
	VCMPPS      $0x19, Y8, Y6, Y7;    \
	VBLENDVPS   Y7, Y3, Y0, Y0
