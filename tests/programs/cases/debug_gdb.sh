#!/bin/bash
# program-test: slow root=debuggers timeout=600
# gdb and a program of its own: breakpoints, stepping, values, watchpoints, system calls, threads, forks, attaching; gdbserver.
export LC_ALL=C DEBUGINFOD_URLS=
cat >one.c <<'TEXT'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct point { int x, y; double weight; };
struct point points[3] = {{1, 2, 0.5}, {3, 4, 1.5}, {5, 6, 2.5}};
volatile long total;
volatile int leave;
int fact(int n) {
    if (n <= 1)
        return 1;
    return n * fact(n - 1);
}
double weigh(struct point *p, double by) {
    double product = p->weight * by;
    return product;
}
void add(long by) {
    total += by;
}
int main(int argc, char **argv) {
    for (int i = 0; i < 6; i++)
        add(fact(i));
    double w = weigh(&points[1], 3.0);
    printf("%ld %g\n", total, w);
    fflush(stdout);
    if (argc > 1 && !strcmp(argv[1], "signal"))
        raise(SIGUSR1);
    if (argc > 1 && !strcmp(argv[1], "crash"))
        *(volatile int *)8 = 1;
    while (argc > 1 && !strcmp(argv[1], "loop") && !leave)
        total++;
    return 3;
}
TEXT
cat >two.c <<'TEXT'
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
volatile long counts[3];
pthread_barrier_t barrier;
void *work(void *data) {
    long which = (long)data;
    for (long i = 0; i < 3000000; i++)
        counts[which]++;
    pthread_barrier_wait(&barrier);
    return 0;
}
void done(void) { printf("%ld %ld %ld\n", counts[0], counts[1], counts[2]); fflush(stdout); }
int main(void) {
    pthread_t id[3];
    pthread_barrier_init(&barrier, 0, 4);
    for (long i = 0; i < 3; i++)
        pthread_create(&id[i], 0, work, (void *)i);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 3; i++)
        pthread_join(id[i], 0);
    done();
    return 0;
}
TEXT
gcc -g -O0 -fno-pie -no-pie one.c -o one && gcc -g -O0 two.c -o two -lpthread || exit 1
# What differs from one processor, or one run, to another.
plain() {
    sed -E 's/0x[0-9a-f]+/ADDRESS/g; s/process [0-9]+/process N/; s/LWP [0-9]+/LWP N/; s/\(ADDRESS\) //; /^Using host libthread_db|^\[Thread debugging|^warning: /d'
}
debug() { gdb -nx -q -batch "$@" 2>&1 </dev/null | plain; }

echo "== breakpoints"
debug -ex 'break fact if n == 1' -ex run -ex bt -ex 'info locals' -ex finish -ex 'delete' -ex 'break weigh' -ex c -ex 'info args' \
    -ex 'print *p' -ex 'print p->weight * by' -ex next -ex next -ex 'print product' -ex finish -ex 'print points' -ex c ./one
echo "== stepping"
debug -ex 'break main' -ex run -ex next -ex step -ex step -ex up -ex 'print i' -ex 'tbreak add' -ex c -ex stepi -ex 'print by' -ex 'set var by = 1000' \
    -ex 'return' -ex kill ./one
echo "== calls of functions"
debug -ex 'break weigh' -ex run -ex 'print fact(6)' -ex 'print weigh(&points[2], 4)' -ex 'set var $before = total' -ex 'call (void)add(5)' -ex 'print total - $before' \
    -ex 'print $_siginfo.si_signo' -ex 'delete' -ex c ./one
echo "== watchpoints"
debug -ex 'set can-use-hw-watchpoints 0' -ex 'break add' -ex run -ex 'watch total' -ex 'delete 1' -ex c -ex c -ex 'delete' -ex c ./one
echo "== signals"
debug -ex run -ex bt -ex 'print $_siginfo.si_signo' -ex 'signal 0' --args ./one signal | grep -v ' in \| at \|No such file\|^[0-9]*.*\.[cS]'
debug -ex run -ex 'signal SIGUSR1' --args ./one signal | tail -2
debug -ex run -ex bt -ex 'print $_siginfo._sifields._sigfault.si_addr == 8' -ex kill --args ./one crash | sed 's/ADDRESS in main/main/; s/^ADDRESS in //'
echo "== programs that programs start"
debug -ex 'set detach-on-fork off' -ex 'catch exec' -ex 'set follow-fork-mode child' -ex run -ex 'info inferiors' -ex c --args dash -c 'true; ./one; exit 4' |
    grep -v '^\[\|Catchpoint\|^$\|No such file\|^_start\|ADDRESS in' | sed -E 's/ +/ /g; s/executing .*new program/executing new program/'
echo "== threads"
debug -ex 'break done' -ex run -ex 'info threads' -ex bt -ex c ./two | sed -E 's/Thread ADDRESS/Thread/' | grep -v 'New Thread\|exited\]\|Target Id'
debug -ex 'break work' -ex run -ex 'print which >= 0' -ex c -ex c -ex 'delete' -ex c ./two | grep -v 'New Thread\|exited\]\|Switching' |
    sed -E 's/Thread [0-9.]+/Thread/; s/data=[^)]*/data/; /^\[New process/d'
echo "== attaching"
./one loop >/dev/null &
sleep 1
gdb -nx -q -batch -p $! -ex 'print total > 1000' -ex 'print points[2].x' -ex 'set var leave = 1' -ex c 2>&1 | plain | grep -v '^ADDRESS\|^main\|^[0-9]'
wait $!
echo "status $?"
echo "== gdbserver"
gdbserver --once 127.0.0.1:4711 ./one signal >server.log 2>&1 &
for _ in {1..100}; do
    grep -q Listening server.log && break
    sleep 0.1
done
debug -ex 'target remote 127.0.0.1:4711' -ex 'break fact if n == 1' -ex c -ex bt -ex 'delete' -ex 'break weigh' -ex c -ex 'print *p' -ex finish -ex 'print total' \
    -ex c -ex c ./one | grep -v ' from target\|^Reading\|^_start\|^ADDRESS in _start\|^ADDRESS in .* ()\|^Remote' |
    grep -v '?? ()\|raise\|pthread_kill\|No such file\|@plt'
wait
grep -v 'pid\|port\|host' server.log
