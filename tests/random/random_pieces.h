// Of random programs: bytes side by side, as compilers read, write and copy them where accesses at any address are slow, and loops that count.
#pragma once
#include <stdint.h>

enum { PIECES_BYTES = 8 };  // that it reads and writes from its addresses on, at most

// A number put together from bytes at `from`, a copy of such bytes to `to`, or a loop that loads from wherever it likes and adds something up. Takes up to 100 bytes of
// code.
void emit_pieces(uint32_t from, uint32_t to);
