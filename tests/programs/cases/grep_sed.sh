# grep in its flavours, sed programs.
seq 1 3000 | sed 's/$/ line of text number/' >t
printf 'alpha\nBeta\ngamma delta\nalphabet\nfoo.bar\nfoobar\n\nlast' >w
grep -c 7 t; grep -n '^1[0-9]5 ' t | head -3; grep -E '(12|34)+ ' t | wc -l; grep -F foo.bar w; grep -i beta w; grep -v a w; grep -o 'a[a-z]' w
grep -w alpha w; grep -x alpha w; grep -A1 -B1 gamma w; grep -P '(?<=foo)\.\w+' w; grep -Po '\d{4}(?= line)' t | tail -2; grep -l alpha w t; grep -L alpha w t
grep -rn --include=w alpha . ; grep -q nothing w; echo $?; grep x nofile 2>/dev/null; echo $?; grep -m2 -b a w; grep -E '^(.)(.).*\2' w; grep -c '' w; grep -z -c l w
grep -e alp -e gam w; echo 'a+b' | grep 'a+b'; grep -E '[[:upper:]]|[[:space:]]' w; printf 'äb\n' | grep -o '.b'; grep -f <(printf 'foo\nlast\n') w
egrep --version >/dev/null 2>&1; head -c 200000 /dev/zero | tr '\0' x | grep -c x; grep -a -c a w
sed -n '2p;$p' w; sed '1!G;h;$!d' w; sed 's/\(.*\)a/\1A/' w; sed -E 's/([a-z]+) ([a-z]+)/\2 \1/' w; sed '/^$/d;s/^/> /' w; sed -n '/alpha/,/gamma/p' w
sed 'y/abc/xyz/' w | head -2; sed -e '2i\inserted' -e '3a\appended' -e '4c\changed' w; sed ':a;N;$!ba;s/\n/,/g' w; sed 's/a/&&/2;t;d' w; sed -n 'l 20' w | head -3
sed -i.bak 's/foo/baz/g' w; diff w w.bak; sed '0~500!d' t; sed -s -n '$=' w t; sed = w | head -4; sed 's/x*/-/g' <<< abc; sed 's/.*/\U&/;s/ALPHA/\L&/' w | head -2
seq 1 20000 | sed -E 's/(.)(.)/\2\1/;s/9+$/nine/' | md5sum; sed --posix -n '$!{h;d};x;p' w; sed 'w out' w >/dev/null; cmp w out && echo w; sed '3q5' w; echo $?
