# Sourced by every check. A check prints what is wrong, one line each, and ends with 0 (all is
# well), 1 (something is wrong) or 77 (cannot be said on this machine: prints why). `make check`
# gives it the compilers and flags of the Makefile in its environment; LARDER_TREE names another
# tree to look at, for the tests of the checks themselves (tests/tools/checks.sh).
# shellcheck shell=sh
set -u
check_folder=$(cd "$(dirname "$0")" && pwd)
cd "${LARDER_TREE:-$check_folder/../..}" || exit 1
LC_ALL=C.UTF-8
export LC_ALL

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Files of the tree that match the patterns of git, tracked or not yet, but not ignored ones.
files() {
    git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@" >"$work/ls-files" ||
        { echo "not a git tree: $PWD" >&2; exit 1; }
    sort -u "$work/ls-files" | while IFS= read -r file; do
        if [ -f "$file" ]; then printf '%s\n' "$file"; fi
    done
}

c_files() {
    files 'include/*.[ch]' 'core/*.[ch]' 'fit/*.[ch]' 'homes/*.[ch]' 'tests/*.[ch]' 'bench/*.[ch]' 'lab/*.[ch]'
}

# Run "$@" once per line of stdin, on all CPUs; the status is 0 iff all were.
each_line() {
    xargs -d '\n' -r -n 1 -P "$(nproc)" "$@"
}

# The homes the Makefile knows, and how it compiles the core for one.
home_flags() {
    eval "echo \"\${HOME_FLAGS_$1:-}\""
}
homes_but_kernel=$(printf '%s\n' ${HOMES:-} | grep -vx kernel | tr '\n' ' ')
