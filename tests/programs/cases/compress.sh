# zstd, xz, gzip, bzip2: round trips, and archives that must be the same on both sides
# program-test: timeout=400
seq 1 60000 | awk '{ print $1 * 2654435761 % 1000003, $1, "some text that repeats" }' >data; sha256sum data
for tool in 'zstd -3 -q' 'zstd -12 -q' 'zstd -T2 -q' 'xz -2' 'gzip -n -6' 'bzip2 -9'; do
    $tool -c data >packed; case $tool in zstd*) zstd -dqc packed;; xz*) xz -dc packed;; gzip*) gzip -dc packed;; bzip2*) bzip2 -dc packed;; esac | cmp - data && echo "$tool $(stat -c %s packed) $(sha256sum <packed)"
done
tar cf - --sort=name --mtime=@0 --owner=0 --group=0 data | xz -1 | tar xJf - -O | cmp - data && echo tar; zstd -q -b1 -i0 data >/dev/null 2>&1; echo "benchmark $?"; xz --test packed 2>/dev/null; echo "$?"
