#!/usr/bin/env bash
# Ours on a handful of synthetic clips, against a committed baseline: tools/bench/baseline.sh check | make
#   check   fails where ours has become worse by more than the tolerances, five times those of a quiet machine, and so twice
#   make    measures anew and replaces the baseline
# EVALUATE names the built program, where ./cmvc shall not be asked for it. Two minutes.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
evaluate=("${EVALUATE:-$here/../../cmvc}")
[ -n "${EVALUATE-}" ] || evaluate+=(evaluate)

clip() { ffmpeg -v error -f lavfi -i "$2" -t 12 -c:v libx264 -crf 8 -pix_fmt yuv420p "$folder/$1.mp4"; }
clip shapes 'testsrc2=s=480x270:r=30'
clip zoom 'mandelbrot=s=480x270:r=30:end_scale=0.05:maxiter=300'
clip plasma 'gradients=s=480x270:r=30:c0=red:c1=navy:c2=gold:n=3:seed=7:speed=0.02,format=yuv420p'

run() { "${evaluate[@]}" synthetic:street synthetic:drone "$folder"/{shapes,zoom,plasma}.mp4 --rates 8 --against none --seconds 12 --skip 6 --report "$folder" "$@"; }
case ${1-} in
    check)
        check() { run --baseline "$here/baseline.json" --tolerance 5; }
        # What ran beside the first time does not decide: a regression is there again.
        check || { rm -rf "$folder"/parts/ours; check; } ;;
    make) run && cp "$folder/evaluation.json" "$here/baseline.json" ;;
    *) echo "baseline.sh: check or make" >&2; exit 2 ;;
esac
