// What of RISC-V the guest is shown: the -cpu option's NAME[,property=value…] to feature bits, and the bits back to an ISA string.
// Names and properties are qemu's, so that people's scripts go on working: a property of an extension that is not
// offered may be switched off, one that no user program can see is accepted, and any other is an error.
#include "translator/guest/riscv64/features.h"
#include "runtime/base/text.h"
#include <string.h>
#include <strings.h>

enum { P_ALL = 1, P_RVA22 = 2, P_GC = 4, P_I = 8 };

static const struct {
    const char *name;
    guest_features needs;
    unsigned processors;
} extensions[] = {
#define FEATURE(name, text, needs, processors) {text, needs, processors},
#include "translator/guest/riscv64/features.def"
#undef FEATURE
};

static const struct {
    const char *name;
    unsigned processor;
} processors[] = {
    {"rv64", P_ALL},       {"max", P_ALL},   {"any", P_ALL},       {"rva22u64", P_RVA22},
    {"rva22s64", P_RVA22}, {"rv64gc", P_GC}, {"sifive-u54", P_GC}, {"rv64i", P_I},
};

// Extensions that exist and are not offered: off is what they are.
static const char absent[] =
    " h zfh zfbfmin zbc zbkb zbkc zbkx zk zkn zknd zkne zknh zkr zks zksed zksh zkt zcmp zcmt zcmop zimop zabha zama16b zalasr"
    " zalrsc zaamo zdinx zfinx zhinx zhinxmin zicfilp zicfiss zicclsm ziccrse ztso zve32f zve32x zve64f zve64d zve64x zvfh"
    " zvfhmin zvfbfmin zvfbfwma zvkt zvkn zvks e ";
// Properties of the machine that a user program cannot see, or that follow from what is offered.
static const char unseen[] =
    " mmu pmp s u g svinval svnapot svpbmt svadu svade svvptc sstc sscofpmf smaia ssaia smepmp smstateen"
    " priv_spec vext_spec cbom_blocksize cbop_blocksize cboz_blocksize pmu-num pmu-mask zca zcd zcf zmmul zic64b "
    " za64rs za128rs ziccif ziccamoa zicclsm ";

static bool listed(const char *list, const char *word) {
    char padded[40];
    struct text text = TEXT_ON(padded);
    text_add(&text, " %s ", word);
    return !text.cut && strcasestr(list, padded);
}

static int find_extension(const char *name) {
    for (int i = 0; i < RV_FEATURES; i++) {
        if (strcasecmp(extensions[i].name, name) == 0) return i;
    }
    return -1;
}

static guest_features processor_features(unsigned processor) {
    guest_features features = 0;
    for (int i = 0; i < RV_FEATURES; i++) {
        if (extensions[i].processors & processor) features |= UINT64_C(1) << i;
    }
    return features;
}

static int find_processor(const char *name, guest_features *features, struct text *why) {
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++) {
        if (strcasecmp(processors[i].name, name) == 0) return *features = processor_features(processors[i].processor), 0;
    }
    text_add(why, "-cpu: there is no riscv64 processor '%s'; there are:", name);
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++) text_add(why, " %s", processors[i].name);
    return -1;
}

// 1 on, 0 off, -1 neither
static int parse_switch(const char *value) {
    static const char on[] = " true on yes 1 y ", off[] = " false off no 0 n ";
    return listed(on, value) ? 1 : listed(off, value) ? 0 : -1;
}

struct request {
    guest_features on, off;  // asked for by name
};

// Lengths that programs can see, with the one value that each can have. 1 it is none; 0 it has this value; -1 it has not.
static int parse_length(const char *name, const char *value, struct text *why) {
    static const struct {
        const char *name, *value;
    } lengths[] = {{"vlen", "128"}, {"elen", "64"}};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        if (strcasecmp(name, lengths[i].name)) continue;
        if (strcmp(value, lengths[i].value) == 0) return 0;
        return text_add(why, "-cpu: '%s=%s' is not offered; there is %s=%s", name, value, name, lengths[i].value), -1;
    }
    return 1;
}

