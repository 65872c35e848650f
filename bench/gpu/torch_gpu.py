"""PyTorch beside the program gpu: the same requests (doc.go), one a line on
standard input, in each mode; a JSON record a line to --out.

    gpu requests train gemm | python3 torch_gpu.py --out torch.jsonl --budget 60

fp32: allow_tf32 off everywhere. tf32: on everywhere. bf16: operands in bf16,
steps under autocast. Images are channels_last in all modes; cudnn.benchmark is
on. Groups of calls fill 10 ms between two CUDA events; two groups warm up."""
import argparse
import contextlib
import copy
import json
import sys
import time

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError as e:
    sys.exit("torch: not measured: %s" % e)

parser = argparse.ArgumentParser()
parser.add_argument("--out", default="/dev/stdout")
parser.add_argument("--modes", default="tf32,fp32,bf16")
parser.add_argument("--device", default="cuda")
parser.add_argument("--budget", type=float, default=600, help="seconds for all requests")
parser.add_argument("--tiny", action="store_true", help="one call each")
args = parser.parse_args()
started = time.monotonic()
if args.device == "cuda" and not torch.cuda.is_available():
    sys.exit("torch: not measured: torch.cuda.is_available() is False (torch %s)" % torch.__version__)
DEV = torch.device(args.device)
CUDA = DEV.type == "cuda"
NAME = torch.cuda.get_device_name(0) if CUDA else "cpu"
torch.manual_seed(0)
torch.backends.cudnn.benchmark = True
CL = torch.channels_last


def group_times(f):
    """Seconds of a call, for each of up to 7 groups; calls in a group."""

    def group(n):
        if not CUDA:
            t = time.perf_counter()
            for _ in range(n):
                f()
            return time.perf_counter() - t
        a, b = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        a.record()
        for _ in range(n):
            f()
        b.record()
        b.synchronize()
        return a.elapsed_time(b) / 1e3

    if args.tiny:
        return [group(1)], 1
    for _ in range(2):
        once = group(1)
    n = int(min(200, max(1, 0.010 / max(once, 1e-6))))
    out, spent = [], 0.0
    while len(out) < 7 and (len(out) < 3 or spent < 0.7):
        t = group(n)
        spent += t
        out.append(t / n)
    return out, n


def autocast(mode):
    return torch.autocast(DEV.type, torch.bfloat16) if mode == "bf16" else contextlib.nullcontext()


def rand(*shape, dtype=torch.float32):
    return (torch.rand(*shape, device=DEV) * 2 - 1).to(dtype)


def gemm(words, mode):
    m, n, k = map(int, words[:3])
    flags = words[3:]
    if set(flags) - {"nt", "tn", "tt"}:
        raise ValueError("not served: torch has no such fusion")
    dt = torch.bfloat16 if mode == "bf16" else torch.float32
    a = rand(k, m, dtype=dt).t() if {"tn", "tt"} & set(flags) else rand(m, k, dtype=dt)
    b = rand(n, k, dtype=dt).t() if {"nt", "tt"} & set(flags) else rand(k, n, dtype=dt)
    c = torch.empty(m, n, dtype=dt, device=DEV)
    return lambda: torch.mm(a, b, out=c)


def conv(words, mode):
    what = words[0]
    n, h, w, c, oc, k, st, pad = map(int, words[1:9])
    if len(words) > 9:
        raise ValueError("not served: torch has no such fusion")
    dt = torch.bfloat16 if mode == "bf16" else torch.float32
    x = rand(n, c, h, w, dtype=dt).contiguous(memory_format=CL)
    wt = rand(oc, c, k, k, dtype=dt).contiguous(memory_format=CL)
    y = torch.conv2d(x, wt, None, st, pad)
    g = torch.randn_like(y)

    def back(mask):
        return torch.ops.aten.convolution_backward(g, x, wt, None, [st, st], [pad, pad], [1, 1], False, [0, 0], 1, mask)

    return {"fwd": lambda: torch.conv2d(x, wt, None, st, pad),
            "dx": lambda: back([True, False, False]), "dw": lambda: back([False, True, False])}[what]


