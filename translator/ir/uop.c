// The table of uops, and their text.
#include "translator/ir/uop.h"
#include "translator/ir/cpu.h"
#include <stdarg.h>
#include <stdio.h>

const struct uop_info uop_info[UOP_COUNT_OF_CODES] = {
#define UOP(name, format, ...) [UOP_##name] = {#name, UOP_FORMAT_##format},
#include "translator/ir/uops.def"
#undef UOP
};

bool uop_format_writes(enum uop_format format) {
    switch (format) {
    case UOP_FORMAT_D:
    case UOP_FORMAT_DI:
    case UOP_FORMAT_DS:
    case UOP_FORMAT_DSI:
    case UOP_FORMAT_DSS:
    case UOP_FORMAT_DSSI:
    case UOP_FORMAT_DSSS:
    case UOP_FORMAT_LOAD:
    case UOP_FORMAT_AMO:
    case UOP_FORMAT_LINK: return true;
    default: return false;
    }
}

static bool amo_only_loads(unsigned code) {
    return code == UOP_lr32 || code == UOP_lr64 || code == UOP_vector || code == UOP_vectorload;
}

bool uop_stores(unsigned code) {
    enum uop_format format = code < UOP_COUNT_OF_CODES ? uop_info[code].format : UOP_FORMAT_NONE;
    return format == UOP_FORMAT_STORE || (format == UOP_FORMAT_AMO && !amo_only_loads(code));
}

uint64_t uop_exit_offset(const struct uop *uop) {
    bool behind = uop->code == UOP_syscall || uop->code == UOP_codesync || uop->code == UOP_resume;
    return uop->offset + (behind ? (uint64_t)uop->imm : 0);
}

unsigned ir_block_instructions(const struct ir_block *block, unsigned at) {
    unsigned n = 0;
    for (unsigned i = 0, last = ~0u; i <= at; i++) {
        if (block->uop[i].offset != last) n++;
        last = block->uop[i].offset;
    }
    return n;
}

// What uop_print shows, by format: a b c d are slots, i the immediate, p a place relative to the block, the rest stands for itself.
static const char *const layout[] = {
    [UOP_FORMAT_NONE] = "",
    [UOP_FORMAT_D] = "a",
    [UOP_FORMAT_DI] = "a, i",
    [UOP_FORMAT_DS] = "a, b",
    [UOP_FORMAT_DSI] = "a, b, i",
    [UOP_FORMAT_DSS] = "a, b, c",
    [UOP_FORMAT_DSSI] = "a, b, c, i",
    [UOP_FORMAT_DSSS] = "a, b, c, d",
    [UOP_FORMAT_S] = "b",
    [UOP_FORMAT_I] = "i",
    [UOP_FORMAT_SI] = "b, i",
    [UOP_FORMAT_LOAD] = "a, [bi]",
    [UOP_FORMAT_STORE] = "[bi], c",
    [UOP_FORMAT_AMO] = "a, [b], c",
    [UOP_FORMAT_LINK] = "a, p",
    [UOP_FORMAT_BRANCH] = "b, c, p",
    [UOP_FORMAT_JUMP] = "p",
    [UOP_FORMAT_INDIRECT] = "b, i",
    [UOP_FORMAT_EXIT] = "",
};

// Appends like snprintf at `*length`, which grows by what would have been written.
static __attribute__((format(printf, 4, 5))) void add(char *buffer, size_t size, size_t *length, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bool full = *length >= size;
    int n = vsnprintf(full ? NULL : buffer + *length, full ? 0 : size - *length, format, arguments);
    va_end(arguments);
    *length += n > 0 ? (size_t)n : 0;
}

static unsigned slot_of(const struct uop *uop, char letter) {
    return letter == 'a' ? uop->a : letter == 'b' ? uop->b : letter == 'c' ? uop->c : uop->d;
}

int uop_print(char *buffer, size_t size, const struct uop *uop, const char *(*slot_name)(unsigned slot)) {
    const struct uop_info *info = &uop_info[uop->code];
    size_t length = 0;
    const char *at = layout[info->format];
    add(buffer, size, &length, *at ? "%-10s " : "%s", info->name);
    for (; *at; at++) {
        bool in_brackets = at[1] == ']';
        switch (*at) {
        case 'a':
        case 'b':
        case 'c':
        case 'd':
            if (slot_name) add(buffer, size, &length, "%s", slot_name(slot_of(uop, *at)));
            else add(buffer, size, &length, "s%u", slot_of(uop, *at));
            break;
        case 'i': add(buffer, size, &length, in_brackets ? "%+lld" : "%lld", (long long)uop->imm); break;
        case 'p': add(buffer, size, &length, "pc%+lld", (long long)uop->imm); break;
        default: add(buffer, size, &length, "%c", *at);
        }
    }
    return (int)length;
}
