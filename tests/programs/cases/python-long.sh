# python3's own unit tests that take longer
# program-test: slow timeout=900
run() { python3 -m test -q "$@" >log 2>&1; local status=$?; echo "$* $status"; [ $status = 0 ] || tail -30 log; }
run test_sqlite3; run test_decimal; run test_subprocess; run test_threading