def images(rows, c):
    """[rows, c] as channels_last images: of 112, of 4, or of one pixel."""
    side = next((s for s in (112, 4) if rows % (s * s) == 0), 1)
    return rand(rows // side // side, side, side, c).permute(0, 3, 1, 2)


def one_pass(words, mode):
    name, rows, c = words[0], int(words[1]), int(words[2])
    if mode != "fp32":
        raise ValueError("not served: passes are fp32")
    x, y = rand(rows, c), rand(rows, c)
    out = torch.empty_like(x)
    s, t = rand(c), rand(c)
    labels = torch.arange(rows, device=DEV) * 31 % c
    x4, y4 = x.view(rows, c, 1, 1), y.view(rows, c, 1, 1)
    one = torch.ones(c, device=DEV)
    if name == "bn_apply":
        return lambda: F.relu_(F.batch_norm(x4, t, one, s, t).add_(y4))
    if name == "bn_reduce":
        return lambda: torch.batch_norm_backward_reduce(y4, x4, t, one, s, True, True, True)
    if name == "bn_backward":
        count = torch.full((1,), rows, dtype=torch.int32, device=DEV)
        return lambda: torch.batch_norm_backward_elemt(y4, x4, t, one, s, t, t, count)
    if name == "channel_stats":
        return lambda: torch.batch_norm_stats(x4, 1e-5)
    if name in ("pool_max", "pool_avg", "pool_max_grad", "pool_avg_grad"):
        im = images(rows, c)
        pool = (lambda i: F.max_pool2d(i, 3, 2, 1)) if "max" in name else (lambda i: F.avg_pool2d(i, 3, 2, 1))
        if not name.endswith("grad"):
            return lambda: pool(im)
        im.requires_grad_()
        o = pool(im)
        g = torch.randn_like(o)
        return lambda: torch.autograd.grad(o, im, g, retain_graph=True)
    if name in ("momentum", "adam"):
        p = nn.Parameter(x)
        p.grad = y
        opt = (torch.optim.SGD([p], 1e-3, 0.9, weight_decay=1e-4, fused=CUDA) if name == "momentum"
               else torch.optim.Adam([p], 1e-3, weight_decay=1e-4, fused=CUDA))
        return opt.step
    if name in ("row_normalize_grad", "log_softmax_grad", "cross_entropy_grad"):
        x.requires_grad_()
        o = {"row_normalize_grad": lambda: F.normalize(x, dim=1), "log_softmax_grad": lambda: F.log_softmax(x, 1),
             "cross_entropy_grad": lambda: F.cross_entropy(x, labels)}[name]()
        g = torch.ones_like(o)
        return lambda: torch.autograd.grad(o, x, g, retain_graph=True)
    half = x.bfloat16()
    index = torch.arange(rows, device=DEV) * 7919 % rows
    simple = {
        "add": lambda: torch.add(x, y, out=out), "relu": lambda: torch.clamp_min(x, 0, out=out), "exp": lambda: torch.exp(x, out=out),
        "add_row": lambda: torch.add(x, s, out=out), "ema": lambda: x.lerp_(y, 0.001),
        "row_normalize": lambda: F.normalize(x, dim=1), "log_softmax": lambda: F.log_softmax(x, 1),
        "cross_entropy": lambda: F.cross_entropy(x, labels),
        "lse_rows": lambda: torch.logsumexp(x, 1), "lse_cols": lambda: torch.logsumexp(x, 0),
        "sum_rows": lambda: x.sum(1), "sum_cols": lambda: x.sum(0), "argmax_rows": lambda: x.argmax(1), "argmax_cols": lambda: x.argmax(0),
        "copy_rows": lambda: torch.index_select(x, 0, index, out=out), "to_bf16": lambda: x.bfloat16(), "from_bf16": lambda: half.float(),
        "random": lambda: out.uniform_(),
    }
    if name not in simple:
        raise ValueError("not served: torch has no such pass")
    return simple[name]


class Basic(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.a, self.na = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.b, self.nb = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.short = (nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))
                      if stride != 1 or cin != cout else nn.Identity())

    def forward(self, x):
        y = F.relu(self.na(self.a(x)), inplace=True)
        return F.relu(self.nb(self.b(y)) + self.short(x), inplace=True)


