// What the compiler program made goes to the cache as well, and sheets of what stands in the journal.
#pragma once
#include "cache/channel.h"

struct compiler;

// For the directory that the channel names; without one, nothing is kept.
void keep_begin(const struct channel *channel, const uint8_t *journal);
// What came of a request, with the code where the result says. From the thread that compiles.
void keep_add(const struct channel_request *request, const struct channel_result *result, const uint8_t *arena);
// The runner has gone, and asks for nothing more: compiles what was hot and is not kept yet, for some seconds at most. From the thread that compiles.
void keep_last(struct compiler *compiler, const uint8_t *arena);
// Writes what was added since the last time. From any thread.
void keep_flush(void);
// Writes all that is left; nothing is kept from now on.
void keep_end(void);
