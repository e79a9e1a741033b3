#!/bin/sh
# The man page and the completions of the shells say what the command says of itself.
set -u
# shellcheck source=tests/lab/support/tap.sh
. "$(dirname "$0")/support/tap.sh"
page=docs/man/larder.1

"$larder" help | awk '/^  [a-z]/ { print $1 }' >"$work/commands"
plain() { sed 's/\\-/-/g' "$page"; }

each_command_is_in_the_page() {
    [ -s "$work/commands" ] || return 1
    while read -r command; do
        plain | grep "^\.SS larder $command " || { echo "not there: $command"; return 1; }
    done <"$work/commands"
}

each_option_is_in_its_section() {
    while read -r command; do
        "$larder" "$command" --help | sed -n 's/^  .*\(--[a-z][a-z-]*\).*/\1/p' >"$work/options"
        plain | awk -v start=".SS larder $command " 'index($0, ".S") == 1 { inside = index($0, start) == 1 } inside' >"$work/section"
        while read -r option; do
            grep -q -e "$option" "$work/section" || { echo "larder $command: no $option"; return 1; }
        done <"$work/options"
    done <"$work/commands"
}

the_page_can_be_set() {
    MANWIDTH=100 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l "$page" >"$work/set" 2>"$work/err" &&
        [ ! -s "$work/err" ] && grep -q 'SEE ALSO' "$work/set" || { cat "$work/err"; return 1; }
}

# offered WORD…: what bash offers for the last
offered() {
    bash -c 'eval "$("$0" completion bash)"; compopt() { :; }
        COMP_WORDS=(larder "$@"); COMP_CWORD=$#; _larder; echo "${COMPREPLY[*]}"' "$larder" "$@"
}

bash_completes() {
    is 'record report' "$(offered re)" && is '--stacks=' "$(offered record --st)" &&
        is '--formats' "$(offered import --fo)" && is '-q' "$(offered record -q)" && is '' "$(offered nothing --x)"
}

zsh_completes() {
    "$larder" completion zsh >"$work/_larder" && grep '^#compdef larder$' "$work/_larder" &&
        grep "^        'record:run a program" "$work/_larder" && grep -e 'record) options=(.* --stacks= ' "$work/_larder" || return 1
    if command -v zsh >/dev/null; then zsh -n "$work/_larder"; fi
}

another_shell() {
    "$larder" completion fish 2>"$work/err"
    is 2 $? && grep 'bash or zsh' "$work/err"
}

echo 1..6
ok 'each command is in the man page' each_command_is_in_the_page
ok 'each option is in its section' each_option_is_in_its_section
ok 'the man page can be set' the_page_can_be_set
ok 'bash completes' bash_completes
ok 'zsh has what it needs' zsh_completes
ok 'another shell' another_shell
exit $failed
