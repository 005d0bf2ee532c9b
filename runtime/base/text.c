// A bounded string builder: see text.h.
#include "runtime/base/text.h"
#include <stdio.h>

void text_vadd(struct text *text, const char *format, va_list arguments) {
    if (text->cut) return;
    size_t left = text->size - text->length;
    int wanted = vsnprintf(text->at + text->length, left, format, arguments);
    if (wanted < 0) return;
    text->cut = (size_t)wanted >= left;
    text->length += text->cut ? left - 1 : (size_t)wanted;
}

void text_add(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_vadd(text, format, arguments);
    va_end(arguments);
}
