# Sourced by the scripts of tests/lab: results as TAP, and a folder that goes at the end.
#
#   larder, work          the command; the folder
#   ok NAME COMMAND…      a test that passes iff the command does
#   is WANTED GOT         for such commands
#   count, failed         for the plan and the status at the end
# shellcheck shell=sh disable=SC2034
larder=${LARDER_BUILD:-build}/larder
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0 failed=0

ok() {
    name=$1
    shift
    count=$((count + 1))
    if "$@" >"$work/out" 2>&1; then
        echo "ok $count - $name"
    else
        failed=1
        sed 's/^/# /' "$work/out" | head -20
        echo "not ok $count - $name"
    fi
}

is() {
    [ "$1" = "$2" ] || { echo "wanted $1, got $2"; false; }
}
