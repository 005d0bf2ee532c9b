// Fuzzes what is read of files of keys (cache/writer/keys.c): a file may hold anything, and only one that has a right line gives a key. The first byte says what the rest
// is: a file, or changes to a right one.
#include "tests/fuzz/fuzz.h"
#include "cache/writer/keys.h"
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/ferry-fuzz-keys-XXXXXX", path[64];
static char text[2][300];  // of a right secret file and of a right public one
static size_t length[2];
static uint8_t key[32];

static void end(void) {
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *bytes, size_t size) {
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    require(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && !close(fd), "no file");
}

// What is found has to be there in words.
static void look(const char *bytes, size_t size) {
    char word[KEYS_TEXT], found[80];
    struct seal_secret secret;
    write_file(bytes, size);
    if (!keys_secret(path, &secret)) {
        require(memmem(bytes, size, "ferry-secret-key ed25519 ", 25), "a secret key of nothing");
        keys_forget(&secret);
    }
    keys_text(key, word);
    if (keys_find(path, key, found, sizeof found, NULL))
        require(memmem(bytes, size, word, strlen(word)), "a public key of nothing");
}

// Always the same pair, so that what was found is found again.
static void begin(void) {
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {3};
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    char word[2 * sizeof secret];
    if (*path) return;
    require(mkdtemp(folder) && sodium_init() >= 0, "no folder");
    snprintf(path, sizeof path, "%s/key", folder);
    crypto_sign_seed_keypair(key, secret, seed);
    sodium_bin2base64(word, sizeof word, secret, sizeof secret, sodium_base64_VARIANT_ORIGINAL);
    length[0] = (size_t)snprintf(text[0], sizeof text[0], "ferry-secret-key ed25519 %s\n", word);
    keys_text(key, word);
    length[1] = (size_t)snprintf(text[1], sizeof text[1], "ferry-public-key ed25519 %s somebody's\n", word);
    atexit(end);
    look(text[0], length[0]);
    look(text[1], length[1]);
    char *slash = strchr(text[1], '/');
    require(slash, "a public key without a slash");
    *slash = (char)0xc6;  // which libsodium takes for one
    look(text[1], length[1]);
    *slash = '/';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char changed[sizeof *text];
    begin();
    if (!size) return 0;
    unsigned which = data[0] % 3;
    if (which == 2) {
        look((const char *)data + 1, size - 1);
        return 0;
    }
    memcpy(changed, text[which], length[which]);
    for (data++, size--; size >= 2; data += 2, size -= 2) changed[data[0] % length[which]] = (char)data[1];
    look(changed, length[which]);
    return 0;
}
