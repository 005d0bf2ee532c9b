// See the header.
#include "tests/random/vector_shape.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static bool begins_any(const char *text, const char *const *with) {
    for (; *with; with++) {
        if (begins(text, *with)) return true;
    }
    return false;
}

bool vector_is_type(unsigned sew, int lmul) {
    return sew <= 3 && lmul <= 3 && lmul >= (int)sew - 3;
}

static bool set_group(struct vector_group *group, int emul, int eew) {
    if (eew < 0 || eew > 3 || emul < -3 || emul > 3) return false;
    group->align = group->count = emul > 0 ? (uint8_t)(1 << emul) : 1;
    group->eew = (int8_t)eew;
    return true;
}

static const struct vector_group mask = {1, 1, VECTOR_BIT};

// ---- loads and stores: v, l or s, how, e and width

struct memory {
    unsigned fields, whole;
    int eew;
    bool indexed, of_bits;
};

static struct memory read_memory(const char *name) {
    struct memory memory = {.fields = 1};
    const char *at = name + 2;
    if (isdigit((unsigned char)*at)) memory.whole = (unsigned)(*at - '0');
    if (*at == 'm') memory.of_bits = true;
    if (memory.of_bits) return memory;
    if (begins(at, "ux") || begins(at, "ox")) memory.indexed = true, at += 2;
    else if (*at == 's' && !begins(at, "seg")) at++;
    if (begins(at, "seg")) memory.fields = (unsigned)(at[3] - '0'), at += 4;
    if (memory.whole) at += begins(at + 1, "re") ? 1 : strlen(at);
    unsigned bits = (unsigned)atoi(at + strcspn(at, "0123456789"));
    while (8U << memory.eew < bits) memory.eew++;
    return memory;
}

static bool memory_shape(const char *name, int sew, int lmul, struct vector_shape *shape) {
    struct memory memory = read_memory(name);
    int other = memory.eew - sew + lmul;
    if (memory.whole) shape->vd = (struct vector_group){(uint8_t)memory.whole, (uint8_t)memory.whole, (int8_t)memory.eew};
    else if (memory.of_bits) shape->vd = mask;
    else if (memory.indexed) {
        if (!set_group(&shape->vs2, other, memory.eew)) return false;
        shape->apart = memory.fields > 1;
    } else if (!set_group(&shape->vd, other, memory.eew)) return false;
    shape->vd.count = (uint8_t)(shape->vd.count * memory.fields);
    return shape->vd.count <= 8;
}

unsigned vector_fields(const struct insn_row *row) {
    return strstr(row->assembly, "(s)") ? read_memory(row->name).fields : 1;
}

unsigned vector_memory_eew(const struct insn_row *row) {
    return (unsigned)read_memory(row->name).eew;
}

unsigned vector_whole(const struct insn_row *row) {
    return read_memory(row->name).whole;
}

int vector_index_eew(const struct insn_row *row) {
    return strstr(row->assembly, "(s), X") ? read_memory(row->name).eew : -1;
}

// ---- the rest, each by what is special about it

static bool float_allows(const char *name, int sew) {
    if (!(begins(name, "vf") || begins(name, "vmf")) || begins(name, "vfirst")) return true;
    if (begins(name, "vfwcvt.f.x") || begins(name, "vfncvt.x") || begins(name, "vfncvt.rtz")) return sew == 1 || sew == 2;
    if (begins(name, "vfw") || begins(name, "vfncvt")) return sew == 2;
    return sew >= 2;
}

static bool crypto_shape(const char *name, int sew, int lmul, struct vector_shape *shape) {
    static const char *const fours[] = {"vaes", "vsm4", "vsm3", "vgmul", "vghsh", "vsha2", NULL};
    if (begins(name, "vclmul")) return sew == 3;
    if (!begins_any(name, fours)) return true;
    shape->multiple = 4;
    bool of_vs = strstr(name, ".vs") != NULL, sha = begins(name, "vsha2"), sm3 = begins(name, "vsm3");
    shape->apart = of_vs || sha || sm3;
    if (of_vs) shape->vs2.align = shape->vs2.count = 1;
    return sha ? (sew == 2 && lmul >= 0) || (sew == 3 && lmul >= 1) : sew == 2 && lmul >= sm3;
}

