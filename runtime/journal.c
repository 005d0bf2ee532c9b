// The runner's side of the journal: see journal.h.
#include "runtime/journal.h"
#include "runtime/module.h"
#include "translator/quick/sheet.h"
#include <string.h>

static bool wanted;
static uint32_t left;
static uint32_t round = 1;  // blocks that are left say in which

void journal_init(void) {
    wanted = true;
}

uint32_t journal_left(void) {
    return left;
}

void journal_forget(void) {
    left = 0;
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

// Where there is no room, later runs go without.
static void tell(struct compiler *c, const struct block *block, const struct module *module, const uint8_t *bytes) {
    struct channel *channel = c->channel;
    uint32_t at = channel->journal_in, size = channel_note_bytes(block->bytes), number = number_of(channel, module);
    bool room = at <= CHANNEL_JOURNAL_BYTES && CHANNEL_JOURNAL_BYTES - at >= size && at % CHANNEL_NOTE_ALIGN == 0;
    if (number == CHANNEL_JOURNAL_MODULES || !room) return;
    struct channel_block_note *note = (struct channel_block_note *)(c->journal + at);
    *note = (struct channel_block_note){number, (uint32_t)(block->pc - module->start), (uint16_t)block->bytes,
                                        (uint16_t)block->mode, block->declined};
    memcpy(note + 1, bytes, block->bytes);
    __atomic_store_n(&channel->journal_in, at + size, __ATOMIC_RELEASE);
}

void journal_decline(struct compiler *c, struct block *block, const uint8_t *bytes) {
    if (!wanted || block->declined) return;
    block->declined = true;
    if (!block->told) return;
    block->told = false;
    journal_add(c, block, bytes);
}

bool journal_is_left(const struct block *block) {
    return block->left == round;
}

void journal_add(struct compiler *c, struct block *block, const uint8_t *bytes) {
    struct module module;
    if (!wanted || block->told || block->mode & ~(uint32_t)SHEET_MODES || !module_of(block->pc, &module)) return;
    if (block->pc + block->bytes > module.end) return;
    if (!compiler_listens(c)) {
        left += block->left != round;
        block->left = round;
        return;
    }
    left -= block->left == round;
    block->left = 0;
    block->told = true;
    tell(c, block, &module, bytes);
}
