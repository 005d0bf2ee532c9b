// Fuzzes what is read of regions' records (cache/record.c), and the requests that are made of them again. The first byte says what the rest is: a record, or changes to one that is right.
#include "tests/fuzz/fuzz.h"
#include "tests/cache/record_example.h"
#include <stdlib.h>

static void look(const uint8_t *bytes, size_t size) {
    bool read;
    uint8_t *copy = malloc(size ? size : 1);  // aligned, and guarded by the sanitizer
    require(copy, "no memory");
    memcpy(copy, bytes, size);
    const char *wrong = look_at_record(copy, size, &read);
    require(!wrong, wrong);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    if (data[0] % 4 == 0) {
        look(data + 1, size - 1);
        return 0;
    }
    make_request();
    size_t whole = write_it(), left = whole - (data[0] % 4 == 1 ? data[0] % whole : 0);
    for (data++, size--; size >= 3; data += 3, size -= 3)
        written[(data[0] | (size_t)data[1] << 8) % whole] = data[2];  // where, and what to
    look(written, left);
    return 0;
}
