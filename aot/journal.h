// Makes sheets and profiles of what the runner's journal says (cache/channel.h), in a thread of its own, about every second.
#pragma once
#include "aot/sheets.h"
#include "cache/channel.h"

// Begins, after store_start. `sheet` and `profile` get what was made, from that thread.
void journal_begin(const struct channel *in, const uint8_t *journal, sheets_put *sheet, sheets_put *profile);
// Waits until all that stands in the journal has been made sheets and profiles of, and decided about (regions.h), though not for long. False if it was not that
// soon.
bool journal_end(void);
