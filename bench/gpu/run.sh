#!/usr/bin/env bash
# Measures everything on this machine's GPU: see doc.go. Arguments go to every
# part (--device emu --tiny). Files, few and flat, below ${OUT:-bench/results/gpu}:
#   sectile.jsonl torch.jsonl   raw records
#   conformance.txt             what the test binary said
#   log.txt                     what the parts said
#   table.md                    all of it side by side
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-bench/results/gpu}
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd)
rm -f "$out"/{sectile,torch}.jsonl "$out"/{conformance,log}.txt "$out"/table.md
: >"$out/sectile.jsonl"
python=${PYTHON:-python3}
device=cuda:0 tiny=
for ((i = 1; i <= $#; i++)); do
	case ${!i} in
	--device) j=$((i + 1)) device=${!j:?--device wants a name} ;;
	--tiny) tiny=--tiny ;;
	esac
done
total=${BUDGET:-535} # seconds for everything: a lease ends at 600
left() { echo $((total - SECONDS)); }

# limit SECONDS COMMAND...: runs it at most so long, and never past the end.
# What fails or is cut is said, and the next part runs.
limit() {
	local most=$1 rc start=$SECONDS
	shift
	((most > $(left))) && most=$(left)
	if ((most < 3)); then
		echo "== no time left for: ${*:2:3}"
		return
	fi
	timeout -k 2 "$most" "$@"
	rc=$?
	case $rc in
	0) echo "== ok, $((SECONDS - start)) s: ${*:2:3}" ;;
	124 | 137) echo "== cut after $most s: ${*:2:3}" ;;
	*) echo "== failed ($rc), $((SECONDS - start)) s: ${*:2:3}" ;;
	esac
}

ours() { limit "$1" "$here/gpu" "${@:2}" --device "$device" $tiny --out "$out/sectile.jsonl"; }

# torch SECONDS MODES PART...: the peer on the same requests.
torch() {
	local most=$1 modes=$2
	shift 2
	((most > $(left))) && most=$(left)
	if [ "$device" = emu ] && [ -z "${PEER_DEVICE:-}" ]; then
		echo "== torch on $*: skipped, the peer needs a GPU (PEER_DEVICE=cpu checks its requests without)"
		return
	fi
	if ! command -v "$python" >/dev/null; then
		echo "== torch on $*: skipped, no $python here (PYTHON=... names one)"
		return
	fi
	"$here/gpu" requests $tiny "$@" | limit "$most" "$python" "$here/torch_gpu.py" --out "$out/torch.jsonl" --modes "$modes" \
		--budget $((most - 5)) --device "${PEER_DEVICE:-cuda}" $tiny
}

# The suite of all backends and the edge cases; a skip is a failure on a GPU.
conformance() {
	local env=() short=
	if [ "$device" = emu ]; then
		short=-test.short
	else
		env=(SECTILE_REQUIRE_CUDA=1 SECTILE_CUDA_DEVICE="${device#cuda:}")
	fi
	limit "$1" env "${env[@]}" "$here/conformance" $short -test.v -test.run "$2" >>"$out/conformance.txt" 2>&1
	grep -E '^(--- FAIL|== )' "$out/conformance.txt" | tail -5
	echo "conformance so far: $(grep -c '^ *--- PASS' "$out/conformance.txt") passed, $(grep -c '^ *--- FAIL' "$out/conformance.txt") failed, $(grep -c '^ *--- SKIP' "$out/conformance.txt") skipped"
}

parts() {
	ours 45 smoke
	conformance 60 'TestConformance'
	ours 15 copy
	ours 75 train
	torch 75 tf32,bf16,fp32 train
	ours 40 gemm
	ours 40 passes
	torch 40 tf32,fp32,bf16 gemm passes
	ours 50 conv
	torch 40 tf32,bf16,fp32 conv
	ours 40 predict
	ours 45 ssl --mode tf32
	torch 30 tf32,bf16 ssl
	ours 20 profile
	conformance 45 'TestEdge|TestGemmKernels|TestConvKernels|TestSplits|TestTF32|TestBF16|TestGemmBFloat16|TestNearest|TestQueue|TestCast|TestPhilox|TestSweepsReplay|TestMethods'
}

[ -x "$here/gpu" ] || { echo "no $here/gpu: bash bench/gpu/pack.sh FOLDER builds the folder to carry"; exit 1; }
date -u | tee "$out/log.txt"
(nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,power.draw --format=csv 2>&1 || true) | head -3 | tee -a "$out/log.txt"
parts 2>&1 | tee -a "$out/log.txt"
files=()
for f in "$out"/{sectile,torch}.jsonl; do [ -s "$f" ] && files+=("$f"); done
{
	date -u +"%Y-%m-%d"
	"$here/gpu" table "${files[@]}"
	grep -E '^conformance so far' "$out/log.txt" | tail -1
	grep -E '^== (cut|failed|no time|torch)' "$out/log.txt"
} >"$out/table.md"
cat "$out/table.md"
echo "total ${SECONDS} s; raw numbers in $out"
