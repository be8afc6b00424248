#!/usr/bin/env bash
# The comparison of docs/benchmarks.md: tools/bench/evaluate.sh measure [OPTION...] | document
#   measure   sixteen clips with the others and with ours, then some of them end to end; kept in artifacts/evaluate, goes on where it was stopped.
#             The others take some nine minutes of two cores a clip, ours 40 s a clip and rate, end to end a quarter of an hour a clip; these two
#             want the machine for themselves.
#   document  makes docs/benchmarks.md from what was measured
# The clips and LPIPS's network are no part of this product: 'shared' beside the repository, or the folder that CMVC_SHARED names.
# EVALUATE names the built program, where ./cmvc shall not be asked for it.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=$(readlink -f "$here/../..")
shared=${CMVC_SHARED:-$(realpath --relative-to=. "$root/../shared")}   # from here, so that the commands in the report name no folders of this machine
report=$root/artifacts/evaluate
evaluate=("${EVALUATE:-$root/cmvc}")
[ -n "${EVALUATE-}" ] || evaluate+=(evaluate)

case ${1-} in
    measure)
        [ -f "$shared/media/INDEX.tsv" ] || { echo "evaluate.sh: no clips at $shared (media/INDEX.tsv is missing there); name the folder in CMVC_SHARED" >&2; exit 1; }
        mapfile -t clips < <(awk -F'\t' -v folder="$shared/media/dev/" '$NF == "bench" { print folder $1 }' "$shared/media/INDEX.tsv")
        # Networks and encoders ask for and give back large arrays all the time: faster where the C library keeps them.
        MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=1073741824 exec "${evaluate[@]}" "${clips[@]}" \
            --rates 4,8,16 --every 17 --lpips "$shared/eval/lpips_sq.onnx" \
            --live 8,16,32 --live-clips edtalk-uncrop_obama,cvtrafficcam-traffic,sam2-03_blocks --report "$report" "${@:2}" ;;
    document)
        cp "$report/evaluation.json" "$here/evaluation.json"
        exec "${evaluate[@]}" report "$here/evaluation.json" --document "$root/docs/benchmarks.md" ;;
    *) echo "evaluate.sh: measure or document" >&2; exit 2 ;;
esac
