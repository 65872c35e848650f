// A libcuda of one device for tests without a GPU: memory is the host's,
// commands run at once, the one kernel is y[i] = v. STUB_INIT is what cuInit
// returns, -DMISSING leaves a symbol out.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t ptr;
static int bound, capturing, launches;

int cuInit(unsigned f) { const char *s = getenv("STUB_INIT"); return s ? atoi(s) : 0; }
int cuDriverGetVersion(int *v) { *v = 12040; return 0; }
int cuGetErrorName(int e, const char **s) { *s = "CUDA_ERROR_OF_THE_STUB"; return 0; }
int cuGetErrorString(int e, const char **s) { *s = "the stub said so"; return 0; }
int cuDeviceGet(int *d, int i) { if (i) return 101; *d = 40; return 0; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDeviceGetName(char *s, int n, int d) { if (d != 40) return 101; snprintf(s, n, "Stub"); return 0; }
int cuDeviceTotalMem_v2(size_t *n, int d) { *n = 5ull << 30; return d == 40 ? 0 : 101; }
int cuDeviceGetAttribute(int *v, int a, int d) { *v = a == 75 ? 8 : a == 76 ? 0 : a; return d == 40 ? 0 : 101; }
int cuDevicePrimaryCtxRetain(void **c, int d) { *c = (void *)0x77; return d == 40 ? 0 : 101; }
int cuDevicePrimaryCtxRelease_v2(int d) { return d == 40 ? 0 : 101; }
int cuCtxSetCurrent(void *c) { bound = c != 0; return 0; }
int cuCtxSynchronize(void) { return bound ? 0 : 201; }
int cuModuleLoadDataEx(void **m, const char *text, unsigned n, int *opt, void **val) {
	if (n != 4 || opt[0] != 3 || opt[1] != 4 || opt[2] != 5 || opt[3] != 6) return 1;
	snprintf(val[0], (size_t)val[1], "info");
	if (strncmp(text, ".version", 8)) { snprintf(val[2], (size_t)val[3], "line 1: syntax error"); return 218; }
	*m = (void *)0x88;
	return 0;
}
int cuModuleUnload(void *m) { return m == (void *)0x88 ? 0 : 400; }
int cuModuleGetFunction(void **f, void *m, const char *name) { if (strcmp(name, "fill_f32")) return 500; *f = (void *)0x99; return 0; }
int cuFuncGetAttribute(int *v, int a, void *f) { *v = 10 + a; return f == (void *)0x99 ? 0 : 400; }
int cuFuncSetAttribute(void *f, int a, int v) { return a == 8 && v == 65536 ? 0 : 1; }
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *n, void *f, int threads, size_t shared) { *n = threads + (int)shared; return 0; }
int cuMemAlloc_v2(ptr *p, size_t n) { if (n > 1 << 30) return 2; *p = (ptr)malloc(n); return 0; }
int cuMemFree_v2(ptr p) { free((void *)p); return 0; }
int cuMemGetInfo_v2(size_t *a, size_t *b) { *a = 3; *b = 7; return 0; }
int cuMemAllocHost_v2(void **p, size_t n) { *p = malloc(n); return 0; }
int cuMemFreeHost(void *p) { free(p); return 0; }
int cuMemcpyHtoDAsync_v2(ptr d, const void *s, size_t n, void *st) { memcpy((void *)d, s, n); return 0; }
int cuMemcpyDtoHAsync_v2(void *d, ptr s, size_t n, void *st) { memcpy(d, (void *)s, n); return 0; }
int cuMemcpyDtoDAsync_v2(ptr d, ptr s, size_t n, void *st) { memcpy((void *)d, (void *)s, n); return 0; }
int cuMemsetD8Async(ptr d, unsigned char v, size_t n, void *st) { memset((void *)d, v, n); return 0; }
int cuMemsetD32Async(ptr d, unsigned v, size_t n, void *st) { while (n--) ((unsigned *)d)[n] = v; return 0; }
int cuStreamCreate(void **s, unsigned f) { *s = (void *)(0x100 + (size_t)f); return 0; }
int cuStreamDestroy_v2(void *s) { return s == (void *)0x101 ? 0 : 400; }
int cuStreamSynchronize(void *s) { return s == (void *)0x101 ? 0 : 400; }
int cuStreamQuery(void *s) { return s == (void *)0x101 ? 600 : 400; }
int cuStreamWaitEvent(void *s, void *e, unsigned f) { return e == (void *)0x202 && !f ? 0 : 400; }
int cuEventCreate(void **e, unsigned f) { *e = (void *)(0x200 + (size_t)f); return 0; }
int cuEventDestroy_v2(void *e) { return e == (void *)0x202 ? 0 : 400; }
int cuEventRecord(void *e, void *s) { return e == (void *)0x202 && s == (void *)0x101 ? 0 : 400; }
int cuEventSynchronize(void *e) { return e == (void *)0x202 ? 0 : 1234; }
int cuEventQuery(void *e) { return 600; }
int cuEventElapsedTime(float *ms, void *a, void *b) { *ms = 1.5f; return 0; }
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *st, void **params, void **extra) {
	if (f != (void *)0x99 || gx != 2 || gy != 3 || gz != 4 || bx != 5 || by != 6 || bz != 7 || shared != 8 || st != (void *)0x101 || params) return 1;
	if (extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4] || *(size_t *)extra[3] != 20) return 1;
	char *a = extra[1];
	float *y = *(float **)a, *v = *(float **)(a + 8);
	launches++;
	if (!capturing) for (unsigned i = 0; i < *(unsigned *)(a + 16); i++) y[i] = *v;
	return 0;
}
int cuStreamBeginCapture_v2(void *s, int mode) { capturing = 1; return mode == 1 ? 0 : 1; }
int cuStreamEndCapture(void *s, void **g) { capturing = 0; *g = (void *)0x300; return 0; }
int cuGraphInstantiate_v2(void **e, void *g, void *n, char *log, size_t size) { *e = (void *)0x400; return g == (void *)0x300 && !n && !log && !size ? 0 : 1; }
int cuGraphLaunch(void *e, void *s) { return e == (void *)0x400 && s == (void *)0x101 ? 0 : 400; }
int cuGraphExecUpdate(void *e, void *g, void **n, int *r) { *n = 0; *r = 0; return e == (void *)0x400 && g == (void *)0x300 ? 0 : 400; }
int cuGraphDestroy(void *g) { return g == (void *)0x300 ? 0 : 400; }
#ifndef MISSING
int cuGraphExecDestroy(void *e) { return e == (void *)0x400 ? 0 : 400; }
#endif
