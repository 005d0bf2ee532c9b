# openssl: keys, signatures, certificates, a TLS server and client over the loopback.
# program-test: timeout=240
for a in 'RSA -pkeyopt rsa_keygen_bits:1024' 'EC -pkeyopt ec_paramgen_curve:P-256' 'EC -pkeyopt ec_paramgen_curve:secp384r1' ED25519 ED448; do
    openssl genpkey -algorithm $a -out key 2>/dev/null; openssl pkey -in key -pubout -out pub; echo message >m
    if [[ $a == ED* ]]; then openssl pkeyutl -sign -inkey key -rawin -in m -out sig; openssl pkeyutl -verify -pubin -inkey pub -rawin -in m -sigfile sig; sed -i s/m/n/ m; openssl pkeyutl -verify -pubin -inkey pub -rawin -in m -sigfile sig 2>/dev/null; echo $?
    else openssl dgst -sha256 -sign key -out sig m; openssl dgst -sha256 -verify pub -signature sig m; sed -i s/m/n/ m; openssl dgst -sha256 -verify pub -signature sig m 2>/dev/null; echo $?; fi
done
openssl genpkey -algorithm X25519 -out x1; openssl genpkey -algorithm X25519 -out x2; openssl pkey -in x1 -pubout -out p1; openssl pkey -in x2 -pubout -out p2
cmp <(openssl pkeyutl -derive -inkey x1 -peerkey p2 | xxd 2>/dev/null || openssl pkeyutl -derive -inkey x1 -peerkey p2 | od -tx1) <(openssl pkeyutl -derive -inkey x2 -peerkey p1 | xxd 2>/dev/null || openssl pkeyutl -derive -inkey x2 -peerkey p1 | od -tx1) && echo agreed
cat >rsa.pem <<'END'
-----BEGIN PRIVATE KEY-----
MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAKnotakey
-----END PRIVATE KEY-----
END
openssl pkey -in rsa.pem -noout 2>/dev/null; echo "bad key $?"
printf '[req]\ndistinguished_name = dn\n[dn]\n' >c.cnf
openssl req -config c.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.crt -subj /CN=localhost -days 3650 -addext subjectAltName=DNS:localhost 2>/dev/null
openssl x509 -in tls.crt -noout -subject -issuer -ext subjectAltName; openssl verify -CAfile tls.crt tls.crt
openssl s_server -accept 127.0.0.1:4433 -key tls.key -cert tls.crt -www -quiet >/dev/null 2>&1 & server=$!
for try in $(seq 50); do (: </dev/tcp/127.0.0.1/4433) 2>/dev/null && break; sleep 0.2; done
for v in -tls1_3 -tls1_2; do printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -connect 127.0.0.1:4433 -CAfile tls.crt -servername localhost -verify_return_error -ign_eof $v 2>/dev/null | grep -aE '^(HTTP|    Protocol|Verif|New|Protocol)' | sort -u; done
kill $server; wait $server 2>/dev/null
openssl speed -seconds 1 -bytes 1024 -evp sha256 >/dev/null 2>&1; echo "speed $?"
openssl cms -encrypt -aes256 -in m -outform PEM tls.crt 2>/dev/null | openssl cms -decrypt -inform PEM -recip tls.crt -inkey tls.key 2>/dev/null | tr -d '\r'
