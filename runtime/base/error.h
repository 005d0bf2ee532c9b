// Messages to the person at the terminal. A message is made once, at the lowest level that knows, and says what, where,
// why and what to try. They go to stderr in one write(2), without stdio, so that any thread at any moment may call this.
#pragma once
#include <stdarg.h>

// "ferry: " + text + newline on stderr.
void error_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
// A bug of ours or a host out of memory: says so and aborts.
void error_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
