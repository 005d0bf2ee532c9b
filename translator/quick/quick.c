// The quick tier's units once they are made: the same on every host.
#include "translator/quick/quick.h"
#include "translator/interp/cells.h"

struct quick_stubs quick_stubs;

void quick_install(struct quick_unit *unit) {
    for (unsigned i = 0; i < unit->blocks; i++) {
        struct block *block = unit->block[i];
        __atomic_store_n(&block->unit, unit, __ATOMIC_RELAXED);
        if (block->code->cell->handler != cell_handler_reheat) block->handler = block->code->cell->handler;
        __atomic_store_n(&block->code->native, unit->code + unit->entry[i], __ATOMIC_RELEASE);
        __atomic_store_n(&block->code->cell->handler, cell_handler_native, __ATOMIC_RELEASE);
    }
}

void quick_remove(struct quick_unit *unit) {
    for (unsigned i = 0; i < unit->blocks; i++) {
        struct block *block = unit->block[i];
        __atomic_store_n(&block->unit, NULL, __ATOMIC_RELAXED);
        __atomic_store_n(&block->code->cell->handler, cell_handler_reheat, __ATOMIC_RELEASE);
        __atomic_store_n(&block->code->native, quick_stubs.leave, __ATOMIC_RELEASE);
    }
}

bool quick_find_access(const struct quick_unit *unit, struct cpu *cpu, uint64_t host_pc) {
    uint32_t at = (uint32_t)(host_pc - (uintptr_t)unit->code);
    for (uint32_t low = 0, high = unit->accesses; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        const struct quick_access *access = &unit->access[middle];
        if (access->at == at) {
            cpu->at = cell_at(unit->block[access->block]->code, access->place);
            return true;
        }
        if (access->at < at) low = middle + 1;
        else high = middle;
    }
    return false;
}
