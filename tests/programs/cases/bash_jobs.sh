# Job control without a terminal: background jobs, wait, fg, bg, kill, stopped jobs, coprocesses.
set -m
sleep 0.2 & first=$!
(sleep 0.1; exit 7) & second=$!
wait $second; echo "second $?"
wait $first; echo "first $?"
sleep 100 & victim=$!
kill -STOP $victim
sleep 0.2
jobs | sed 's/  */ /g'
kill -CONT $victim
sleep 0.1
jobs | sed 's/  */ /g'
kill -TERM $victim
wait $victim 2>/dev/null; echo "victim $?"
(sleep 0.3; echo from background) &
fg %% >/dev/null; echo "fg $?"
bash -c 'kill -STOP $$; echo resumed; exit 5' &
stopped=$!
for try in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; jobs -s | grep -q . && break; done
jobs -s | wc -l
bg %% >/dev/null
wait $stopped; echo "stopped job $?"
set +m
for i in 1 2 3 4 5; do (exit $i) & pids[$i]=$!; done
for i in 5 3 1 2 4; do wait ${pids[$i]}; echo "$i -> $?"; done
(sleep 0.05; exit 9) & (sleep 5) & last=$!
wait -n; echo "first to end: $?"
kill $last; wait $last 2>/dev/null; echo "killed $?"
coproc up { tr a-z A-Z; }
exec 9<&"${up[0]}"  # bash closes its own as soon as it knows that the coprocess has ended
echo lower >&"${up[1]}"
eval "exec ${up[1]}>&-"
read -r answer <&9; echo "$answer"
exec 9<&-
wait
for i in $(seq 20); do (echo $i) & done | sort -n | paste -sd' '
wait
nohup true >/dev/null 2>&1; echo "nohup $?"
timeout 0.2 sleep 5; echo "timeout $?"
timeout -s KILL 0.2 sleep 5; echo "timeout kill $?"
timeout --preserve-status -s INT 0.2 sleep 5; echo "preserved $?"
