// The runner's side of the journal: see journal.h.
#include "runtime/journal.h"
#include "runtime/module.h"
#include "translator/quick/sheet.h"
#include <string.h>

static bool wanted;
static uint32_t left;  // looked at without the lock
static uint32_t round = 1;  // blocks that are left say in which

void journal_init(void) {
    wanted = true;
}

uint32_t journal_left(void) {
    return __atomic_load_n(&left, __ATOMIC_RELAXED);
}

static void set_left(uint32_t count) {
    __atomic_store_n(&left, count, __ATOMIC_RELAXED);
}

void journal_forget(void) {
    set_left(0);
    round++;
}

// The module's number, or CHANNEL_JOURNAL_MODULES if there is no room for more.
static uint32_t number_of(struct channel *channel, const struct module *module) {
    uint32_t count = channel->journal_modules, i = 0;
    if (count > CHANNEL_JOURNAL_MODULES) return CHANNEL_JOURNAL_MODULES;
    while (i < count && (channel->journal_module[i].start != module->start ||
                         memcmp(&channel->journal_module[i].key, &module->key, sizeof module->key) != 0))
        i++;
    if (i < count || count == CHANNEL_JOURNAL_MODULES) return i;
    channel->journal_module[i] = (struct channel_module){module->key, module->start, module->end - module->start};
    __atomic_store_n(&channel->journal_modules, count + 1, __ATOMIC_RELEASE);
    return i;
}

// Where the block led to indirectly, if that is in the module and is to be told.
static unsigned list_targets(const struct block *block, const struct module *module, uint32_t target[CHANNEL_TARGETS]) {
    unsigned count = 0;
    for (unsigned i = 0; block->targets && block->marks & CHANNEL_LEADS && i < BLOCK_TARGETS; i++) {
        uint64_t at = __atomic_load_n(&block->targets[i], __ATOMIC_RELAXED) - module->start;
        if (at < module->end - module->start && count < CHANNEL_TARGETS) target[count++] = (uint32_t)at;
    }
    return count;
}

// `bytes`: the block's, or NULL if they were told. Where there is no room, later runs go without.
static void tell(struct compiler *c, const struct block *block, const struct module *module, const uint8_t *bytes) {
    struct channel *channel = c->channel;
    uint32_t target[CHANNEL_TARGETS];
    uint32_t targets = list_targets(block, module, target), size = bytes ? block->bytes : 0;
    uint32_t at = channel->journal_in, all = channel_note_bytes(targets, size), number = number_of(channel, module);
    bool room = at <= CHANNEL_JOURNAL_BYTES && CHANNEL_JOURNAL_BYTES - at >= all && at % CHANNEL_NOTE_ALIGN == 0;
    if (number == CHANNEL_JOURNAL_MODULES || !room) return;
    struct channel_block_note *note = (struct channel_block_note *)(c->journal + at);
    *note = (struct channel_block_note){.module = number,
                                        .at = (uint32_t)(block->pc - module->start),
                                        .bytes = (uint16_t)size,
                                        .mode = (uint16_t)block->mode,
                                        .marks = block->marks,
                                        .targets = (uint16_t)targets};
    memcpy(note + 1, target, targets * sizeof *target);
    if (size) memcpy((uint8_t *)(note + 1) + targets * sizeof *target, bytes, size);
    __atomic_store_n(&channel->journal_in, at + all, __ATOMIC_RELEASE);
}

static void leave(struct block *block) {
    set_left(left + (block->left != round));
    block->left = round;
}

bool journal_is_left(const struct block *block) {
    return block->left == round;
}

// The module of a block that may be told of.
static bool find_module(const struct block *block, struct module *module) {
    bool fits = !(block->mode & ~(uint32_t)SHEET_MODES) && module_of(block->pc, module);
    return fits && block->pc + block->bytes <= module->end;
}

void journal_add(struct compiler *c, struct block *block, const uint8_t *bytes) {
    struct module module;
    if (!wanted || block->told || !find_module(block, &module)) return;
    if (!compiler_listens(c)) {
        leave(block);
        return;
    }
    set_left(left - (block->left == round));
    block->left = 0;
    block->told = true;
    tell(c, block, &module, bytes);
}

void journal_mark(struct compiler *c, struct block *block, uint8_t marks) {
    struct module module;
    if (!wanted || !(marks & ~block->marks)) return;
    block->marks |= marks;
    if (!block->told || !find_module(block, &module)) return;
    block->told = compiler_listens(c);
    if (block->told) tell(c, block, &module, NULL);
    else leave(block);
}
