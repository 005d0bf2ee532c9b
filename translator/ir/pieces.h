// Loads of pieces that lie side by side. Programs for processors without misaligned accesses put numbers together from bytes; here is found out which loads a wider one could stand for.
#pragma once
#include "translator/ir/cpu.h"
#include "translator/ir/uop.h"

enum { PIECES_MOST_BYTES = 8, PIECES_WINDOW = 48 };

// A load whose place among others is known: the same `version` of the base slot, `imm` bytes on.
struct piece {
    unsigned at, base, version, bytes;
    int64_t imm;
    bool taken;
};

struct pieces {
    // Told of a whole: its parts, from the lowest place on, and the one that was loaded first. False: it is not wanted.
    bool (*join)(void *user, const struct piece *const *part, unsigned parts, unsigned bytes, unsigned earliest);
    void *user;
    unsigned least_bytes;  // of a whole, a power of two
    unsigned count;
    struct piece piece[PIECES_WINDOW];
    uint16_t version[CPU_SLOTS];  // counts writes of a slot
};

// Whether, between loads, such code neither goes elsewhere nor writes or orders memory.
bool pieces_pass(enum uop_format format);
// The next uop of a block, number `at`. `bytes`: of a load that may be a part; 0 otherwise.
void pieces_add(struct pieces *pieces, unsigned at, enum uop_format format, const struct uop *u, unsigned bytes);
// At the block's end.
void pieces_close(struct pieces *pieces);
