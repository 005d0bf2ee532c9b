// Follows control: from every block that is entered to those that it leads to. Blocks wait in the order in which they were found, so that the way back
// by parents is a short one. In passing, addresses of code that a block makes are noted as hints.
#include "aot/discover_search.h"
#include "runtime/base/error.h"
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 64,
    EDGE_COST = 4,  // in uops, for the memory that it takes
};

void *search_grow(void *array, size_t *room, size_t count, size_t element) {
    if (count < *room) return array;
    size_t wanted = *room ? 2 * *room : FIRST_ROOM;
    void *grown = realloc(array, wanted * element);
    if (!grown) error_die("no memory for what was found in a file");
    *room = wanted;
    return grown;
}

bool search_spend(uint64_t *budget, uint64_t cost) {
    bool enough = *budget > cost;
    *budget -= enough ? cost : *budget;
    return enough;
}

// ---- entering

bool search_lift(struct search *search, uint64_t address) {
    const struct image *image = &search->image;
    size_t size;
    const uint8_t *bytes = image_bytes(image, address, &size);
    if (!bytes) return false;
    guest_lift_block(image->isa, bytes, size, address, 0, search->features, GUEST_BLOCK_INSTRUCTIONS, &search->ir);
    return search->ir.count != 0;
}

// A block that comes to an undecodable instruction whatever it does is none, and what leads nowhere else but there is data.
bool search_plausible(struct search *search, uint64_t address) {
    if (!image_code(&search->image, address) || !search_lift(search, address)) return false;
    const struct ir_block *ir = &search->ir;
    if (!search_spend(&search->walk_budget, ir->count)) return false;
    if (ir->uop[ir->count - 1].code != UOP_illegal) return true;
    for (unsigned i = 0; i < ir->count; i++) {
        if (uop_info[ir->uop[i].code].format == UOP_FORMAT_BRANCH) return true;
    }
    return false;
}

static uint32_t *place_of(struct search *search, uint64_t address) {
    struct code_range *range = image_code(&search->image, address);
    return range ? &range->block[(address - range->start) / search->image.isa->min_instruction] : NULL;
}

int32_t search_enter(struct search *search, uint64_t address, enum discovery_way way, int32_t from) {
    uint32_t *place = place_of(search, address);
    if (!place) return SEARCH_NONE;
    if (*place) {
        search->found[*place - 1].ways |= (uint8_t)way;
        return (int32_t)(*place - 1);
    }
    *place = (uint32_t)search->founds + 1;
    SEARCH_ADD(search->found, search->founds, search->found_room,
               (struct found){.offset = address, .ways = (uint8_t)way, .parent = from, .table = SEARCH_NONE});
    return (int32_t)(search->founds - 1);
}

// ---- functions that are known

const struct extent *search_extent(const struct search *search, uint64_t address) {
    size_t low = 0, high = search->extents;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (search->extent[middle].start <= address) low = middle + 1;
        else high = middle;
    }
    return low && address < search->extent[low - 1].end ? &search->extent[low - 1] : NULL;
}

// A number is believed to be an address where it is one of a function; where functions are not known, it must not be within what others go over.
static bool is_credible(const struct search *search, struct hint hint, const struct extent *extent) {
    const struct code_range *range = image_code(&search->image, hint.address);
    if (!hint.number) return true;
    if (search->described) return extent && extent->start == hint.address;
    return !range->covered || !range->covered[(hint.address - range->start) / search->image.isa->min_instruction];
}

void search_try(struct search *search, struct hint hint) {
    uint32_t *place = place_of(search, hint.address);
    if (!place) return;
    const struct extent *extent = search_extent(search, hint.address);
    bool inside = extent && extent->start != hint.address;
    if ((inside && !hint.label) || !is_credible(search, hint, extent)) return;
    if (*place || search_plausible(search, hint.address))
        search_enter(search, hint.address, inside ? DISCOVERY_LABEL : DISCOVERY_FUNCTION, SEARCH_NONE);
}

static bool is_link(const struct search *search, unsigned slot) {
    const uint8_t *links = search->image.isa->links;
    while (*links && *links != slot) links++;
    return *links != 0;
}

// ---- addresses that code makes

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void search_sort_marks(struct search *search) {
    size_t kept = 0;
    if (search->marks) qsort(search->mark, search->marks, sizeof *search->mark, by_value);
    for (size_t i = 0; i < search->marks; i++) {
        if (!kept || search->mark[kept - 1] != search->mark[i]) search->mark[kept++] = search->mark[i];
    }
    search->marks = kept;
}

