// Messages on stderr: see error.h.
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include <signal.h>
#include <stdlib.h>

static void say(const char *format, va_list arguments) {
    char buffer[2048];
    struct text text = TEXT_ON(buffer);
    text_add(&text, "ferry: ");
    text.size--;  // room for the newline
    text_vadd(&text, format, arguments);
    text.at[text.length] = '\n';
    host_call(write, 2, text.at, text.length + 1);
}

void error_say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void error_die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    abort();
}
