# Python's own tests of zlib.
# program-test: timeout=900
python3 -m test -q test_zlib >log 2>&1; status=$?
echo "test_zlib $status"; [ $status = 0 ] || tail -40 log
