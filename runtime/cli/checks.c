// Whether the value of an option will do. Each check says why not; who asked for the value is said by the caller.
#include "runtime/cli/cli.h"
#include "translator/guest/guest.h"
#include "runtime/options.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool check_any(const char *value, struct text *why) {
    (void)value, (void)why;
    return true;
}

bool check_cpu(const char *value, struct text *why) {
    guest_features features;
    char message[512];
    if (!guest_riscv64.parse_cpu(value, &features, message, sizeof message)) return true;
    text_add(why, "%s", strncmp(message, "-cpu: ", 6) ? message : message + 6);  // the caller names the option
    return false;
}

bool check_assignment(const char *value, struct text *why) {
    const char *equals = strchr(value, '=');
    if (equals && equals != value) return true;
    text_add(why, "want NAME=VALUE");
    return false;
}

bool check_name(const char *value, struct text *why) {
    if (*value && !strchr(value, '=')) return true;
    text_add(why, "want the name of a variable, without '='");
    return false;
}

bool size_parse(const char *text, uint64_t *size) {
    char *end;
    if (!isdigit((unsigned char)*text)) return false;
    *size = strtoull(text, &end, 0);
    const char *suffix = *end ? strchr("KMG", toupper((unsigned char)*end)) : NULL;
    if (*end && (!suffix || end[1])) return false;
    unsigned shift = !suffix ? 0 : *suffix == 'K' ? 10 : *suffix == 'M' ? 20 : 30;
    if (*size > UINT64_MAX >> shift) return false;
    *size <<= shift;
    return true;
}

bool check_size(const char *value, struct text *why) {
    uint64_t size;
    if (size_parse(value, &size) && size >= 16384 && size <= UINT64_C(1) << 36) return true;
    text_add(why, "want a number of bytes from 16K to 64G, such as 8M");
    return false;
}

// Words of qemu-user's -d that ask for messages which Ferry has no need of, or gives anyway.
static bool log_word(const char *word, size_t length) {
    static const char *const known[] = {"strace", "unimp", "guest_errors", "nochain"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == length && !memcmp(known[i], word, length)) return true;
    return false;
}

bool check_log(const char *value, struct text *why) {
    while (*value) {
        size_t length = strcspn(value, ",");
        if (!log_word(value, length)) {
            text_add(why, "'%.*s' cannot be logged; the one item is strace (see `ferry dump` for decoded instructions and uops)",
                     (int)length, value);
            return false;
        }
        value += length + (value[length] == ',');
    }
    return true;
}

static int number_of(const char *name, const char *const *known, int count) {
    for (int i = 0; i < count; i++) {
        if (!strcmp(known[i], name)) return i;
    }
    return -1;
}

int tier_parse(const char *name) {
    static const char *const known[] = {[TIER_AUTO] = "auto", [TIER_INTERP] = "interp", [TIER_QUICK] = "quick", [TIER_OPT] = "opt"};
    return number_of(name, known, sizeof known / sizeof *known);
}

bool check_tier(const char *value, struct text *why) {
    if (tier_parse(value) >= 0) return true;
    text_add(why, "want auto, interp, quick or opt");
    return false;
}

int cache_parse(const char *name) {
    static const char *const known[] = {[CACHE_ON] = "on", [CACHE_READ] = "read", [CACHE_OFF] = "off"};
    return number_of(name, known, sizeof known / sizeof *known);
}

bool check_cache(const char *value, struct text *why) {
    if (cache_parse(value) >= 0) return true;
    text_add(why, "want on, read or off");
    return false;
}

bool check_number(const char *value, struct text *why) {
    char *end;
    if (isdigit((unsigned char)*value)) {
        strtoull(value, &end, 0);
        if (!*end) return true;
    }
    text_add(why, "want a number (0x... is hexadecimal)");
    return false;
}

bool check_sample(const char *value, struct text *why) {
    char nothing[1];
    struct text unsaid = TEXT_ON(nothing);
    if (!strcmp(value, "all") || check_number(value, &unsaid)) return true;
    text_add(why, "want a number, or 'all'");
    return false;
}

bool check_hex(const char *value, struct text *why) {
    if (*value && !value[strspn(value, "0123456789abcdefABCDEF ,")]) return true;
    text_add(why, "want hexadecimal digits, such as '00c58533' or '33 85 c5 00'");
    return false;
}

bool check_no_gdb(const char *value, struct text *why) {
    (void)value;
    text_add(why, "there is no debugger interface yet; --strace and --crash-report may help");
    return false;
}

bool check_zero(const char *value, struct text *why) {
    uint64_t number;
    if (size_parse(value, &number) && !number) return true;
    text_add(why, "guest addresses are host addresses; leave the option out");
    return false;
}

bool check_page_size(const char *value, struct text *why) {
    uint64_t number;
    if (size_parse(value, &number) && number == 4096) return true;
    text_add(why, "the page size is 4096; leave the option out");
    return false;
}

bool flag_parse(const char *text, bool *on) {
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true", "0", "1"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], text)) {
            *on = i & 1;
            return true;
        }
    return false;
}