class Small(nn.Module):
    """A ResNet for small images: 3x3 stem of stride 1, no pool."""

    def __init__(self, cin, widths, blocks):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(cin, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0])
        layers, c = [], widths[0]
        for stage, w in enumerate(widths):
            for i in range(blocks):
                layers.append(Basic(c, w, 2 if stage and not i else 1))
                c = w
        self.layers, self.fc = nn.Sequential(*layers), nn.Identity()
        self.features = c

    def forward(self, x):
        return self.fc(self.layers(F.relu(self.norm(self.stem(x)), inplace=True)).mean((2, 3)))


# side and number of small crops, side, channels, classes, prototypes, queue
NETS = {"resnet50": (96, 6, 224, 3, 1000, 3000, 65536), "resnet18c": (16, 4, 32, 3, 10, 300, 4096), "small8": (8, 2, 12, 1, 10, 6, 8)}


def backbone(name, classes=0):
    if name == "resnet50":
        import torchvision
        net = torchvision.models.resnet50(weights=None)
        features = net.fc.in_features
    else:
        net = Small(3, (64, 128, 256, 512), 2) if name == "resnet18c" else Small(1, (16, 32, 64), 1)
        features = net.features
    net.fc = nn.Linear(features, classes) if classes else nn.Identity()
    return net.to(DEV, memory_format=CL), features


def views(batch, count, channels, side):
    return torch.randn(batch * count, channels, side, side, device=DEV).contiguous(memory_format=CL)


def sgd(params, rate=0.01):
    return torch.optim.SGD(params, rate, momentum=0.9, weight_decay=1e-4)


def train(words, mode):
    name, batch = words[0], int(words[1])
    _, _, side, channels, classes, _, _ = NETS[name]
    net, _ = backbone(name, classes)
    x, y = views(batch, 1, channels, side), torch.randint(0, classes, (batch,), device=DEV)
    opt = sgd(net.parameters())

    def step():
        with autocast(mode):
            o = net(x)
        opt.zero_grad(set_to_none=True)
        F.cross_entropy(o.float(), y).backward()
        opt.step()

    return step


class Encoder(nn.Module):
    def __init__(self, name, prototypes):
        super().__init__()
        self.net, d = backbone(name)
        norm = [nn.BatchNorm1d(d)] if prototypes else []
        self.head = nn.Sequential(nn.Linear(d, d), *norm, nn.ReLU(True), nn.Linear(d, 128))
        self.protos = nn.Linear(128, prototypes, bias=False) if prototypes else None

    def forward(self, groups):
        z = F.normalize(self.head(torch.cat([self.net(g) for g in groups])).float(), dim=1)
        return self.protos(z) if self.protos is not None else z


@torch.no_grad()
def sinkhorn(scores, eps=0.05, rounds=3):
    q = torch.exp(scores / eps).t()
    q /= q.sum()
    k, n = q.shape
    for _ in range(rounds):
        q /= q.sum(1, keepdim=True) * k
        q /= q.sum(0, keepdim=True) * n
    return (q * n).t()


