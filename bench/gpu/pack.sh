#!/usr/bin/env bash
# Builds the folder to carry to a machine with a GPU: bash bench/gpu/pack.sh FOLDER.
# GOARCH of that machine if it is not this one's. Says the size; 60 MB is too much.
set -euo pipefail
to=$(mkdir -p "${1:?give a folder}" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
export CGO_ENABLED=0 GOOS=linux
go build -trimpath -ldflags='-s -w' -o "$to/gpu" ./bench/gpu
go test -c -trimpath -ldflags='-s -w' -o "$to/conformance" ./cuda
cp bench/gpu/run.sh bench/gpu/torch_gpu.py "$to/"
du -k "$to"/gpu "$to"/conformance "$to"/run.sh "$to"/torch_gpu.py
size=$(cat "$to"/{gpu,conformance,run.sh,torch_gpu.py} | wc -c)
echo "$to: $((size / 1000000)) MB"
((size < 60000000)) || { echo "too large to carry: 60 MB"; exit 1; }
