# Traps, signals between shells, exit statuses of killed children.
trap 'echo got USR1' USR1
trap 'echo got INT' INT
kill -USR1 $$
kill -INT $$
(trap 'echo child TERM; exit 4' TERM; kill -TERM $BASHPID; echo unreachable)
echo "child $?"
for s in TERM KILL SEGV ABRT FPE HUP PIPE ALRM USR2 RTMIN RTMAX; do
    bash -c "kill -$s \$\$" 2>/dev/null
    echo "$s $?"
done 2>/dev/null
bash -c 'trap "" TERM; kill -TERM $$; echo ignored'
bash -c 'trap "echo bye" EXIT; exit 3'; echo $?
bash -c 'trap "echo dbg" DEBUG; :; :' | wc -l
bash -c 'f() { trap "echo returning" RETURN; }; f'
sleep 5 & pid=$!
(sleep 0.2; kill -USR1 $$) &
wait $pid; echo "interrupted wait $(( $? > 128 ))"
kill $pid; wait $pid 2>/dev/null; echo "sleep $?"
wait
trap -p USR1
trap - USR1
kill -l 9 15 11 34
count=0
trap 'count=$((count + 1))' USR2
for i in $(seq 50); do kill -USR2 $$; done
echo "count $count"
(trap 'echo pipe; exit 1' PIPE; trap '' PIPE; while echo y; do :; done 2>/dev/null | head -1; echo "status ${PIPESTATUS[0]}")
(ulimit -c 0; sh -c 'kill -SEGV $$'; echo "sh $?") 2>/dev/null
set -e
(false; echo no) || echo "or $?"
