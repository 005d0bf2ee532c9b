# Digests over data of many lengths.
# program-test: modes=chroot,overlay
for n in 0 1 55 56 63 64 65 111 112 127 128 1000 65536 1000000; do
    head -c $n < <(seq 300000) >data
    echo $n
    for h in md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum 'b2sum -l 128' 'cksum' 'cksum -a crc' 'cksum -a sm3' sum; do $h <data; done
done
seq 1000 >f; sha256sum f >f.sum; sha256sum -c f.sum; echo x >>f; sha256sum -c f.sum 2>/dev/null; echo $?
cksum -a sha512 --base64 f; md5sum --tag f
