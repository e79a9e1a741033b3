#!/bin/sh
# The library opened by dlopen() in a program whose static TLS is used up; its threads end after
# dlclose().
set -u
build=$(cd "${LARDER_BUILD:-build}/linux" && pwd) || exit 1
cc=${CC:-gcc}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

echo 'static __thread char large[300] __attribute__((tls_model("initial-exec"))); char *get(void) { return large; }' >"$work/tls.c"
$cc -shared -fPIC "$work/tls.c" -o "$work/tls0.so" || exit 1
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do cp "$work/tls0.so" "$work/tls$i.so"; done
$cc -O1 -D_GNU_SOURCE tests/linux/programs/dlopen.c -pthread -ldl -o "$work/dlopen" || exit 1

echo 1..2
failed=0
not=
if readelf -d "$build/liblarder-dlopen.so" | grep -q STATIC_TLS; then not='not ' failed=1; fi
echo "${not}ok 1 - no static TLS in liblarder-dlopen.so"
not=
"$work/dlopen" "$build/liblarder-dlopen.so" "$work" >"$work/log" 2>&1
status=$?
if [ $status != 0 ]; then not='not ' failed=1; echo "# status $status"; sed 's/^/# /' "$work/log"; fi
echo "${not}ok 2 - opened where static TLS is used up, used on threads, and closed"
exit $failed
