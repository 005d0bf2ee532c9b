# A plain POSIX shell.
# program-test: shell=/bin/sh
set -eu
fib() { a=0 b=1 n=$1; while [ "$n" -gt 0 ]; do t=$((a + b)); a=$b; b=$t; n=$((n - 1)); done; echo "$a"; }
fib 80
for w in one two three; do printf '%s ' "$w"; done; echo
x=path/to/file.tar.gz
echo "${x##*/} ${x%.*} ${x%%.*} ${x#*/}"
cat <<END | while IFS=, read -r a b c; do echo "$c-$b-$a"; done
1,2,3
x,y,z
END
trap 'echo leaving' EXIT
( exit 5 ) || echo "status $?"
sleep 0.1 & wait $!
i=0; until [ $i -ge 2000 ]; do i=$((i + 1)); done; echo $i
echo "$(echo a; echo b)" | wc -l
test -e /proc/self/exe && echo proc
printf '%d %s %c\n' 5 word word
kill -0 $$ && echo alive
command -v awk >/dev/null && echo found
