// Makes sheets of what the runner's journal says (cache/channel.h), in a thread of its own, about every second.
#pragma once
#include "aot/sheets.h"
#include "cache/channel.h"

// Begins, after store_start. `taker` gets what was made, from that thread.
void journal_begin(const struct channel *in, const uint8_t *journal, sheets_put *taker);
// Waits until all that stands in the journal has been made sheets of, though not for long.
void journal_end(void);
