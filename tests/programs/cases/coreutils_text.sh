# cut, join, tr, paste, fold, fmt, nl, pr, comm, expand, tac, shuf with a fixed source, split, csplit, uniq, ptx, tsort, od.
# program-test: modes=chroot,overlay
seq 1 40 | awk '{ print $1 % 7, $1, "w" $1 % 5 }' >t
cut -d' ' -f2,3 t | head -3; cut -c1-3 t | tail -2; cut -b2- --complement t | sort | uniq -c
sort -k1,1n -k2,2nr t | head -8
sort -t' ' -k3 -s t | md5sum; sort -R --random-source=/dev/zero t | sort -u | wc -l
sort -n t | uniq -w1 -c; sort -V <<< $'v1.10\nv1.9\nv1.2-rc'; sort -h <<< $'2K\n1G\n3M'; sort -M <<< $'mar\njan\nfeb'
join <(sort -k1,1 t | head -10) <(printf '0 zero\n1 one\n2 two\n') | head -5
join -a1 -e none -o 0,1.2,2.2 <(printf 'a 1\nb 2\n') <(printf 'b x\nc y\n')
tr 'a-z' 'n-za-m' <<< 'the quick brown fox'; tr -s 'l' <<< hellllo; tr -cd '[:digit:]' <<< 'a1b2c3'; echo
paste -d, <(seq 3) <(seq 4 6) <(seq 7 9); paste -s <(seq 5)
fold -w 10 <<< 'The quick brown fox jumps'; fold -sw 10 <<< 'The quick brown fox jumps'
fmt -w 20 <<< 'The quick brown fox jumps over the lazy dog and so on'
nl -ba <<< $'a\n\nb'; tac <<< $'1\n2\n3'; rev <<< abcdef 2>/dev/null
comm <(printf 'a\nb\nc\n') <(printf 'b\nc\nd\n'); comm -12 <(seq 1 10) <(seq 10) 2>/dev/null | wc -l
expand -t4 <<< $'a\tb'; unexpand -a <<< 'a       b       c'
seq 100 >n; split -l 30 -d n part.; wc -l part.*; cat part.* | cmp - n && echo same
split -n 3 --filter='wc -c' n; csplit -s n 20 50 '{1}'; wc -l xx*
tsort <<< $'a b\nb c\na d\nd c'
od -An -tx1z <<< 'ferry'; od -A d -t d2 <<< 'abcdef'; od -tf8 -An <(printf '\0\0\0\0\0\0\360\077')
pr -t -3 -l 12 n | head -4
head -c 20 n | base64; base64 <<< 'some text' | base64 -d; base32 <<< ferry; basenc --z85 -w0 <<< abc1234 2>/dev/null || echo z85
head -n -97 n; tail -n +98 n; tail -c 4 n
wc -lwmcL t; cksum n; sum n; sum -s n
echo 'a.b.c' | tr . '\n' | numfmt --to=none 2>/dev/null; column --version >/dev/null 2>&1; ptx -w 40 <<< 'alpha beta gamma'
shuf -i 1-20 --random-source=<(yes) | paste -sd' '
uniq -D <<< $'a\na\nb\nc\nc'; uniq -u <<< $'a\na\nb'
