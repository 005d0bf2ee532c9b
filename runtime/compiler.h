// The runner's side of the compiler program: starts it, asks, takes results (cache/channel.h). Nothing here ever waits for it but
// compiler_wait. The program is no child that the guest could see, and no descriptor of it is ever open in this process.
#pragma once
#include "cache/channel.h"
#include "runtime/host/host.h"
#include "translator/guest/guest.h"
#include <stdbool.h>

// One run of the compiler program; zeroed: none. All of this under the code table's lock.
struct compiler {
    struct channel *channel;  // NULL once it is not to be asked any more
    const uint8_t *arena;  // of images that it made
    uint32_t arena_bytes;
    uint8_t *journal;
    uint32_t asked, answered;  // requests
    uint32_t beats;  // the channel's, when
    uint64_t heard;  // it was last known to be at work, in nanoseconds
};

// The process is traced by a guest's debugger, whom the program does not concern.
extern bool compiler_untraced;
// Finds the program, which is beside the runner. False if there is none.
bool compiler_program(char *path, size_t size);
// Says in the channel what guest it is for.
void compiler_describe(struct channel *channel, const struct guest_isa *isa, guest_features features);
// Starts the program for a guest with these features. False if that cannot be, now or ever.
bool compiler_begin(struct compiler *compiler, const struct guest_isa *isa, guest_features features, uint32_t arena_bytes);
// Where to write the next request, or NULL while there is no room; compiler_send then sends it.
struct channel_request *compiler_request(struct compiler *compiler);
void compiler_send(struct compiler *compiler);
// A copy of the next result, or false. What it names in the arena stays there until compiler_took.
bool compiler_result(struct compiler *compiler, struct channel_result *result);
void compiler_took(struct compiler *compiler);
// Waits until there may be a result, for a short time.
void compiler_wait(const struct compiler *compiler);
// Whether there is a program at work that has not left for want of work.
bool compiler_listens(const struct compiler *compiler);
// Whether the program is gone: ended, killed or stuck. *current: the request that it was at, or 0.
bool compiler_is_gone(struct compiler *compiler, uint32_t *current);
// Whether it is the program. Also in handlers of signals.
HOST_HANDLER bool compiler_is_child(int pid);
// Whether a child that a wait4 of ours found is the program, which has ended. It is gone then.
bool compiler_reap(int pid);
// It is not asked any more.
void compiler_close(struct compiler *compiler);
// The same in a forked child, for whom it never worked.
void compiler_forked(struct compiler *compiler);
