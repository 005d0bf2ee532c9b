// guest-test: variants=static,dynamic
// Alternate signal stacks: where handlers run, what sigaltstack says and refuses, autodisarm, leaving by longjmp, faults in handlers.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static _Alignas(16) char room[65536];
static sigjmp_buf back;
static int depth;

static int inside(void *at) {
    return (char *)at >= room && (char *)at < room + sizeof room;
}

static void report(int signal, siginfo_t *info, void *context) {
    stack_t now, other = {.ss_sp = room, .ss_size = sizeof room};
    char here;
    ucontext_t *uc = context;
    sigaltstack(NULL, &now);
    printf("handler on it %d, flags %x, saved flags %x same place %d, aligned %d\n", inside(&here), now.ss_flags,
           uc->uc_stack.ss_flags & ~SS_ONSTACK, uc->uc_stack.ss_sp == room, (uintptr_t)__builtin_frame_address(0) % 16 == 0);
    // What a change does to a disarmed one differs: x86's kernel restores stack pointer and alternate stack in another order.
    if (!(now.ss_flags & SS_DISABLE)) printf("change it: %d\n", sigaltstack(&other, NULL) < 0 ? errno : 0);
    if (depth++ == 0) raise(SIGUSR2);
}

static void leave(int signal, siginfo_t *info, void *context) {
    siglongjmp(back, inside(&signal) ? 2 : 1);
}

static void set(unsigned flags, int signal, void (*handler)(int, siginfo_t *, void *), int action_flags) {
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room, .ss_flags = flags};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | action_flags};
    printf("set %x: %d\n", flags, sigaltstack(&stack, NULL) < 0 ? errno : 0);
    sigaction(signal, &action, NULL);
}

static void *in_thread(void *data) {
    stack_t now;
    sigaltstack(NULL, &now);
    printf("thread has none: %x\n", now.ss_flags);
    return NULL;
}

static int status_of(void (*child)(void)) {
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) child(), _exit(0);
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void overflow_handler(int signal, siginfo_t *info, void *context) {
    volatile char frame[200000];
    memset((char *)frame, 1, sizeof frame);
}
static void overflow_alternate(void) {  // the frame that does not fit, below a protected page
    char *map = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(map, 4096, PROT_NONE);
    stack_t stack = {.ss_sp = map + 4096, .ss_size = 7 * 4096};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = overflow_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}
static void unmapped_alternate(void) {  // the kernel cannot write the frame: SIGSEGV
    char *map = mmap(NULL, 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = map, .ss_size = 8 * 4096};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = report, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}
static void fault_in_handler(int signal) {
    *(volatile int *)8 = 1;
}
static void fault_blocked(void) {  // SIGSEGV inside the handler of SIGSEGV, blocked: dies
    signal(SIGSEGV, fault_in_handler);
    *(volatile int *)16 = 1;
}
static void blocked_fault(void) {
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGSEGV, fault_in_handler);
    *(volatile int *)16 = 1;
}
static void ignored_fault(void) {
    signal(SIGSEGV, SIG_IGN);
    *(volatile int *)16 = 1;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    stack_t now, small = {.ss_sp = room, .ss_size = 100}, odd = {.ss_sp = room, .ss_size = sizeof room, .ss_flags = 77};
    sigaltstack(NULL, &now);
    printf("at first %x\n", now.ss_flags);
    printf("small %d, bad flags %d, bad pointer %d\n", sigaltstack(&small, NULL) < 0 ? errno : 0,
           sigaltstack(&odd, NULL) < 0 ? errno : 0, sigaltstack((void *)8, NULL) < 0 ? errno : 0);
    set(0, SIGUSR1, report, SA_ONSTACK);
    sigaction(SIGUSR2, &(struct sigaction){.sa_sigaction = report, .sa_flags = SA_SIGINFO | SA_ONSTACK}, NULL);
    raise(SIGUSR1);
    set(SS_AUTODISARM, SIGUSR1, report, SA_ONSTACK);
    depth = 1;
    raise(SIGUSR1);
    sigaltstack(NULL, &now);
    printf("armed again %x, place %d\n", now.ss_flags, now.ss_sp == room);
    set(0, SIGUSR1, leave, SA_ONSTACK);
    for (int i = 0; i < 3; i++) {
        int from = sigsetjmp(back, 1);
        if (!from) raise(SIGUSR1);
        else printf("left from %d\n", from);
    }
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    now.ss_flags = SS_DISABLE;
    sigaltstack(&now, NULL);
    sigaltstack(NULL, &now);
    printf("disabled %x\n", now.ss_flags);
    printf("ends: %d %d %d %d %d\n", status_of(overflow_alternate), status_of(unmapped_alternate), status_of(fault_blocked),
           status_of(blocked_fault), status_of(ignored_fault));
    return 0;
}
