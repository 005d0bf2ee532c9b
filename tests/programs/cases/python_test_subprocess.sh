# Python's own tests of subprocess.
# program-test: timeout=900 slow
python3 -m test -q test_subprocess >log 2>&1; status=$?
echo "test_subprocess $status"; [ $status = 0 ] || tail -40 log
