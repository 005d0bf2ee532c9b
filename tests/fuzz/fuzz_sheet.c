// Fuzzes what is read of sheets' records (cache/sheet_record.c) and made of them (sheet_fill). The first byte says what the rest is: a record, changes to one that
// is right, or holes for one. What is checked besides the sanitizers is in sheet_example.h.
#include "tests/fuzz/fuzz.h"
#include "tests/cache/sheet_example.h"

static uint8_t right[SHEET_RECORD_MAX_BYTES];
static size_t right_size;
static uint32_t right_holes;

static void look(const uint8_t *bytes, size_t size) {
    enum example_outcome outcome;
    const char *wrong = size <= EXAMPLE_BIGGEST ? example_look(bytes, size, &outcome) : NULL;
    require(!wrong, wrong);
}

static void begin(void) {
    static bool begun;
    struct sheet sheet;
    if (begun) return;
    begun = true;
    example_begin();
    right_size = example_write(&sheet);
    right_holes = right_size ? sheet.image.holes : 0;
    memcpy(right, example_written, right_size);
    look(right, right_size);
}

// Three bytes each: where, and what to.
static void change(const uint8_t *data, size_t size) {
    for (; size >= 3 && right_size; data += 3, size -= 3) example_written[(data[0] | (size_t)data[1] << 8) % right_size] = data[2];
}

// Nine bytes each: which, and what to.
static void change_holes(const uint8_t *data, size_t size) {
    enum { HEADER = 40, HOLE = sizeof(uint64_t) };
    for (; size > HOLE && right_holes; data += 1 + HOLE, size -= 1 + HOLE)
        memcpy(example_written + HEADER + data[0] % right_holes * HOLE, data + 1, HOLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    begin();
    if (!size) return 0;
    if (data[0] % 3 == 0) {
        look(data + 1, size - 1);
        return 0;
    }
    memcpy(example_written, right, right_size);
    if (data[0] % 3 == 1) change(data + 1, size - 1);
    else change_holes(data + 1, size - 1);
    look(example_written, right_size);
    return 0;
}
