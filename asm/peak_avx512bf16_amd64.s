//go:build amd64 && !purego

#include "textflag.h"

// n times 12 independent BFloat16 dot products of 32 products each on
// registers of zeros: the rate that no BFloat16 kernel can pass. The Go
// assembler does not know VDPBF16PS; the bytes are what gas makes of the
// comment.

// func PeakAVX512BF16(n int)
TEXT ·PeakAVX512BF16(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), CX
	VZEROALL
	VPXORD Z30, Z30, Z30
	VPXORD Z31, Z31, Z31
	PCALIGN $64

loop:
    LONG $0x40069262; WORD $0xc652 // VDPBF16PS zmm0, zmm31, zmm30
    LONG $0x40069262; WORD $0xce52 // VDPBF16PS zmm1, zmm31, zmm30
    LONG $0x40069262; WORD $0xd652 // VDPBF16PS zmm2, zmm31, zmm30
    LONG $0x40069262; WORD $0xde52 // VDPBF16PS zmm3, zmm31, zmm30
    LONG $0x40069262; WORD $0xe652 // VDPBF16PS zmm4, zmm31, zmm30
    LONG $0x40069262; WORD $0xee52 // VDPBF16PS zmm5, zmm31, zmm30
    LONG $0x40069262; WORD $0xf652 // VDPBF16PS zmm6, zmm31, zmm30
    LONG $0x40069262; WORD $0xfe52 // VDPBF16PS zmm7, zmm31, zmm30
    LONG $0x40061262; WORD $0xc652 // VDPBF16PS zmm8, zmm31, zmm30
    LONG $0x40061262; WORD $0xce52 // VDPBF16PS zmm9, zmm31, zmm30
    LONG $0x40061262; WORD $0xd652 // VDPBF16PS zmm10, zmm31, zmm30
    LONG $0x40061262; WORD $0xde52 // VDPBF16PS zmm11, zmm31, zmm30
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
