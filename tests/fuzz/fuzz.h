// What fuzz targets share: what libFuzzer calls, and how a broken invariant is told.
#pragma once
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    abort();
}
