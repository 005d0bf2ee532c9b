# Files and folders: cp, mv, ln, install, dd, tee, truncate, stat formats, mktemp, chmod, du, df, readlink, realpath, sync, mkfifo.
mkdir -p d/e/f; seq 1000 >d/a; cp d/a d/e/b; ln d/a d/hard; ln -s a d/soft; ln -sf ../a d/e/up; cp -a d copy; diff -r d copy && echo equal
stat -c '%n %s %F %h %a' d/a d/e d/soft d/hard; readlink d/soft; realpath --relative-to=. d/e/up; [ d/a -ef d/hard ] && echo same inode
mv copy/a copy/moved; ls -R copy; rm -r copy; ls copy 2>/dev/null; echo $?
install -m 750 -D d/a deep/er/file; stat -c %a deep/er/file; chmod u+s,g-w,o=r deep/er/file; stat -c '%a %A' deep/er/file
dd if=/dev/zero of=z bs=1k count=33 2>/dev/null; dd if=d/a of=z bs=1 seek=100 count=50 conv=notrunc 2>/dev/null; sha1sum z
dd if=d/a bs=7 skip=3 count=2 status=none; echo; dd if=d/a conv=ucase,swab bs=64 count=1 status=none | md5sum
truncate -s 5M sparse; stat -c '%s %b' sparse; cp --sparse=always sparse s2; cmp sparse s2 && echo same; du -k --apparent-size sparse | cut -f1
seq 5 | tee t1 t2 | wc -l; cmp t1 t2 && echo tee; mkfifo p; (echo through >p &); cat p
ln -s loop loop; cat loop 2>&1 | sed 's/.*: //'; mkdir d/a 2>&1 | sed 's/.*: //'; rmdir d 2>&1 | sed 's/.*: //'; cat d 2>&1 | sed 's/.*: //'
touch -- -dash 'sp ace' $'new\nline'; ls -b | head -30; ls -Q; rm -- -dash
ls -l --time-style=+ d | awk '{ print $1, $5, $NF }'; ls -1S d | head -2; ls -d */; ls --color=always -d d | od -c | head -2
mktemp -u XXXX | wc -c; basename /a/b/c.txt .txt; dirname /a/b/c.txt; pathchk -p 'ok' && echo ok; pwd | wc -l
shred -n 1 -z t1; od -An -tx1 t1 | head -1; cp -u d/a t2; cmp d/a t2 && echo updated; link d/a linked; unlink linked; sync t2; test -e linked; echo $?
for i in $(seq 300); do echo $i >many.$i; done; ls many.* | wc -l; cat many.* | sort -n | tail -1; rm many.*
df --output=target . | tail -n +2 | wc -l; cp -r /etc/passwd pw; cut -d: -f1 pw | head -3; id -u; whoami; logname 2>/dev/null; groups
: >grow; tail -f grow >grown --pid=$$ & t=$!; echo line >>grow; until grep -q line grown; do sleep 0.1; done; kill $t; cat grown
mkdir perm; chmod 000 perm; stat -c %a perm; chmod 755 perm; umask; cp --reflink=auto d/a r && cmp r d/a && echo reflink
env printf 'x%.0s' {1..50}; echo; printenv LC_ALL; tty; yes n | cp -i d/a d/e/b 2>/dev/null; echo $?; split --help | wc -l
