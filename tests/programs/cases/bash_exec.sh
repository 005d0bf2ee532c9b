# Programs started from programs: scripts with interpreters, exec, environment, PATH, long argument lists, /proc/self.
mkdir bin; PATH=$PWD/bin:$PATH
printf '#!/bin/bash\necho "script $0: $# $*"\n' >bin/plain; sed -i "s,\$0,\${0##*/}," bin/plain
printf '#!/bin/bash -e\necho before\nfalse\necho after\n' >bin/strict
printf '#!/usr/bin/env perl\nprint "perl ", scalar(@ARGV), "\\n";\n' >bin/withenv
printf '#! /usr/bin/env -S awk -f\nBEGIN { print "awk", ARGC }\n' >bin/split
printf '#!%s/bin/plain inner\n' "$PWD" >bin/nested
printf '#!/no/such/interpreter\n' >bin/missing
printf 'echo no first line $1\n' >bin/bare
printf '\177ELF garbage' >bin/garbage
chmod +x bin/*
plain a 'b c'
strict; echo $?
withenv 1 2 3
split x
nested outer | sed "s,$PWD,.,g"
missing 2>/dev/null; echo "missing $?"
bare arg
garbage 2>/dev/null; echo "garbage $?"
(exec plain exec); echo $?
(exec -a renamed bash -c 'echo $0')
(exec nosuch 2>/dev/null); echo "exec $?"
env -i A=1 B=2 env | sort
env -u HOME bash -c 'echo "${HOME-unset}"'
X=inherited bash -c 'bash -c "bash -c \"echo \\\$X\""'
xargs -n 100 echo < <(seq 1000) | wc -l
big=$(printf '%0100000d' 0); bash -c 'echo ${#1}' _ "$big"
printf '%s\n' $(seq 20000) | xargs echo | wc
bash -c 'echo $#' _ $(seq 30000)
cd /proc/self && readlink -f exe | sed 's/[0-9.]*$//'; cd - >/dev/null
tr '\0' ' ' </proc/self/cmdline; echo
cat /proc/self/comm
bash -c 'cat /proc/$$/comm'
ls /proc/self/fd | wc -l
find /proc/self/fd -type l | wc -l
sh -c 'echo $PPID' | grep -cx $$
nice -n 5 nice
(umask 077; touch private; stat -c %a private)
(ulimit -n 64; ulimit -n)
(ulimit -s 16384; bash -c 'ulimit -s')
setsid bash -c 'echo own session; [ $(ps -o sid= -p $$) -eq $$ ] && echo leader'
type -p plain | sed "s,$PWD,.,"
command -v ls
chroot / /bin/echo chroot works
