// Names for guest addresses in messages.
#pragma once
#include "runtime/base/text.h"
#include <stdint.h>

// "function+0x12 in /usr/lib/libc.so.6", or as much of it as can be found out. Uses raw calls only.
void symbol_describe(struct text *text, uint64_t address);
