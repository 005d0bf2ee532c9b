// For check_compiler.py: stands in for the compiler program. It notes in the file LOG that it was started, and the pc of each region that it is asked for. What
// it does with a request is in PLAN: DIE; HANG, without a sign of life; STUCK, with these, until what watches the real program ends it (aot/watch.c, here with short
// ticks); FAIL. With REAL it is that program instead: at once, in LIMIT bytes of memory, if there is such a limit, else from the second start on.
#include "aot/keep.h"
#include "aot/watch.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DIE, HANG, STUCK, FAIL };

void keep_flush(void) {}

void keep_end(void) {}

static void note(const char *what, unsigned long long pc) {
    int fd = open(LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dprintf(fd, "%s %llx\n", what, pc);
    close(fd);
}

static void be_real(void) {
#ifdef LIMIT
    setrlimit(RLIMIT_AS, &(struct rlimit){LIMIT, LIMIT});
#endif
#ifdef REAL
    execl(REAL, "ferry-compiler", "--channel", (char *)NULL);
#endif
}

static void fail(struct channel *channel) {
    channel->result[channel->results_in % CHANNEL_RESULTS] =
        (struct channel_result){.id = channel->current, .outcome = CHANNEL_FAILED};
    channel->current = 0;
    __atomic_store_n(&channel->results_in, channel->results_in + 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &channel->results_in, FUTEX_WAKE, 100, NULL, NULL, 0);
}

int main(void) {
    struct pollfd runner = {.fd = CHANNEL_RUNNER_FD, .events = POLLIN};
    int first = access(LOG, F_OK) != 0;
    note("start", 0);
#ifdef LIMIT
    be_real();
#endif
    if (!first) be_real();
    struct channel *channel = mmap(NULL, CHANNEL_CONTROL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, CHANNEL_FD, 0);
    if (channel == MAP_FAILED || (PLAN == STUCK && !watch_begin(channel))) return 1;
    for (uint32_t done = 0; !channel->closed; done++) {
        while (__atomic_load_n(&channel->requests_in, __ATOMIC_ACQUIRE) == done) {
            if (channel->closed || poll(&runner, 1, 1)) return 0;
        }
        const struct channel_request *request = &channel->request[done % CHANNEL_REQUESTS];
        note("asked", request->block[0].pc);
        channel->current = request->id;
        __atomic_store_n(&channel->requests_out, done + 1, __ATOMIC_RELEASE);
        if (PLAN == DIE) abort();
        if (PLAN != FAIL) return poll(&runner, 1, -1) < 0;
        fail(channel);
    }
    return 0;
}
