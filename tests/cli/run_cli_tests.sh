#!/bin/bash
# Tests of the command line: run_cli_tests.sh FERRY [--update] [CASE]...
#
# A case is a transcript, cases/NAME.txt: lines "$ COMMAND" are run by bash in an empty folder with an empty environment, and what
# follows must be what comes out: standard output as it is, then standard error behind "! ", then the exit status as "[N]" unless it
# is 0. Lines that start with "## " are comments. $FIXTURE is a small riscv64 program, see fixture.S; $HERE/bundle.base64 is a bundle that
# `ferry cache export` wrote, of three modules whose records are texts, for gunzip; the work folder is printed as WORK.
# --update writes what came out into the cases.
set -u
here=$(cd "$(dirname "$0")" && pwd)
ferry=$(realpath "${1:?usage: run_cli_tests.sh FERRY [--update] [CASE]...}")
shift
update=
if [[ ${1:-} == --update ]]; then update=1; shift; fi
cases=("$@")
((${#cases[@]})) || cases=("$here"/cases/*.txt)
for i in "${!cases[@]}"; do [[ -f ${cases[i]} ]] || cases[i]=$here/cases/${cases[i]}.txt; done

work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/out"
ln -s "$ferry" "$work/bin/ferry"

# Fixed addresses, so that what is dumped does not depend on the linker.
compiler=$(command -v riscv64-linux-gnu-gcc)
if [[ $compiler ]]; then
    "$compiler" -march=rv64gc -nostdlib -nostartfiles -static -Wl,-Ttext=0x20000,--build-id=none -o "$work/fixture" "$here/fixture.S" || exit 1
    "$compiler" -march=rv64gc -nostdlib -nostartfiles -pie -Wl,--dynamic-linker=/lib/none.so.1,--build-id=none -o "$work/dynamic" \
        "$here/fixture.S" || exit 1
fi

# One command: its output in the form of the transcript.
play() {
    local status
    (cd "$work/out" && exec env -i PATH="$work/bin:/usr/bin:/bin" HOME="$work/out" LC_ALL=C FIXTURE="$work/fixture" DYNAMIC="$work/dynamic" \
        HERE="$here" bash -c "$1" >"$work/stdout" 2>"$work/stderr" </dev/null)
    status=$?
    sed "s|$work|WORK|g" "$work/stdout"
    sed "s|$work|WORK|g; s/^/! /" "$work/stderr"
    ((status == 0)) || echo "[$status]"
}

# A whole case: commands and comments as they stand, outputs as they come.
replay() {
    local line
    rm -rf "$work/out"
    mkdir "$work/out"
    while IFS= read -r line; do
        case $line in
        '## '*) echo "$line" ;;
        '$ '*) echo "$line"; play "${line:2}" ;;
        esac
    done <"$1"
}

passed=0 failed=0 skipped=0
for case in "${cases[@]}"; do
    name=$(basename "$case" .txt)
    if { [[ ! $compiler ]] && grep -qE 'FIXTURE|DYNAMIC' "$case"; } || { [[ ! -x ${ferry}-compiler ]] && grep -qE 'dump asm|cache import' "$case"; }; then
        ((skipped++))
        continue
    fi
    replay "$case" >"$work/now"
    if [[ $update ]]; then cp "$work/now" "$case"; fi
    if diff -u --label "$name expected" --label "$name" "$case" "$work/now"; then ((passed++)); else ((failed++)); fi
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
