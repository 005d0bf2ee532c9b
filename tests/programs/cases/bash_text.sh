# Here-documents, arrays, expansions, printf, patterns and regular expressions of bash itself.
# program-test: modes=chroot,overlay
name=world
cat <<END
Hello $name, $((6 * 7)), $(echo nested)
END
cat <<'END'
no $expansion `here`
END
cat <<-END
	tabs go
		away
END
a=(zero one "two words" [7]=seven)
echo "${#a[@]} ${a[2]} ${!a[@]}"
printf '<%s>' "${a[@]}"; echo
a+=(eight); unset 'a[0]'; declare -p a
declare -A m=([red]=1 [green]=2 [blue]=3)
for k in $(printf '%s\n' "${!m[@]}" | sort); do echo "$k=${m[$k]}"; done
s="The quick brown fox"
echo "${s#* } | ${s##* } | ${s%% *} | ${s/quick/slow} | ${s//o/0} | ${s:4:5} | ${s^^} | ${s,,} | ${#s}"
echo "${none:-default} ${s:+set} ${s: -3}"
printf '%05d|%-8s|%x|%o|%e|%.3f|%q|%b\n' 42 left 255 8 12345.678 3.14159 'a b' 'x\ty'
printf '%(%Y-%m-%d)T\n' 0
[[ "2024-05-17" =~ ^([0-9]+)-([0-9]+)-([0-9]+)$ ]] && echo "${BASH_REMATCH[@]}"
[[ abc == a*c ]] && echo glob
shopt -s extglob nullglob
touch a1 a2 b1 .hid
echo a* !(a*) +([a-z])1 none*
echo {1..5} {a..e..2} {01..10..3} x{y,z}w
case hello in h?l*) echo matched ;; *) echo not ;; esac
f() { local x=$1; ((x <= 1)) && { echo 1; return; }; echo $((x * $(f $((x - 1))))); }
f 10
echo $((0x1f + 077 + 2#1011)) $((7 / -2)) $((-7 % 3)) $((1 << 40)) $((2 ** 62)) $((5 > 3 ? 1 : 0)) $((~0))
i=5; echo $((i++ + ++i)) $i
mapfile -t lines < <(seq 3); echo "${lines[@]/#/L}"
IFS=: read -r u v w <<< "a:b:c:d"; echo "$u $v $w"
read -r -d '' -n 4 four <<< "abcdefg"; echo "$four"
select_me() { printf '%s\n' "$@" | sort -u | paste -sd,; }
select_me c a b a
set -- one "two three" four; echo "$# $2"; shift; echo "$*"
while getopts 'ab:c' o -a -b val -c; do echo "$o ${OPTARG-}"; done
type -t cd ls f if
echo "$BASH_VERSION" | cut -d. -f1
trap 'echo "line $LINENO failed"' ERR
false
trap - ERR
eval 'echo "eval $name"'
declare -i n=5; n+=3; echo $n
declare -r ro=1; (ro=2) 2>/dev/null; echo $?
declare -n ref=name; ref=changed; echo "$name"
printf '%s\n' "${s@Q}" "${a[@]@A}"
echo -e 'tab\there\x41\u00e9'
LC_ALL=C.UTF-8; u=äöü; echo "${#u} ${u:1:1}"
