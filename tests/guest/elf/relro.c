// guest-test: variants=static,static-pie,dynamic
// guest-flags: -Wl,-z,relro,-z,now
// Protection of what the linker laid out: code and constants cannot be written, relocated constants not once main runs.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>

static sigjmp_buf back;
static int code;
static void *address;
static int target = 3;
static int *const relocated = &target;
static const char constant[] = "constant";
static int data = 1;

static void handler(int signal, siginfo_t *info, void *context) {
    code = info->si_code;
    address = info->si_addr;
    siglongjmp(back, signal);
}

static void try(const char *what, volatile char *at) {
    int signal = sigsetjmp(back, 1);
    if (signal == 0) {
        *at = *at;
        printf("%s written\n", what);
    } else printf("%s signal %d code %d address %d\n", what, signal, code, address == at);
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    try("code", (char *)main);
    try("constant", (char *)constant);
    try("data", (char *)&data);
    try("nothing", (char *)16);
    printf("%d\n", *relocated);
    return 0;
}
