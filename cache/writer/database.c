// Databases: see database.h. They are made in memory, so that sqlite never opens a file: no journal, no lock of its own, and nothing that somebody put in
// the way.
#include "cache/writer/database.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE module(id INTEGER PRIMARY KEY, build BLOB NOT NULL, key BLOB NOT NULL, name TEXT NOT NULL,"
    " size INTEGER NOT NULL, checksum BLOB NOT NULL, following INTEGER NOT NULL) STRICT;"
    "CREATE TABLE piece(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;";

static bool set_up(sqlite3 *db) {
    char text[256];
    snprintf(
        text, sizeof text,
        "PRAGMA page_size=%d; PRAGMA application_id=%d; PRAGMA user_version=%d; PRAGMA trusted_schema=OFF; PRAGMA encoding='UTF-8'; BEGIN;",
        FORMAT_PAGE, FORMAT_APPLICATION, FORMAT_VERSION);
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK && sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK;
}

static bool step(sqlite3_stmt *statement, bool bound) {
    bool fine = bound && sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    return fine;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text) {
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(db, text, -1, &statement, NULL);
    return statement;
}

static bool blob(sqlite3_stmt *statement, int column, const void *bytes, size_t size) {
    return sqlite3_bind_blob64(statement, column, bytes, size, SQLITE_STATIC) == SQLITE_OK;
}

static bool put_module(sqlite3 *db, int64_t id, const struct draft *d, uint32_t following) {
    sqlite3_stmt *s = prepare(db, "INSERT INTO module VALUES(?, ?, ?, ?, ?, ?, ?)");
    const char *name = d->name ? d->name : "";
    const struct format_piece *index = &d->piece[0].about;
    bool bound = sqlite3_bind_int64(s, 1, id) == SQLITE_OK && blob(s, 2, &d->build, sizeof d->build) &&
                 blob(s, 3, &d->key, sizeof d->key) && sqlite3_bind_text(s, 4, name, -1, SQLITE_STATIC) == SQLITE_OK &&
                 sqlite3_bind_int64(s, 5, index->size) == SQLITE_OK && blob(s, 6, index->checksum, FORMAT_CHECKSUM) &&
                 sqlite3_bind_int64(s, 7, following) == SQLITE_OK;
    return step(s, bound);
}

static bool put_piece(sqlite3 *db, int64_t id, const struct draft_piece *piece) {
    sqlite3_stmt *s = prepare(db, "INSERT INTO piece VALUES(?, ?)");
    return step(s, sqlite3_bind_int64(s, 1, id) == SQLITE_OK && blob(s, 2, piece->packed, piece->packed_size));
}

// Modules first, so that what is looked at first lies together.
static bool fill(sqlite3 *db, const struct draft *modules, uint32_t count) {
    bool fine = set_up(db);
    for (uint32_t i = 0; fine && i < count; i++) fine = put_module(db, i + 1, &modules[i], count - 1 - i);
    for (uint32_t i = 0; fine && i < count; i++)
        for (uint32_t n = 0; fine && n < modules[i].pieces; n++)
            fine = put_piece(db, (int64_t)(i + 1) << FORMAT_PIECE_BITS | n, &modules[i].piece[n]);
    return fine && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

uint8_t *database_make(const struct draft *modules, uint32_t count, size_t more, size_t *size, const char **why) {
    sqlite3 *db = NULL;
    sqlite3_int64 bytes = 0;
    uint8_t *made = NULL;
    *why = "sqlite cannot make the database";
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, NULL) == SQLITE_OK &&
        fill(db, modules, count))
        made = sqlite3_serialize(db, "main", &bytes, 0);
    sqlite3_close(db);
    *size = (size_t)bytes;
    uint8_t *grown = made && more ? sqlite3_realloc64(made, *size + more) : made;
    if (!grown) sqlite3_free(made);
    return grown;
}

void database_free(uint8_t *bytes) {
    sqlite3_free(bytes);
}
