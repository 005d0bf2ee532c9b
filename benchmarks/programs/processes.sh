#!/bin/bash
# Short processes one after another, each started by this machine's shell under the runner, so that all runners start the same ones:
# processes.sh COUNT ROOT [RUNNER'S WORD]...
set -eu
count=$1 bin=$2/usr/bin
shift 2
for ((i = 0; i < count; i += 4)); do
    # shellcheck disable=SC2016  # for the shell that is started
    "$@" "$bin/sh" -c 'echo "line $0: $(($0 * 7 % 13)) of thirteen"' $i
    "$@" "$bin/sed" -n 's/line \([0-9]*\)/\1 is the &/p' <<<"line $i: $((i * i)) squared"
    "$@" "$bin/grep" -o '[0-9]$' <<<"ends in $i"
    "$@" "$bin/cut" -d ' ' -f 2 <<<"cut $i out"
done
