# seq, factor, numfmt, expr, bc-like arithmetic, printf of floating point.
factor 1 2 97 1000000007 18446744073709551615 340282366920938463463374607431768211455 600851475143 123456789012345678901234567890
seq 0.1 0.1 1; seq -w 8 11; seq -f '%.3e' 1 3; seq 10 -3 0; seq 1e3 250 2e3; seq -s, 5
numfmt --to=iec 1024 1500 123456789 1000000000000; numfmt --from=si 1K 2.5M; numfmt --to=si --round=nearest --format=%.2f 987654321
numfmt --field=2 --header --to=iec-i <<< $'name size\na 2048\nb 99999'; numfmt --grouping 1234567
expr 5 + 3 \* 2; expr length abcdef; expr substr hello 2 3; expr abc123 : '[a-z]*\([0-9]*\)'; expr 7 % 3; expr 1 / 0; echo $?
expr 99999999999999999999 \* 99999999999999999999
printf '%.17g %g %e %f\n' 0.1 1e-10 123456.789 1e20
/usr/bin/printf '%.15f %.3g %d %u %x %c %s\n' 3.14159265358979323846 1 -5 18446744073709551615 255 z s
/usr/bin/printf '%Lf\n' 1 2>/dev/null; echo $?
test 5 -gt 3 && echo yes; test 18446744073709551616 -gt 1; echo $?; [ 1 = 1 -a 2 != 3 ]; echo $?
seq 1 100000 | tail -1; seq 1 100000 | sha1sum; seq 0 0.001 10 | sha1sum
