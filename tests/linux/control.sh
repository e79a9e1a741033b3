#!/bin/sh
# The control socket: a program that sleeps is asked everything. What it must say is in control.py.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
${CC:-gcc} -O1 -fno-builtin -D_GNU_SOURCE tests/linux/programs/statistics.c -o "$work/program" -pthread ||
    exit 1
cat >"$work/program.cpp" <<'END'
#include <unistd.h>
static char *kept[500];
int main() {
    for (auto &one : kept)
        one = new char[200];
    (void)!write(1, "ready\n", 6);
    char byte;
    return read(0, &byte, 1) > 0;
}
END
g++ -O1 -w "$work/program.cpp" -o "$work/program++" || exit 1
exec python3 tests/linux/control.py "$(realpath "${LARDER_BUILD:-build}/linux/liblarder.so")" "$work"
