// Sheets (translator/quick/sheet.h) as they are kept between runs: records of their module, whose entry is the page's start.
#pragma once
#include "translator/quick/sheet.h"
#include <stdbool.h>

enum { SHEET_RECORD_MAX_BYTES = 1 << 20 };

// The kind of record, for code of this mode (translator/ir/cpu.h); of no other record. A page has one sheet, and perhaps another one of blocks that no run came to
// yet (`rest`), which is laid where a block is not in the first.
uint32_t sheet_kind(uint32_t mode, bool rest);
// Writes the sheet to `buffer`, which has room for SHEET_RECORD_MAX_BYTES and is aligned to 16 bytes. Returns the size, or 0 if it is too big.
size_t sheet_write(uint8_t *buffer, const struct sheet *sheet);
// Finds everything in a record, whose bytes are aligned to 8 and stay. False if it is none: they may be anything.
bool sheet_read(const void *bytes, size_t size, struct sheet *sheet);
