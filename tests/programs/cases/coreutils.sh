# coreutils, findutils, grep, sed, awk, diff, file, tar
seq 1 20000 | sort -R --random-source=<(yes) | sort -n | sha256sum
seq 1000 | factor | tail -3; seq 5 | paste -sd+ ; seq 10 | shuf --random-source=<(yes) | sort -rn | head -3
printf 'b 2\na 1\n' | sort >s1; printf 'a x\nb y\n' >s2; join s1 s2; comm s1 s2; cut -d' ' -f2 s1 | tr '\n' ,; echo
date -d '2024-02-29 12:34:56 UTC' '+%F %T %j %s' ; TZ=Europe/Berlin date -d @1700000000 2>/dev/null; numfmt --to=iec 123456789
for f in md5sum sha1sum sha512sum b2sum cksum; do seq 1000 | $f; done
dd if=/dev/zero bs=1k count=64 2>/dev/null | tee z1 | wc -c; split -b 10k z1 part.; ls part.* | wc -l; stat -c '%s %a %F' z1
mkdir -p d/e/f; touch d/e/f/{x,y}; ln -s x d/e/f/l; find d -type f | sort; find d -type l -printf '%p -> %l\n'; tar cf d.tar --sort=name --mtime=@0 --owner=0 --group=0 d && tar tf d.tar && sha256sum d.tar
chmod 750 d; ls -ld d | cut -c1-10; basename /a/b.c .c; dirname /a/b; realpath d/../d/e; expr 6 \* 7; od -c s1 | head -2
grep -c '7' <(seq 1000); grep -oP '(?<=1)\d+' <(seq 100 120) | head -3; seq 100 | grep -E '^(1|2)5$'
sed -n '2,4p;$p' <(seq 10); sed -E 's/([0-9])([0-9])/\2\1/' <(seq 8 12); echo a.b.c | sed 's/\./-/2'
awk 'BEGIN { for (i = 0; i < 5; i++) s += sin(i); printf "%.15f %d %s\n", s, 2^31, substr("abcdef", 2, 3) }'; seq 100 | awk '{ s += $1 * $1 } END { print s, NR, length(s) }'
diff -u <(seq 5) <(seq 2 6) | tail -n +3; file -b /bin/sh s1 d.tar | sed 's/x86-64/ISA/;s/UCB RISC-V/ISA/' | tail -2; cmp s1 s2; nl s1 | expand; fold -w 7 <<< 'folding a longer line'
yes | head -c 100000 | md5sum; seq 3 | xargs -n1 -P2 echo n | sort; env | grep -c PATH; printf '%05.2f|%-5s|%x\n' 3.14159 ab 255
