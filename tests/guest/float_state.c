// guest-test: variants=static,dynamic
// guest-flags: -frounding-math -ffp-contract=off -fno-builtin
// Rounding mode and exception flags: of each thread its own, kept over system calls, signals and fork.
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};
static volatile double one = 1, three = 3, zero = 0, tiny = 1e-300, huge = 1e300;

static int mode(void) {
    int now = fegetround();
    for (int i = 0; i < 4; i++)
        if (modes[i] == now) return i;
    return -1;
}

static int flags(void) {
    int now = fetestexcept(FE_ALL_EXCEPT);
    return !!(now & FE_INVALID) | !!(now & FE_DIVBYZERO) << 1 | !!(now & FE_OVERFLOW) << 2 | !!(now & FE_UNDERFLOW) << 3 |
           !!(now & FE_INEXACT) << 4;
}

static void show(const char *what) {
    printf("%s: mode %d flags %02x third %a\n", what, mode(), flags(), one / three);
}

static void each(void) {
    volatile double result;
    feclearexcept(FE_ALL_EXCEPT);
    result = zero / zero, printf("invalid %02x ", flags()), feclearexcept(FE_ALL_EXCEPT);
    result = one / zero, printf("by zero %02x ", flags()), feclearexcept(FE_ALL_EXCEPT);
    result = huge * huge, printf("overflow %02x ", flags()), feclearexcept(FE_ALL_EXCEPT);
    result = tiny * tiny, printf("underflow %02x ", flags()), feclearexcept(FE_ALL_EXCEPT);
    result = one / three, printf("inexact %02x ", flags()), feclearexcept(FE_ALL_EXCEPT);
    result = sqrt(-one), printf("root %02x ", flags()), feclearexcept(FE_ALL_EXCEPT);
    result = one + one, printf("exact %02x\n", flags());
    for (int i = 0; i < 4; i++) {
        fesetround(modes[i]);
        printf("mode %d: %a %a %a %ld %ld %a %a\n", i, one / three, -one / three, (double)(float)(one / three), lrint(2.5),
               lrint(-2.5), rint(0.5000001), nearbyint(-1.5));
    }
    fesetround(FE_TONEAREST);
}

static volatile int handled;
static sigjmp_buf back;
static void handler(int signal) {
    // With which mode and flags a handler begins differs: x86's kernel gives it the initial ones, riscv64's those of the moment.
    fesetround(FE_UPWARD);
    feclearexcept(FE_ALL_EXCEPT);
    volatile double result = one / zero;
    handled++;
}
static void leaves(int signal) {
    fesetround(FE_DOWNWARD);
    siglongjmp(back, 1);
}

static void *thread_main(void *data) {
    long number = (long)data;
    printf("thread %ld: mode %d flags %02x\n", number, mode(), flags());
    fesetround(modes[number]);
    double sum = 0;
    for (int i = 1; i < 200000; i++) {
        sum += one / i;
        if (i % 50000 == 0) usleep(1000);
    }
    printf("thread %ld: mode %d sum %a\n", number, mode(), sum);
    return NULL;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    show("at first");
    each();
    fesetround(FE_TOWARDZERO);
    feclearexcept(FE_ALL_EXCEPT);
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    show("behind the handler");
    signal(SIGUSR2, leaves);
    fesetround(FE_UPWARD);
    if (!sigsetjmp(back, 1)) raise(SIGUSR2);
    printf("left the handler: mode %d\n", mode());
    feclearexcept(FE_ALL_EXCEPT);
    fesetround(FE_UPWARD);
    fflush(stdout);
    int status;
    if (fork() == 0) show("child"), exit(0);
    wait(&status);
    pthread_t thread;
    for (long i = 0; i < 4; i++) {
        pthread_create(&thread, NULL, thread_main, (void *)i);
        pthread_join(thread, NULL);
    }
    show("behind the threads");
    // Signals at random moments must not disturb a computation.
    fesetround(FE_DOWNWARD);
    struct itimerval often = {{0, 300}, {0, 300}}, off = {0};
    signal(SIGALRM, handler);
    setitimer(ITIMER_REAL, &often, NULL);
    double sum = 0;
    for (int i = 1; i < 300000; i++) sum += one / i;
    setitimer(ITIMER_REAL, &off, NULL);
    printf("among signals: %a mode %d, some %d\n", sum, mode(), handled > 1);
    fesetround(FE_UPWARD);
    fenv_t saved;
    fegetenv(&saved);
    fesetround(FE_TONEAREST);
    feholdexcept(&saved);
    printf("held %02x\n", flags());
    feraiseexcept(FE_OVERFLOW);
    feupdateenv(&saved);
    printf("updated: overflow %d mode %d\n", (flags() >> 2) & 1, mode());
    printf("%.17g %.17g %.17g %a %a %d %d\n", fma(0.1, 10, -1), remainder(7.5, 2), ldexp(0.7, -1070), nextafter(0, 1),
           strtod("2.2250738585072011e-308", NULL), (int)fpclassify(tiny * tiny), isnan(zero / zero));
    printf("%ld %ld %lu %d %a %a\n", lround(-2.5), llrint(1e15 + 0.5), (unsigned long)1e19, (int)-2147483648.0, fmax(-1.0, NAN),
           copysign(1, -zero));
    return 0;
}
