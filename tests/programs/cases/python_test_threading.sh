# Python's own tests of threading, but one that at times hangs on any processor.
# program-test: timeout=900 slow
python3 -m test -q -i test_print_exception_gh_102056 test_threading >log 2>&1; status=$?
echo "test_threading $status"; [ $status = 0 ] || tail -40 log
