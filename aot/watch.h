// Ends the program when nobody needs it any more, or when it is stuck.
#pragma once
#include "cache/channel.h"
#include <stdbool.h>

// Starts to watch: the runner behind CHANNEL_RUNNER_FD and what the channel says. False if that cannot be.
bool watch_begin(struct channel *channel);
// Whether the runner has gone, so that nobody takes results any more.
bool watch_is_alone(void);
// Nothing is left to be done for it.
void watch_done(void);
