#!/usr/bin/env bash
# From clips to a restoring network in the model pack: restore.sh CLIP... (SIZE=medium STEPS=12000 WORK=artifacts/training
# LPIPS=FILE.onnx INDEX=INDEX.tsv; an interrupted run goes on where it was). See docs/models.md.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
work=${WORK:-$here/../../artifacts/training} size=${SIZE:-medium} python=${PYTHON:-/usr/bin/python3}
lpips=(${LPIPS:+--lpips "$LPIPS"}) index=(${INDEX:+--index "$INDEX"})
[ $# -gt 0 ] || { echo "restore.sh: no clips; write for example restore.sh recordings/*.mp4" >&2; exit 2; }
"$python" "$here/prepare.py" restore "$@" --out "$work/pairs"
"$python" "$here/train.py" restore --data "$work/pairs" --run "$work/restore-$size" --size "$size" --steps "${STEPS:-12000}" "${lpips[@]}"
"$python" "$here/export.py" "$work/restore-$size" --data "$work/pairs" --name "restore-$size" "${lpips[@]}" "${index[@]}"
