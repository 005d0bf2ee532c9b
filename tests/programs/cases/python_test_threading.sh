# Python's own tests of threading.
# program-test: timeout=900
python3 -m test -q test_threading >log 2>&1; status=$?
echo "test_threading $status"; [ $status = 0 ] || tail -40 log
