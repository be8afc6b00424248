#!/bin/sh
# Builds libcmvc_aom.so, the flat C surface over this machine's libaom, into the directory given. Does nothing when
# neither the source nor the compiler nor libaom has changed since. Says in one line what is missing.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: build.sh OUTPUT_DIRECTORY"; exit 2; }
out=$1

missing() {
    echo "libcmvc_aom.so cannot be built: $1. Install what it needs: sudo apt-get install gcc libc6-dev libaom-dev"
    exit 1
}

compiler=${CC:-}
[ -n "$compiler" ] || compiler=$(command -v gcc || command -v cc || true)
[ -n "$compiler" ] || missing "there is no C compiler"
printf '#include <stdlib.h>\n' | "$compiler" -E - > /dev/null 2>&1 || missing "'$compiler' finds no C library headers"
printf '#include <aom/aom_encoder.h>\n' | "$compiler" -E - > /dev/null 2>&1 || missing "'$compiler' finds no libaom headers"

# libaom installs no version header; its pkg-config file tells. 0 means not known: then only libaom's own ABI check applies.
version=$(pkg-config --modversion aom 2> /dev/null || true)
if [ -z "$version" ]; then
    for directory in $("$compiler" -print-multiarch 2> /dev/null | sed 's|^|/usr/lib/|') /usr/lib /usr/lib64 /usr/local/lib; do
        [ -f "$directory/pkgconfig/aom.pc" ] && version=$(sed -n 's/^Version: *//p' "$directory/pkgconfig/aom.pc") && break
    done
fi
number=$(echo "${version:-0.0.0}" | sed 's/[^0-9.].*//' | awk -F. '{ print $1 * 65536 + $2 * 256 + $3 }')

stamp="$(cksum < "$here/cmvc_aom.c") $(cksum < "$here/build.sh") $number $compiler $("$compiler" -dumpversion)"
if [ -f "$out/libcmvc_aom.so" ] && [ "$(cat "$out/libcmvc_aom.stamp" 2> /dev/null)" = "$stamp" ]; then exit 0; fi

mkdir -p "$out"
"$compiler" -std=gnu11 -O2 -g -Wall -Wextra -fPIC -shared -fvisibility=hidden -Wl,-z,defs \
    "-DCMVC_AOM_BUILT_AGAINST=$number" -o "$out/libcmvc_aom.so.new" "$here/cmvc_aom.c" -laom 2>&1 ||
    missing "the compiler refused"
mv -f "$out/libcmvc_aom.so.new" "$out/libcmvc_aom.so"
echo "$stamp" > "$out/libcmvc_aom.stamp"
