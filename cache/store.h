// Code and profiles that are kept between runs, as the runner reads them: no sqlite, no malloc, no stdio, and no descriptor that stays open. Whatever
// is wrong with a file makes it a miss. ferry-compiler writes the files, see writer.h; docs/cache.md says how they look.
#pragma once
#include "runtime/base/text.h"
#include <stdbool.h>
#include <stdint.h>

struct store_key {
    uint8_t byte[16];
};

#define STORE_SYSTEMS "/var/cache/ferry:/usr/lib/ferry"

struct store_settings {
    const char *directory;  // the user's, NULL for the default, "" for none
    const char *system;  // read-only ones, separated by colons, or NULL for STORE_SYSTEMS
    const char *profiles;  // one more, of which profiles alone are read; NULL for none
};

// A record's bytes, at a multiple of 16.
struct store_record {
    const uint8_t *bytes;
    uint32_t size;
};

struct store_module;

// What the user's directory is where no setting names one: $XDG_CACHE_HOME/ferry or $HOME/.cache/ferry. False, with the reason, where neither tells.
bool store_default_directory(struct text *path, const char **why);

// Looks once which directories there are and are to be trusted. Registers a lock to be held over fork, which is held inside of the calls below
// alone: so it is called after the locks around these are registered.
void store_start(const struct store_settings *settings, const struct store_key *build);
// Why the user's directory is not used, or NULL.
const char *store_reason(void);

// What is kept for a module, the user's before the systems'; NULL if there is nothing. Any thread may call these, at any time after store_start.
struct store_module *store_open(const struct store_key *module);
struct store_module *store_open_profile(const struct store_key *module);
// The newest record with this entry and kind; false if there is none or it is damaged. Its bytes stay until store_close.
bool store_find(struct store_module *module, uint32_t entry, uint32_t kind, struct store_record *record);
// The same for a short time: the bytes stay until the next call of this.
bool store_look(struct store_module *module, uint32_t entry, uint32_t kind, struct store_record *record);
// The entries of records of this kind in [from, to), `room` at most, ascending for each place that has some; how many there are.
uint32_t store_list(struct store_module *module, uint32_t from, uint32_t to, uint32_t kind, uint32_t *entries, uint32_t room);
// Between these no file of the store is open, whose descriptor somebody might close who closes all there are.
void store_hold(void);
void store_release(void);
// Nobody may be using the module.
void store_close(struct store_module *module);
