// A bounded string builder: appends until full, then remembers that it was cut. No allocation.
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *at;     // always NUL-terminated
    size_t size;  // of the buffer, with the NUL
    size_t length;
    bool cut;
};

#define TEXT_ON(buffer) ((struct text){.at = (buffer), .size = sizeof(buffer)})

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vadd(struct text *text, const char *format, va_list arguments);
