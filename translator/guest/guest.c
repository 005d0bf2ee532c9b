// The list of guest ISAs. A new one adds its struct here and nowhere else.
#include "translator/guest/guest.h"
#include <string.h>

static const struct guest_isa *const guests[] = {&guest_riscv64};

const struct guest_isa *guest_by_machine(unsigned elf_machine) {
    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++) {
        if (guests[i]->elf_machine == elf_machine) return guests[i];
    }
    return NULL;
}

const struct guest_isa *guest_by_name(const char *name) {
    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++) {
        if (strcmp(guests[i]->name, name) == 0) return guests[i];
    }
    return NULL;
}

void guest_lift_block(const struct guest_isa *isa, const uint8_t *bytes, size_t size, uint64_t pc, uint32_t mode,
                      guest_features features, unsigned max_instructions, struct ir_block *block) {
    size_t left = GUEST_PAGE - pc % GUEST_PAGE;
    isa->lift(bytes, size < left ? size : left, mode, features, max_instructions, block);
    if (!block->count)
        isa->lift(bytes, size < isa->max_instruction ? size : isa->max_instruction, mode, features, max_instructions, block);
}
