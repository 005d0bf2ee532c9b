# Python's own tests of decimal.
# program-test: timeout=900 slow
python3 -m test -q test_decimal >log 2>&1; status=$?
echo "test_decimal $status"; [ $status = 0 ] || tail -40 log
