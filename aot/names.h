// Names of modules, for people: the files that the runner has mapped. From any thread.
#pragma once
#include "cache/channel.h"

// `maps`: what the runner's /proc/PID/maps said when the program was started, as in the channel.
void names_begin(uint32_t process, const char *maps);
// The module's, or "".
const char *names_of(const struct channel_module *module);
