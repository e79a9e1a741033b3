#!/bin/sh
# tests/linux/sanitized.sh VARIANT FAULT: the sanitizer of the variant finds the fault that sanitized.mk
# planted in the Linux home.
set -u
fault=$2
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

echo 1..1
"${LARDER_BUILD:-build}/$1/tests/linux/proof/$fault" >"$log" 2>&1
status=$?
grep -E '^SUMMARY|runtime error' "$log" | head -3 | cut -c1-200 | sed 's/^/# /'
if [ $status != 0 ] && grep -qE '^SUMMARY: ThreadSanitizer: data race|runtime error:' "$log"; then
    echo "ok 1 - $fault is found"
    exit 0
fi
tail -5 "$log" | cut -c1-200 | sed 's/^/# /'
echo "not ok 1 - $fault is found (status $status)"
exit 1