static bool is_comparison(const char *name) {
    return begins(name, "vmf") || begins(name, "vmadc") || begins(name, "vmsbc") ||
           (begins(name, "vms") && strchr("enlg", name[3]));
}

static bool mask_shape(const char *name, struct vector_shape *shape) {
    bool of_masks = strstr(name, ".mm") || strstr(name, ".m") == name + strlen(name) - 2;
    if (of_masks) shape->vs2 = shape->vs1 = mask;
    if ((of_masks && !begins(name, "viota")) || is_comparison(name)) shape->vd = mask;
    if (begins(name, "vcompress")) shape->vs1 = mask;
    shape->apart |= of_masks && !strstr(name, ".mm");
    return true;
}

static bool is_reduction(const char *name) {
    static const char *const names[] = {"vred", "vfred", "vwred", "vfwred", NULL};
    return begins_any(name, names);
}

static void single_shape(const char *name, struct vector_shape *shape) {
    static const char *const names[] = {"vmv.x.s", "vmv.s.x", "vfmv.f.s", "vfmv.s.f", NULL};
    if (is_reduction(name) || begins_any(name, names)) {
        shape->vd.align = shape->vd.count = shape->vs1.align = shape->vs1.count = 1;
        if (!is_reduction(name)) shape->vs2.align = shape->vs2.count = 1;
    }
    if (begins(name, "vmv") && isdigit((unsigned char)name[3])) {
        uint8_t count = (uint8_t)(name[3] - '0');
        shape->vd.align = shape->vd.count = shape->vs2.align = shape->vs2.count = count;
    }
}

static bool width_shape(const char *name, int sew, int lmul, struct vector_shape *shape) {
    const char *suffix = strchr(name, '.'), *fraction = strstr(name, ".vf");
    if (is_reduction(name)) return (name[1] != 'w' && name[2] != 'w') || sew < 3;
    if (begins(name, "vw") || begins(name, "vfw")) {
        if (suffix && suffix[1] == 'w' && !set_group(&shape->vs2, lmul + 1, sew + 1)) return false;
        return set_group(&shape->vd, lmul + 1, sew + 1);
    }
    if (begins(name, "vfncvt") || begins(name, "vnsr") || begins(name, "vncl")) return set_group(&shape->vs2, lmul + 1, sew + 1);
    if (fraction && isdigit((unsigned char)fraction[3])) {
        int less = fraction[3] == '2' ? 1 : fraction[3] == '4' ? 2 : 3;
        return set_group(&shape->vs2, lmul - less, sew - less);
    }
    if (begins(name, "vrgatherei16")) return set_group(&shape->vs1, lmul + 1 - sew, 1);
    return true;
}

bool vector_shape(const struct insn_row *row, unsigned sew, int lmul, struct vector_shape *shape) {
    static const char *const movers[] = {"vrgather", "vslideup", "vslide1up", "vfslide1up", "vcompress", NULL};
    const char *name = row->name;
    *shape = (struct vector_shape){.multiple = 1, .apart = begins_any(name, movers)};
    if (!vector_is_type(sew, lmul) || !set_group(&shape->vd, lmul, (int)sew)) return false;
    shape->vs1 = shape->vs2 = shape->vd;
    if (strstr(row->assembly, "(s)")) return memory_shape(name, (int)sew, lmul, shape);
    single_shape(name, shape);
    return float_allows(name, (int)sew) && width_shape(name, (int)sew, lmul, shape) && mask_shape(name, shape) &&
           crypto_shape(name, (int)sew, lmul, shape);
}
