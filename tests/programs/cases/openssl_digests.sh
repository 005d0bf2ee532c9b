# openssl: digests, ciphers, MACs, encodings, random numbers, speed.
# program-test: modes=chroot,overlay
seq 1 20000 >data
for d in md5 sha1 sha224 sha256 sha384 sha512 sha512-256 sha3-256 sha3-512 shake128 blake2b512 blake2s256 sm3 ripemd160; do openssl dgst -$d $([ $d = shake128 ] && echo -xoflen 32) data 2>/dev/null; done
for c in aes-128-cbc aes-256-ctr aes-192-ofb aes-256-cfb chacha20 camellia-256-cbc aria-128-ctr sm4-cbc des-ede3-cbc aes-128-ecb; do
    openssl enc -$c -K 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -iv 00112233445566778899aabbccddeeff -in data -out enc 2>/dev/null
    echo "$c $(sha1sum <enc | cut -c1-20)"; openssl enc -d -$c -K 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -iv 00112233445566778899aabbccddeeff -in enc 2>/dev/null | cmp - data
done
openssl dgst -sha256 -hmac key data; openssl mac -macopt hexkey:000102030405060708090a0b0c0d0e0f -macopt cipher:AES-128-CBC -in data CMAC; openssl mac -macopt key:0123456789abcdef0123456789abcdef -in data POLY1305
openssl enc -aes-256-cbc -pbkdf2 -iter 2000 -S 0102030405060708 -pass pass:secret -in data | openssl dgst -sha1; openssl kdf -keylen 24 -kdfopt digest:SHA256 -kdfopt pass:pw -kdfopt salt:salt -kdfopt iter:1000 PBKDF2
openssl kdf -keylen 16 -kdfopt pass:pw -kdfopt salt:NaCl -kdfopt n:64 -kdfopt r:4 -kdfopt p:2 -kdfopt maxmem_bytes:10485760 SCRYPT; openssl passwd -6 -salt abcdefgh secret; openssl passwd -apr1 -salt abcdefgh secret
openssl base64 <<< 'some text'; openssl prime 1000003 1000001; openssl rand -hex 16 | wc -c; openssl rand -base64 30 | wc -c; openssl version | cut -d. -f1; openssl asn1parse -genstr 'SEQUENCE:INTEGER:5' 2>/dev/null; openssl list -digest-algorithms | grep -c SHA
