#!/bin/bash
# What `gcc -O2 -c FILE` carries out: the driver, the compiler and the assembler, each started by this machine's shell under the runner,
# so that all runners carry out the same ones: driver.sh FILE ROOT [RUNNER'S WORD]...
set -eu
file=$1 root=$2
shift 2
compilers=("$root"/usr/libexec/gcc/*/*/cc1)
# The driver says what it would start, and with which words about the machine.
"$@" "$root/usr/bin/gcc" -O2 -w -c "$file" -o driver.o -'###' 2>driver.words
mapfile -t machine < <(grep -oP '(?<=")-m[^"]*' driver.words)
"$@" "${compilers[-1]}" -quiet "${machine[@]}" -O2 -w "$file" -o driver.s
"$@" "$root/usr/bin/as" driver.s -o driver.o
