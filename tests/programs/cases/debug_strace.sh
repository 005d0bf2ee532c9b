#!/bin/bash
# program-test: slow root=debuggers timeout=300
# strace of programs, with those that they start, and of one that runs already.
export LC_ALL=C
strace -f -o log bash -c 'seq 1 20 | grep 1 | wc -l; (exit 3); echo done' || echo "status $?"
echo "programs $(grep -c 'execve(' log), ends $(grep -c '+++ exited with' log), with 3: $(grep -c '+++ exited with 3 +++' log)"
grep -c 'SIGCHLD' log | sed 's/[1-9][0-9]*/some signals/'
# riscv64's strace has no name for riscv_hwprobe, shows it always, and breaks down over it with -c.
strace -e trace=write -e signal=none echo 'hello there' 2>&1 >/dev/null | grep -v syscall_
strace -e trace=kill,tgkill -e signal=all bash -c 'trap "echo caught" USR1; kill -USR1 $$; kill -TERM $$' 2>&1 | grep -v syscall_ | sed -E 's/[0-9]{2,}/N/g; s/si_uid=[0-9]+/si_uid=N/; s/ +/ /g'
strace -e inject=getppid:retval=77 -o log2 bash -c 'echo $PPID' && grep -c INJECTED log2
strace -e trace=openat -e inject=openat:error=ENOENT:when=2 -o log3 cat /dev/null 2>&1 | sed 's/:.*//' | head -2
strace -f -o log4 perl -e 'my $p = fork; if (!$p) { exec "true" } waitpid $p, 0; print "perl $?\n"'
grep -q 'exited with 0' log4 && echo traced
sleep 100 &
sleep 0.5
timeout 2 strace -o log5 -p $! 2>/dev/null
grep -o 'nanosleep\|restart_syscall' log5 | sed 's/.*/sleeps/' | head -1
kill $!
wait $! 2>/dev/null
echo "status $?"
