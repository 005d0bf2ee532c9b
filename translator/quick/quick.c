// The quick tier's units once they are made: the same on every host.
#include "translator/quick/quick.h"
#include "translator/interp/cells.h"

struct quick_stubs quick_stubs;
uint32_t quick_hot_passes;
bool quick_stepwise;

void native_exit_init(struct native_exit *exit, uint64_t pc) {
    *exit = (struct native_exit){.pc = pc, .native = quick_stubs.leave, .link = {.handler = cell_handler_native_link}};
    exit->target = &exit->link;
}

void quick_exit_init(struct quick_exit *exit, uint64_t pc) {
    *exit = (struct quick_exit){.passes = QUICK_LINK_PASSES};
    native_exit_init(&exit->out, pc);
}

static unsigned number_in(const struct quick_unit *unit, const struct block *block) {
    unsigned at = 0;
    while (unit->block[at] != block) at++;
    return at;
}

unsigned quick_number(const struct block *block) {
    return number_in(block->unit, block);
}

const uint8_t *quick_entry(const struct block *block) {
    const struct quick_unit *unit = block->unit;
    return block->optimised ? block->optimised : block->kept ? block->kept : unit->code + unit->entry[quick_number(block)];
}

const void *quick_code(const struct block *block) {
    const void *optimised = __atomic_load_n(&block->optimised, __ATOMIC_ACQUIRE);
    const struct quick_unit *unit = __atomic_load_n(&block->unit, __ATOMIC_ACQUIRE);
    return optimised ? optimised : unit ? unit->code + unit->entry[number_in(unit, block)] : block->kept;
}

// A block that has lost all its native code is worth some more.
static void refresh(struct block *block) {
    const void *code = quick_code(block), *handler = block->code->cell->handler;
    if (block->dead) return;
    if (handler != cell_handler_reheat && handler != cell_handler_native) block->handler = handler;
    if (!code) __atomic_store_n(&block->code->cell->handler, cell_handler_reheat, __ATOMIC_RELEASE);
    __atomic_store_n(&block->code->native, code && !quick_stepwise ? code : quick_stubs.leave, __ATOMIC_RELEASE);
    if (code) __atomic_store_n(&block->code->cell->handler, cell_handler_native, __ATOMIC_RELEASE);
}

void quick_install(struct quick_unit *unit) {
    for (unsigned i = 0; i < unit->blocks; i++) {
        __atomic_store_n(&unit->block[i]->unit, unit, __ATOMIC_RELEASE);
        refresh(unit->block[i]);
    }
}

void quick_remove(struct quick_unit *unit) {
    for (unsigned i = 0; i < unit->blocks; i++) {
        __atomic_store_n(&unit->block[i]->unit, NULL, __ATOMIC_RELAXED);
        refresh(unit->block[i]);
    }
}

void quick_optimise(struct block *block, const void *code) {
    __atomic_store_n(&block->optimised, code, __ATOMIC_RELEASE);
    refresh(block);
}

const struct quick_access *quick_find_access(const struct quick_unit *unit, struct cpu *cpu, uint64_t host_pc) {
    uint32_t at = (uint32_t)(host_pc - (uintptr_t)unit->code);
    for (uint32_t low = 0, high = unit->accesses; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        const struct quick_access *access = &unit->access[middle];
        if (access->at == at) {
            cpu->at = cell_at(unit->block[access->block]->code, access->place);
            return access;
        }
        if (access->at < at) low = middle + 1;
        else high = middle;
    }
    return NULL;
}