def ssl(words, mode):
    method, name, batch = words[0], words[1], int(words[2])
    small, crops, side, channels, _, prototypes, slots = NETS[name]
    if method == "swav":
        enc = Encoder(name, prototypes).to(DEV, memory_format=CL)
        opt = sgd(enc.parameters())
        groups = [views(batch, 2, channels, side), views(batch, crops, channels, small)]

        def swav():
            with torch.no_grad():
                enc.protos.weight.copy_(F.normalize(enc.protos.weight, dim=1))
            with autocast(mode):
                o = enc(groups)
            o, loss = o.float().view(2 + crops, batch, -1), 0.0
            for i in range(2):
                q = sinkhorn(o[i].detach())
                loss = loss - sum((q * F.log_softmax(o[v] / 0.1, 1)).sum(1).mean() for v in range(2 + crops) if v != i) / (1 + crops)
            opt.zero_grad(set_to_none=True)
            (loss / 2).backward()
            opt.step()

        return swav
    if method != "pcl":
        raise ValueError("not served: method " + method)
    query = Encoder(name, 0).to(DEV, memory_format=CL)
    key = copy.deepcopy(query)
    opt = sgd(query.parameters())
    xq, xk = views(batch, 1, channels, side), views(batch, 1, channels, side)
    slots = slots // batch * batch
    queue, place = F.normalize(torch.randn(slots, 128, device=DEV), dim=1), [0]
    protos = [(F.normalize(torch.randn(k, 128, device=DEV), dim=1), torch.randint(0, k, (batch,), device=DEV)) for k in ((6, 3) if name == "small8" else (250, 500, 1000))]
    zeros = torch.zeros(batch, dtype=torch.long, device=DEV)
    theirs, ours = list(key.parameters()), list(query.parameters())

    def pcl():
        with torch.no_grad():
            torch._foreach_lerp_(theirs, ours, 0.001)
            with autocast(mode):
                zk = key([xk])
        with autocast(mode):
            zq = query([xq])
        loss = F.cross_entropy(torch.cat([(zq * zk).sum(1, keepdim=True), zq @ queue.t()], 1) / 0.2, zeros)
        for c, label in protos:
            loss = loss + F.cross_entropy(zq @ c.t() / 0.2, label) / len(protos)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        queue[place[0]:place[0] + batch] = zk
        place[0] = (place[0] + batch) % slots

    return pcl


KINDS = {"gemm": gemm, "conv": conv, "pass": one_pass, "train": train, "ssl": ssl}


def measure(request, mode):
    rec = {"who": "torch", "device": NAME, "request": request, "mode": mode}
    try:
        torch.backends.cuda.matmul.allow_tf32 = mode == "tf32"
        torch.backends.cudnn.allow_tf32 = mode == "tf32"
        words = request.split()
        if CUDA:
            torch.cuda.reset_peak_memory_stats()
        call = KINDS[words[0]](words[1:], mode)
        grads = torch.enable_grad() if words[0] in ("train", "ssl") else torch.no_grad()
        if words[0] == "pass":
            grads = contextlib.nullcontext()
        with grads:
            seconds, calls = group_times(call)
        rec.update(seconds=seconds, median=sorted(seconds)[len(seconds) // 2], calls=calls)
        if CUDA:
            rec["facts"] = {"peak_bytes": float(torch.cuda.max_memory_allocated())}
        if words[0] in ("train", "ssl"):
            rec["images"] = int(words[-1])
    except Exception as e:
        if "not served" in str(e):
            return None
        rec["err"] = "%s: %s" % (type(e).__name__, str(e).splitlines()[0][:300] if str(e) else "")
    return rec


def main():
    requests = [r.strip() for r in sys.stdin if r.strip()]
    with open(args.out, "a") as out:
        out.write(json.dumps({"who": "torch", "device": NAME, "request": "peer", "text": "torch %s, CUDA %s, cudnn %s" % (
            torch.__version__, torch.version.cuda, torch.backends.cudnn.version() if CUDA else "-")}) + "\n")
        for request in requests:
            for mode in args.modes.split(","):
                if time.monotonic() - started > args.budget:
                    print("torch: time is up before %s in %s" % (request, mode), file=sys.stderr)
                    return
                rec = measure(request, mode)
                if rec:
                    out.write(json.dumps(rec) + "\n")
                    out.flush()
                    if "err" in rec:
                        print("torch: %s in %s: %s" % (request, mode, rec["err"]), file=sys.stderr)
                if CUDA:
                    torch.cuda.empty_cache()


main()
