// Files of keys: see keys.h.
#include "cache/writer/keys.h"
#include "cache/file.h"
#include "cache/writer/disk.h"
#include "runtime/base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "ferry-secret-key ed25519 "
#define PUBLIC "ferry-public-key ed25519 "
enum { BASE64 = sodium_base64_VARIANT_ORIGINAL, FILE_MOST = 64 << 10 };

void keys_text(const uint8_t key[32], char text[KEYS_TEXT]) {
    sodium_bin2base64(text, KEYS_TEXT, key, crypto_sign_PUBLICKEYBYTES, BASE64);
}

// ---- making

static const char *write_line(const char *path, unsigned mode, const char *prefix, const uint8_t *bytes, size_t size) {
    char line[256];
    size_t length = strlen(prefix);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) return errno == EEXIST ? "the file is there already" : disk_reason(errno);
    memcpy(line, prefix, length);
    sodium_bin2base64(line + length, sizeof line - length - 1, bytes, size, BASE64);
    strcat(line, "\n");
    length = strlen(line);
    bool fine = !fchmod(fd, mode) && write(fd, line, length) == (ssize_t)length && !fsync(fd);
    const char *why = fine ? NULL : disk_reason(errno);
    if (close(fd) && !why) why = disk_reason(errno);
    if (why) unlink(path);
    sodium_memzero(line, sizeof line);
    return why;
}

const char *keys_generate(const char *path, uint8_t key[32]) {
    struct seal_secret secret;
    char buffer[PATH_MAX];
    struct text public = TEXT_ON(buffer);
    if (sodium_init() < 0) return "libsodium cannot be used here";
    text_add(&public, "%s.pub", path);
    if (public.cut) return "its path is too long";
    if (!access(buffer, F_OK)) return "there is a file for its public key already";
    crypto_sign_keypair(key, secret.byte);
    const char *why = write_line(path, 0600, SECRET, secret.byte, sizeof secret.byte);
    keys_forget(&secret);
    if (why) return why;
    why = write_line(buffer, 0644, PUBLIC, key, crypto_sign_PUBLICKEYBYTES);
    if (why) unlink(path);
    return why;
}

void keys_forget(struct seal_secret *secret) {
    sodium_memzero(secret, sizeof *secret);
}

// ---- reading

typedef const char *check_file(const struct stat *about);  // NOLINT: not a pointer

// The text of a file that `check` finds nothing wrong with. NULL, or why not.
static const char *read_text(int at, const char *path, check_file *check, char text[FILE_MOST]) {
    struct stat about;
    int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return errno == ENOENT ? "there is none" : disk_reason(errno);
    const char *why = fstat(fd, &about) ? disk_reason(errno) : !S_ISREG(about.st_mode) ? "it is no file" : check(&about);
    ssize_t size = why ? 0 : read(fd, text, FILE_MOST);
    if (!why && size < 0) why = disk_reason(errno);
    if (!why && size == FILE_MOST) why = "it is too large for a file of keys";
    text[why ? 0 : size] = 0;
    close(fd);
    return why;
}

// The key in a line with that prefix, of exactly so many bytes.
static bool take_key(const char *line, const char *prefix, uint8_t *key, size_t size) {
    size_t got, length = strlen(prefix);
    if (strncmp(line, prefix, length) != 0) return false;
    line += length;
    length = strcspn(line, " \r\n");
    // libsodium takes every byte beyond ASCII for a slash.
    if (strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") < length) return false;
    return !sodium_base642bin(key, size, line, length, NULL, &got, NULL, BASE64) && got == size;
}

static const char *check_secret(const struct stat *about) {
    if (about->st_uid != geteuid()) return "it belongs to another user";
    return about->st_mode & 077 ? "others may look at it: chmod 600 it, and better make a new one" : NULL;
}

const char *keys_secret(const char *path, struct seal_secret *secret) {
    char *text = malloc(FILE_MOST);
    struct seal_secret made;
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    if (!text || sodium_init() < 0) {
        free(text);
        return "there is not enough memory";
    }
    const char *why = read_text(AT_FDCWD, path, check_secret, text);
    if (!why && !take_key(text, SECRET, secret->byte, sizeof secret->byte)) why = "it holds no secret key";
    if (!why) crypto_sign_seed_keypair(key, made.byte, secret->byte);
    if (!why && memcmp(made.byte, secret->byte, sizeof made.byte) != 0) why = "its secret key is damaged";
    sodium_memzero(text, FILE_MOST);
    keys_forget(&made);
    free(text);
    return why;
}

// ---- who is believed

// What only root or we can have written.
static const char *check_public(const struct stat *about) {
    return file_distrust(about->st_mode, about->st_uid, about->st_uid ? geteuid() : 0);
}

struct looking {
    const uint8_t *key;
    keys_refused *refused;
    char text[FILE_MOST];
};

static bool is_in_file(struct looking *l, int at, const char *name, const char *path) {
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    bool found = false, any = false;
    const char *why = read_text(at, name, check_public, l->text);
    for (char *line = why ? NULL : l->text, *next; line && *line && !found; line = next) {
        next = line + strcspn(line, "\n");
        next += *next == '\n';
        if (!take_key(line, PUBLIC, key, sizeof key)) continue;
        any = true;
        found = !memcmp(key, l->key, sizeof key);
    }
    if (!why && !any) why = "it holds no public key";
    if (why && l->refused) l->refused(path, why);
    return found;
}

static bool is_key_file(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > strlen(".pub") && !strcmp(entry->d_name + length - strlen(".pub"), ".pub");
}

// Descriptor `fd` is closed by the end.
static bool is_in_directory(struct looking *l, int fd, const char *directory, struct text *path) {
    DIR *names = fdopendir(fd);
    bool found = false;
    for (struct dirent *entry; names && !found && (entry = readdir(names));) {
        if (!is_key_file(entry)) continue;
        *path = (struct text){.at = path->at, .size = path->size};
        text_add(path, "%s/%s", directory, entry->d_name);
        found = is_in_file(l, fd, entry->d_name, path->at);
    }
    if (names) closedir(names);
    else close(fd);
    return found;
}

static bool is_in(struct looking *l, const char *item, struct text *path) {
    struct stat about;
    int fd = open(item, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    *path = (struct text){.at = path->at, .size = path->size};
    text_add(path, "%s", item);
    if (fd < 0) return !access(item, F_OK) && is_in_file(l, AT_FDCWD, item, item);
    const char *why = fstat(fd, &about) ? disk_reason(errno) : check_public(&about);
    if (!why) return is_in_directory(l, fd, item, path);
    if (l->refused) l->refused(item, why);
    close(fd);
    return false;
}

bool keys_find(const char *list, const uint8_t key[32], char *path, size_t size, keys_refused *refused) {
    struct looking *l = calloc(1, sizeof *l);
    char *copy = strdup(list), *rest = copy;
    bool found = false;
    struct text text = {.at = path, .size = size};
    if (l) l->key = key, l->refused = refused;
    for (char *item; l && rest && !found && (item = strsep(&rest, ":"));) found = *item && is_in(l, item, &text);
    free(copy);
    free(l);
    return found;
}