bool search_has_mark(const struct search *search, uint64_t low, uint64_t high) {
    size_t first = 0, last = search->marks;
    while (first < last) {
        size_t middle = first + (last - first) / 2;
        if (search->mark[middle] <= low) first = middle + 1;
        else last = middle;
    }
    return first < search->marks && search->mark[first] <= high;
}

// Constants within one block. One that is only added to or accessed at is a piece of an address, or one of data.
struct constants {
    uint64_t value[CPU_SLOTS], from[CPU_SLOTS];  // which instruction put it there
    bool known[CPU_SLOTS], unused[CPU_SLOTS], relative[CPU_SLOTS];
};

// Somebody uses this address.
static void note_address(struct search *search, uint64_t address, bool relative) {
    size_t size;
    bool possible = relative || search->image.header.e_type == ET_EXEC;
    if (possible && image_code(&search->image, address))
        SEARCH_ADD(search->hint, search->hints, search->hint_room, (struct hint){address, relative, !relative});
    else if (possible && image_bytes(&search->image, address, &size))
        SEARCH_ADD(search->mark, search->marks, search->mark_room, address);
}

static void note_constant(struct search *search, struct constants *constants, unsigned slot) {
    if (constants->known[slot] && constants->unused[slot]) note_address(search, constants->value[slot], constants->relative[slot]);
    constants->unused[slot] = false;
}

static void set_constant(struct search *search, struct constants *constants, unsigned slot, uint64_t value, bool relative) {
    constants->known[slot] = constants->unused[slot] = true;
    constants->value[slot] = value;
    constants->relative[slot] = relative;
    if (slot == search->image.isa->global && slot && !search->global) search->global = value;
}

static bool computes(struct constants *constants, const struct uop *uop) {
    return uop->code == UOP_addi && constants->known[uop->b];
}

static bool is_access(const struct uop *uop) {
    enum uop_format format = uop_info[uop->code].format;
    return format == UOP_FORMAT_LOAD || format == UOP_FORMAT_STORE || format == UOP_FORMAT_AMO;
}

// Data that is accessed is where the access says; a base that is added to is nowhere yet.
static void use(struct search *search, struct constants *constants, const struct uop *uop) {
    enum uop_format format = uop_info[uop->code].format;
    if (is_access(uop) && constants->known[uop->b]) {
        uint64_t address = constants->value[uop->b] + (uint64_t)uop->imm;
        if (!image_code(&search->image, address)) note_address(search, address, constants->relative[uop->b]);
    }
    if (is_access(uop) || uop->code == UOP_addi) constants->unused[uop->b] = false;
    else if (format != UOP_FORMAT_LINK && format != UOP_FORMAT_JUMP && format != UOP_FORMAT_EXIT)
        note_constant(search, constants, uop->b);
    if (format == UOP_FORMAT_STORE || format == UOP_FORMAT_DSS || format == UOP_FORMAT_BRANCH)
        note_constant(search, constants, uop->c);
}

// A jump to a place far away takes two instructions, the first of which leaves a place near that in a slot, whole pages away from itself. Other pairs of
// instructions may lie on both sides of a block's end.
static bool is_half(const struct search *search, const struct constants *constants, unsigned slot, uint64_t pc) {
    enum { NEAR = 1 << 11 };
    const struct uop *last = &search->ir.uop[search->ir.count - 1], *before = last - (search->ir.count > 1);
    uint64_t target = pc + (uint64_t)last->imm, value = constants->value[slot];
    bool jump = last->code == UOP_jump && value - target + NEAR <= 2 * NEAR && (value - constants->from[slot]) % GUEST_PAGE == 0;
    bool cut = last->imm == search->ir.bytes && before->offset == last->offset && before->code == UOP_lipc && before->a == slot;
    return jump || (last->code == UOP_jump && cut);
}

// What is written over before somebody used it was of no interest. Where a call returns to is known.
static void note_constants(struct search *search, uint64_t pc) {
    struct constants constants = {.known = {false}};
    const struct ir_block *ir = &search->ir;
    for (unsigned i = 0; i < ir->count; i++) {
        const struct uop *uop = &ir->uop[i];
        bool makes = uop->code == UOP_lipc || uop->code == UOP_li;
        use(search, &constants, uop);
        if (!uop_format_writes(uop_info[uop->code].format)) continue;
        bool sum = computes(&constants, uop), relative = sum ? constants.relative[uop->b] : uop->code == UOP_lipc;
        uint64_t base = sum ? constants.value[uop->b] : uop->code == UOP_lipc ? pc : 0;
        constants.known[uop->a] = false;
        constants.from[uop->a] = pc + uop->offset;
        if (sum || makes) set_constant(search, &constants, uop->a, base + (uint64_t)uop->imm, relative);
    }
    for (unsigned slot = 0; slot < SLOT_TEMP; slot++) {
        bool link = constants.known[slot] && constants.value[slot] == pc + ir->bytes && is_link(search, slot);
        if (constants.known[slot] && !link && !is_half(search, &constants, slot, pc)) note_constant(search, &constants, slot);
    }
}