static int parse_property(const char *name, const char *value, struct request *request, struct text *why) {
    int extension = find_extension(name), state = parse_switch(value), length = parse_length(name, value, why);
    if (length <= 0) return length;
    if (extension < 0 && listed(unseen, name)) return 0;
    bool known = extension >= 0 || listed(absent, name);
    if (known && state < 0)
        return text_add(why, "-cpu: '%s=%s' is neither on nor off; say %s=true or %s=false", name, value, name, name), -1;
    if (extension < 0 && known && state == 0) return 0;
    if (extension == RV_BIT_I && state == 0) return text_add(why, "-cpu: the base instruction set 'i' cannot be switched off"), -1;
    if (extension < 0) {
        text_add(why, known ? "-cpu: the extension '%s' is not offered; there are:" : "-cpu: there is no property '%s'; there are:",
                 name);
        for (int i = 0; i < RV_FEATURES; i++) text_add(why, " %s", extensions[i].name);
        return -1;
    }
    guest_features bit = UINT64_C(1) << extension;
    request->on = state ? request->on | bit : request->on & ~bit;
    request->off = state ? request->off & ~bit : request->off | bit;
    return 0;
}

// Extensions asked for bring what they need; extensions without what they need go, unless they were asked for.
static int settle(struct request request, guest_features *features, struct text *why) {
    *features = (*features | request.on) & ~request.off;
    for (int pass = 0; pass < RV_FEATURES; pass++) {
        for (int i = 0; i < RV_FEATURES; i++) {
            guest_features bit = UINT64_C(1) << i, missing = extensions[i].needs & ~*features;
            if (!(*features & bit) || !missing) continue;
            bool wanted = request.on & bit;
            if (wanted && (missing & request.off)) {
                const char *other = extensions[__builtin_ctzll(missing & request.off)].name;
                text_add(why, "-cpu: '%s' needs '%s', which is switched off; drop one of the two", extensions[i].name, other);
                return -1;
            }
            if (wanted) *features |= missing, request.on |= missing;
            else *features &= ~bit;
        }
    }
    return 0;
}

// Takes the next piece up to a comma into `piece`; what does not fit is cut and so will not be found.
static const char *next_piece(const char *text, char *piece, size_t size) {
    size_t length = strcspn(text, ","), kept = length < size - 1 ? length : size - 1;
    memcpy(piece, text, kept);
    piece[kept] = 0;
    return text[length] ? text + length + 1 : text + length;
}

int riscv64_parse_cpu(const char *text, guest_features *features, char *why_at, size_t why_size) {
    struct text why = {.at = why_at, .size = why_size};
    struct request request = {0};
    guest_features chosen = 0;
    char piece[64];
    text = next_piece(text, piece, sizeof piece);
    if (find_processor(piece, &chosen, &why)) return -1;
    while (*text) {
        text = next_piece(text, piece, sizeof piece);
        char *equals = strchr(piece, '=');
        if (!*piece) continue;
        // qemu's older spelling: +ext and -ext
        bool sign = *piece == '+' || *piece == '-';
        const char *value = equals ? equals + 1 : *piece == '-' ? "false" : "true";
        if (equals) *equals = 0;
        if (parse_property(piece + sign, value, &request, &why)) return -1;
    }
    if (settle(request, &chosen, &why)) return -1;
    *features = chosen;
    return 0;
}

void riscv64_isa_string(guest_features features, char *at, size_t size) {
    struct text text = {.at = at, .size = size};
    text_add(&text, "rv64");
    for (int i = 0; i < RV_FEATURES; i++) {
        // what C and V are made of, as Linux lists it
        if (i == RV_BIT_ZCB && riscv64_has(features, RV(C))) text_add(&text, "_zca");
        if (i == RV_BIT_ZVKB && riscv64_has(features, RV(V))) text_add(&text, "_zve32f_zve32x_zve64d_zve64f_zve64x");
        if (features >> i & 1) text_add(&text, extensions[i].name[1] ? "_%s" : "%s", extensions[i].name);
        if (i == RV_BIT_ZCB && riscv64_has(features, RV(C) | RV(D))) text_add(&text, "_zcd");
    }
}
