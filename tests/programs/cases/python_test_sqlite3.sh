# Python's own tests of sqlite3.
# program-test: timeout=900
python3 -m test -q test_sqlite3 >log 2>&1; status=$?
echo "test_sqlite3 $status"; [ $status = 0 ] || tail -40 log
