# Pipelines, process substitution, redirections, subshells, pipefail.
# program-test: modes=chroot,overlay
seq 1 2000 | sort -rn | grep 7 | tr 0-4 a-e | sed -n '5,12p'
seq 1 300 | while read -r n; do echo $((n * n)); done | awk '{ s += $1 } END { print NR, s }'
diff <(seq 1 8) <(seq 2 9)
echo "diff said $?"
yes ferry | head -3
yes | head -100000 | wc -c
false | true; echo "${PIPESTATUS[@]}"
set -o pipefail; false | cat; echo "pipefail $?"; set +o pipefail
exec 3>out 4<&0
echo to three >&3
exec 3>&-
cat out
{ echo one; echo two >&2; } 2>&1 | sort -r
cat <<< "here string"
tee >(wc -l >lines) < <(seq 10) | tail -1
sleep 0.3; cat lines
(cd / && pwd; exit 3); echo "subshell $?"
x=$(printf 'a\nb\n\n\n'); printf '[%s]\n' "$x"
echo data >>log; echo more >>log; wc -l <log
echo clobber >|log; cat log
: >&7 2>/dev/null; echo "bad descriptor $?"
cat nothere 2>/dev/null; echo "missing file $?"
nosuchcommand 2>/dev/null; echo "missing command $?"
echo text >plain; ./plain 2>/dev/null; echo "not executable $?"
for i in 1 2 3 4 5; do seq 1000 | cat | cat | cat | md5sum; done | uniq -c
