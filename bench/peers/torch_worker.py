"""Torch's matrix products behind the worker protocol (doc.go).

    python torch_worker.py mkl      torch.mm, which calls MKL's SGEMM
    python torch_worker.py onednn   oneDNN's inner product, which torch.compile calls for linear layers

Threads come from OMP_NUM_THREADS.
"""
import os
import sys
import time

import torch

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.set_grad_enabled(False)


def operands(m, n, k, ta, tb):
    a = torch.rand((k, m) if ta else (m, k)) - 0.5
    b = torch.rand((n, k) if tb else (k, n)) - 0.5
    return (a.t() if ta else a), (b.t() if tb else b)


def product(provider, a, b):
    if provider == "mkl":
        c = torch.empty(a.shape[0], b.shape[1])
        return lambda: torch.mm(a, b, out=c)
    w = b.t()  # a linear layer multiplies by its weight transposed
    return lambda: torch.ops.mkldnn._linear_pointwise(a, w, None, "none", [], "")


def main(provider):
    for line in sys.stdin:
        word, *rest = line.split()
        if word != "gemm":
            print("err", word, "is not served", flush=True)
            continue
        m, n, k, ta, tb, inner, reps = map(int, rest)
        f = product(provider, *operands(m, n, k, ta, tb))
        f()
        times = []
        for _ in range(reps):
            start = time.perf_counter()
            for _ in range(inner):
                f()
            times.append((time.perf_counter() - start) / inner)
        print(" ".join("%.9f" % t for t in times), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
