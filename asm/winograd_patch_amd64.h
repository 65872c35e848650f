// The constants of Winograd's transforms between patches and frequencies
// (winograd_patch_*.s). h is sqrt(1/2) rounded, g = 2h.
DATA patch32<>+0(SB)/4, $0x3F3504F3  // h
DATA patch32<>+4(SB)/4, $0x3FB504F3  // g
DATA patch32<>+8(SB)/4, $0x40200000  // 2.5
DATA patch32<>+12(SB)/4, $0x40000000 // 2
DATA patch32<>+16(SB)/4, $0x3F000000 // 0.5
DATA patch32<>+20(SB)/4, $0x3EB504F3 // h/2
DATA patch32<>+24(SB)/4, $0x403504F3 // 2g
GLOBL patch32<>(SB), RODATA|NOPTR, $28
