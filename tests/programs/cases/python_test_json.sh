# Python's own tests of json.
# program-test: timeout=900
python3 -m test -q test_json >log 2>&1; status=$?
echo "test_json $status"; [ $status = 0 ] || tail -40 log
