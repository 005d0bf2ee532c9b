# bash: pipes, here-documents, arrays, arithmetic, job control, traps
set -m
printf '%s\n' {1..20} | while read -r n; do ((n % 3)) || echo "three $n"; done
cat <<TEXT | tr a-z A-Z
here $((6 * 7)) document
TEXT
declare -A map=([one]=1 [two]=2)
for key in $(printf '%s\n' "${!map[@]}" | sort); do echo "$key=${map[$key]}"; done
list=(a b c); echo "${list[@]:1} ${#list[@]} ${list[-1]}"
sleep 0.2 & sleep 0.1 & wait; echo "waited $?"
(exit 7) & wait $!; echo "status $?"
trap 'echo got USR1' USR1; kill -USR1 $$; trap - USR1
sleep 100 & kill -TERM $!; wait $!; echo "killed $?"
sleep 100 & kill -STOP $!; sleep 0.1; jobs | sed 's/ *[0-9]* *Stopped/ Stopped/'; kill -CONT $!; kill $!; wait 2>/dev/null
echo <(true) | sed 's/[0-9]*$/N/'; diff <(seq 3) <(seq 2 4)
[[ "foo123" =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[@]}"
timeout 0.2 sleep 5; echo "timeout $?"
/no/such/program 2>/dev/null; echo "missing $?"
bash -c 'kill -SEGV $$' 2>/dev/null; echo "segv $?"
coproc cat; echo ping >&"${COPROC[1]}"; read -r answer <&"${COPROC[0]}"; echo "$answer"; kill $COPROC_PID
ulimit -n; umask; type -t cd; echo $BASH_VERSION
