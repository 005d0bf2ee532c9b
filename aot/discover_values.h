// Values as they come about along one path of guest code: what a slot holds is a node, an operation on other nodes. In the end the target of an
// indirect jump is computed from such nodes for each value that one of them may have.
#pragma once
#include "aot/discover_search.h"

enum { VALUES_NODES = 1 << 16, VALUES_FACTS = 1 << 10, VALUES_CELLS = 256 };

enum node_kind {
    NODE_UNKNOWN,  // anything
    NODE_CONSTANT,  // imm
    NODE_UOP,  // what uop `code` makes of nodes b, c and imm
    NODE_MEMORY,  // `width` bytes at node b, zero-extended
};

struct node {
    uint8_t kind, width;
    uint16_t code;
    uint32_t b, c;
    uint64_t imm;
    uint64_t limit;  // its value is at most that
    uint64_t value;  // if it is known
    bool known;
};

// A node's value was between these on the path, from step `step` on: as an unsigned number, and as a signed one.
struct fact {
    uint32_t node, step;
    uint64_t low, high;
    int64_t signed_low, signed_high;
};

// What was stored to or loaded from a place: `root` + offset.
struct memory_cell {
    uint32_t root, node;
    uint64_t offset;
    uint8_t width;
    bool kept;  // over calls
};

struct values {
    const struct search *search;
    struct cpu cpu;  // for computing
    uint32_t slot[CPU_SLOTS];
    bool own[CPU_SLOTS];  // slots that functions leave as they found them
    struct node node[VALUES_NODES];
    struct fact fact[VALUES_FACTS];
    struct memory_cell cell[VALUES_CELLS];
    uint32_t nodes, facts, cells, next_cell;
};

// A function begins, or what is known of one is forgotten.
void values_begin(struct values *values, const struct search *search);
// Carries out a uop that is no jump. `pc`: of its block.
void values_step(struct values *values, const struct uop *uop, uint64_t pc);
// A branch was taken or not.
void values_branch(struct values *values, const struct uop *uop, bool taken, uint32_t step);
// Somebody else's code ran.
void values_call(struct values *values);
// Whether there is no room for another block.
bool values_are_full(const struct values *values);
uint32_t values_constant(struct values *values, uint64_t value);
// The node's bounds by facts since `step`. False if there are none that bound it from above.
bool values_bounds(const struct values *values, uint32_t node, uint32_t step, uint64_t *low, uint64_t *high);

enum { CONE_NODES = 128 };

// The nodes that a node depends on, without those behind `cut`, whose value is given from outside.
struct cone {
    uint32_t node[CONE_NODES];  // ascending, so that operands come first; the last one is the result
    uint16_t b[CONE_NODES], c[CONE_NODES];  // which of these the operands are
    uint32_t count, cut;
    uint8_t
        reads[CONE_NODES];  // 1: memory at a place that depends on the cut, more: on what was read from such a place; 0: neither
    uint64_t address[CONE_NODES];  // which that was when it was computed last
};

// False if there are too many, or the result does not depend on the cut, or on what is unknown or may have changed as well. With 0 for a cut: all that
// there is, for looking at only.
bool values_cone(const struct values *values, uint32_t result, uint32_t cut, struct cone *cone);
// The result if `cut` has this value. False if memory is read that is not there.
bool values_compute(struct values *values, struct cone *cone, uint64_t cut, uint64_t *result);
