// Drafts into the bytes of a sqlite database. The same drafts make the same bytes.
#pragma once
#include "cache/writer/draft.h"

// Bytes of a database of `count` modules, with room for `more` behind them, or NULL with the reason in *why. To be freed by database_free.
uint8_t *database_make(const struct draft *modules, uint32_t count, size_t more, size_t *size, const char **why);
void database_free(uint8_t *bytes);
