# zstd, xz, gzip, bzip2: compressed bytes and what comes back, at several levels, damaged input.
# program-test: timeout=400
# program-test: timeout=240
seq 1 60000 >text; head -c 300000 /dev/zero >zeros; for i in $(seq 60); do sha512sum text zeros <<< $i | cut -c1-100; done | base64 >mixed; : >empty
for f in text zeros mixed empty; do
    for c in 'gzip -n -1' 'gzip -n -9' 'bzip2 -1' 'bzip2 -9' 'xz -0' 'xz -6 -T1' 'xz --format=lzma -2' 'xz --check=sha256 -1' 'zstd -q -1' 'zstd -q -9' 'zstd -q -19 --single-thread' 'zstd -q -3 --long -T2'; do
        $c -c <$f >packed || echo failed
        echo "$f $c $(sha1sum <packed | cut -c1-16) $(wc -c <packed)"
        ${c%% *} -dc <packed 2>/dev/null | cmp - $f || xz -dc --format=auto <packed | cmp - $f
    done
done
gzip -c text >t.gz; gzip -l t.gz | awk 'NR == 2 { print $1 > 0, $2 }'; gzip -t t.gz; echo $?; head -c 5000 t.gz | gzip -dc 2>&1 >/dev/null | sed 's/.*: //'; zcat t.gz | tail -1
xz -k -T2 --block-size=64KiB text; xz -l text.xz | tail -1 | awk '{ print $1, $2 }'; printf x | dd of=text.xz bs=1 seek=900 conv=notrunc status=none; xz -t text.xz 2>/dev/null; echo $?
zstd -q --train mixed text zeros -B2000 --maxdict=8192 -o dict 2>/dev/null; echo $?; zstd -q -D dict -c mixed 2>/dev/null | zstd -q -dc -D dict 2>/dev/null | cmp - mixed && echo dictionary
bzip2 -k text; bzip2 -t text.bz2; echo $?; bzcat text.bz2 | sha1sum; zstd -q -b1 -i0 text >/dev/null 2>&1; echo $?; zstd -l t.zst 2>/dev/null; echo $?; cat t.gz t.gz | zcat | wc -l
