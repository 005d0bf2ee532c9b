# Python's own tests of re.
# program-test: timeout=900
python3 -m test -q test_re >log 2>&1; status=$?
echo "test_re $status"; [ $status = 0 ] || tail -40 log