// ---- following

static void add_edge(struct search *search, int32_t from, uint64_t address, enum discovery_way way) {
    int32_t to = search_enter(search, address, way, from);
    if (to == SEARCH_NONE) return;
    SEARCH_ADD(search->edge, search->edges, search->edge_room, (uint32_t)to);
    search->found[from].edges++;
    search_spend(&search->walk_budget, EDGE_COST);
}

bool search_is_call(const struct search *search) {
    const struct ir_block *ir = &search->ir;
    for (unsigned i = ir->count - 1; i > 0 && ir->uop[i - 1].offset == ir->uop[ir->count - 1].offset; i--) {
        const struct uop *uop = &ir->uop[i - 1];
        if (uop->code == UOP_lipc && uop->imm == ir->bytes && is_link(search, uop->a)) return true;
    }
    return false;
}

// Not every call returns. What follows one that does not may be another function, or anything. The lifted block is gone after this.
static void follow_return(struct search *search, int32_t from, uint64_t pc) {
    uint64_t behind = pc + search->ir.bytes;
    const struct extent *here = search_extent(search, behind - 1);
    if (here && behind >= here->end) return;
    if (search_plausible(search, behind)) add_edge(search, from, behind, DISCOVERY_RETURN);
}

static void follow_jump(struct search *search, int32_t from, uint64_t pc) {
    const struct ir_block *ir = &search->ir;
    const struct uop *jump = &ir->uop[ir->count - 1];
    uint64_t target = pc + (uint64_t)jump->imm;
    if (search_is_call(search)) {
        search_enter(search, target, DISCOVERY_FUNCTION, SEARCH_NONE);
        follow_return(search, from, pc);
    } else {
        bool runs_on = jump->imm == ir->bytes;
        add_edge(search, from, target, runs_on ? DISCOVERY_RUN : DISCOVERY_BRANCH);
    }
}

static void follow_indirect(struct search *search, int32_t from, uint64_t pc) {
    const struct uop *jump = &search->ir.uop[search->ir.count - 1];
    if (search_is_call(search)) {
        follow_return(search, from, pc);
    } else if (jump->b != search->image.isa->links[0]) {
        SEARCH_ADD(search->indirect, search->indirects, search->indirect_room, (uint32_t)from);
    }
}

static void follow_end(struct search *search, int32_t from, uint64_t pc) {
    const struct uop *last = &search->ir.uop[search->ir.count - 1];
    switch (last->code) {
    case UOP_jump: follow_jump(search, from, pc); break;
    case UOP_jumpr: follow_indirect(search, from, pc); break;
    case UOP_syscall:
    case UOP_codesync:
    case UOP_resume: add_edge(search, from, pc + uop_exit_offset(last), DISCOVERY_RESUME); break;
    default: break;  // a trap
    }
}

static void cover(struct search *search, uint64_t pc) {
    struct code_range *range = image_code(&search->image, pc);
    if (!range || !range->covered) return;
    uint64_t end = pc + search->ir.bytes < range->end ? pc + search->ir.bytes : range->end,
             unit = search->image.isa->min_instruction;
    memset(range->covered + (pc - range->start) / unit, 1, (end - pc) / unit);
}

static void follow(struct search *search, int32_t number) {
    uint64_t pc = search->found[number].offset;
    if (!search_lift(search, pc) || !search_spend(&search->walk_budget, search->ir.count)) return;
    search->found[number].bytes = search->ir.bytes;
    search->found[number].first_edge = (uint32_t)search->edges;
    cover(search, pc);
    note_constants(search, pc);
    for (unsigned i = 0; i + 1 < search->ir.count; i++) {
        const struct uop *uop = &search->ir.uop[i];
        if (uop_info[uop->code].format == UOP_FORMAT_BRANCH) add_edge(search, number, pc + (uint64_t)uop->imm, DISCOVERY_BRANCH);
    }
    follow_end(search, number, pc);
}

void search_walk(struct search *search) {
    while (search->walked < search->founds) follow(search, (int32_t)search->walked++);
}
