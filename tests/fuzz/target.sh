# Sourced by run and proof, with the name of a target in $target: how its inputs are made.
#
#   build, work, corpus    folders; work goes at the end
#   least                  executions of a test: a dozen seconds of a quiet machine
#   fuzz PROGRAM OPTION…   run libFuzzer; always the same inputs for the same number of executions
#
# Tests count executions, never seconds: a busy machine must find what a quiet one finds.
# shellcheck shell=sh
build=${LARDER_BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
corpus=$work/corpus
longest=2000 # bytes of an input
case $target in
ranges) least=2000 ;;
devicetree) least=6000 longest=6000 ;;
options) least=500000 ;;
operations) least=300 ;;
trace) least=6000 ;;
import) least=1500 ;;
malloc) least=600 longest=1600 ;;
*)
    echo "Bail out! there is no fuzz target $target"
    exit 1
    ;;
esac

fuzz() {
    program=$1
    shift
    mkdir -p "$corpus"
    for seeds in "$build/fuzz/seeds/$target" "tests/fuzz/seeds/$target"; do
        [ ! -d "$seeds" ] || set -- "$@" "$seeds"
    done
    "$program" -seed=1 -len_control=0 -max_len="$longest" "$corpus" "$@" >"$work/log" 2>&1
}
