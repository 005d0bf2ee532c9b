// Integer kernel of the suite: what small embedded code spends its time with, in equal parts. A linked list that is sorted,
// searched and reversed, matrices of short integers, a state machine that classifies numbers in a text, and a CRC over all results, which
// is also what the program prints. Everything depends on the CRC so far, so nothing can be computed beforehand.
//
// core [ROUNDS]
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// ---- CRC, one bit at a time (polynomial 0xa001: CRC-16/ARC, reflected)

static uint16_t crc_byte(uint16_t crc, uint8_t byte) {
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) crc = (uint16_t)(crc >> 1 ^ (-(crc & 1) & 0xa001));
    return crc;
}

static uint16_t crc_word(uint16_t crc, uint32_t word) {
    for (int shift = 0; shift < 32; shift += 8) crc = crc_byte(crc, (uint8_t)(word >> shift));
    return crc;
}

// ---- a linked list, its nodes strewn over memory

enum { NODES = 100, STRIDE = 37 };  // no common divisor

struct node {
    struct node *next;
    int16_t key;
    uint16_t tag;
};

static struct node nodes[NODES];

static struct node *list_make(uint16_t seed) {
    struct node *head = NULL;
    for (unsigned i = 0; i < NODES; i++) {
        struct node *node = &nodes[i * STRIDE % NODES];
        *node = (struct node){head, (int16_t)(seed * (i + 3) ^ i << 7), (uint16_t)i};
        head = node;
    }
    return head;
}

static struct node *list_reverse(struct node *list) {
    struct node *done = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static const struct node *list_find(const struct node *list, int16_t key) {
    while (list && list->key != key) list = list->next;
    return list;
}

typedef int order(const struct node *, const struct node *);

static int by_key(const struct node *a, const struct node *b) {
    return a->key - b->key;
}

static int by_tag(const struct node *a, const struct node *b) {
    return (a->tag ^ 0x55) - (b->tag ^ 0x55);
}

static struct node *merge(struct node *a, struct node *b, order *compare) {
    struct node *head, **tail = &head;
    while (a && b) {
        struct node **from = compare(a, b) <= 0 ? &a : &b;
        *tail = *from;
        tail = &(*from)->next;
        *from = *tail;
    }
    *tail = a ? a : b;
    return head;
}

// Bottom-up merge sort: bin[i] holds a sorted list of 2^i nodes, or nothing.
static struct node *list_sort(struct node *list, order *compare) {
    struct node *bin[16] = {0};
    while (list) {
        struct node *one = list;
        list = list->next;
        one->next = NULL;
        unsigned i = 0;
        for (; bin[i]; bin[i++] = NULL) one = merge(bin[i], one, compare);
        bin[i] = one;
    }
    struct node *all = NULL;
    for (unsigned i = 0; i < 16; i++) all = merge(bin[i], all, compare);
    return all;
}

static uint16_t list_crc(const struct node *list, uint16_t crc) {
    for (; list; list = list->next) crc = crc_byte(crc, (uint8_t)list->key);
    return crc;
}

static uint16_t list_round(uint16_t seed) {
    struct node *list = list_sort(list_make(seed), by_key);
    uint16_t crc = list_crc(list, seed);
    unsigned found = 0;
    for (int16_t key = 0; key < 50; key++) {
        const struct node *node = list_find(list, (int16_t)(key * 64 + seed % 64));
        found += node ? node->tag : 1;
    }
    list = list_sort(list_reverse(list), by_tag);
    return crc_word(list_crc(list, crc), found);
}

// ---- matrices

enum { SIDE = 24 };

static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];

static void matrix_fill(uint16_t seed) {
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            left[i][j] = (int16_t)(seed % 97 + i * 3 - j);
            right[i][j] = (int16_t)((i * j + seed) & 0xff);
        }
    }
}

static void matrix_multiply(void) {
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int32_t sum = 0;
            for (int k = 0; k < SIDE; k++) sum += (int32_t)left[i][k] * right[k][j];
            product[i][j] = sum;
        }
    }
}

// Products of bit fields, as fixed-point code makes them.
static void matrix_multiply_fields(void) {
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int32_t sum = 0;
            for (int k = 0; k < SIDE; k++) {
                int32_t term = (int32_t)left[i][k] * right[k][j];
                sum += (term >> 2 & 0xf) * (term >> 5 & 0x7f);
            }
            product[i][j] += sum;
        }
    }
}

static int32_t matrix_sum(int32_t limit) {
    int32_t sum = 0, last = 0, result = 0;
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int32_t now = product[i][j];
            sum += now;
            if (sum > limit) {
                result += 10;
                sum = 0;
            } else {
                result += now > last;
            }
            last = now;
        }
    }
    return result;
}

static uint16_t matrix_round(uint16_t seed) {
    matrix_fill(seed);
    matrix_multiply();
    uint16_t crc = crc_word(seed, (uint32_t)matrix_sum(seed + 5000));
    matrix_multiply_fields();
    return crc_word(crc, (uint32_t)matrix_sum(seed + 900));
}

// ---- a state machine that tells what kinds of numbers stand in a text

enum state { START, SIGN, DIGITS, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS, WORD, STATES };

static const char text_pattern[] = "12,-7,+3.25,1e9,4.5e-3,.5,abc,0,99999,x1,1.2.3,-8e+2,5e,17;-,+,6.02e23,2024,t,";
enum { TEXT = 1200 };
static char text[TEXT + 1];

static void text_fill(uint16_t seed) {
    for (unsigned i = 0, j = seed % 64; i < TEXT; i++) {
        text[i] = text_pattern[j];
        j = (j + 1) % (sizeof text_pattern - 1);
    }
    for (unsigned i = seed % 61; i < TEXT; i += 61) text[i] = (char)(text[i] == ',' ? ';' : text[i] ^ 1);
}

static enum state state_next(enum state state, char c) {
    int digit = c >= '0' && c <= '9', sign = c == '+' || c == '-';
    switch (state) {
    case START: return digit ? DIGITS : sign ? SIGN : c == '.' ? FRACTION : WORD;
    case SIGN: return digit ? DIGITS : c == '.' ? FRACTION : WORD;
    case DIGITS: return digit ? DIGITS : c == '.' ? FRACTION : c == 'e' ? EXPONENT : WORD;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : WORD;
    case EXPONENT: return sign ? EXPONENT_SIGN : digit ? EXPONENT_DIGITS : WORD;
    case EXPONENT_SIGN:
    case EXPONENT_DIGITS: return digit ? EXPONENT_DIGITS : WORD;
    default: return WORD;
    }
}

static uint16_t text_round(uint16_t seed) {
    uint32_t ends[STATES] = {0}, steps[STATES] = {0};
    text_fill(seed);
    enum state state = START;
    for (const char *at = text; *at; at++) {
        if (*at == ',' || *at == ';') {
            ends[state]++;
            state = START;
        } else {
            state = state_next(state, *at);
            steps[state]++;
        }
    }
    for (int i = 0; i < STATES; i++) seed = crc_word(seed, ends[i] << 16 | steps[i]);
    return seed;
}

int main(int argc, char *argv[]) {
    long rounds = argc > 1 ? atol(argv[1]) : 8000;
    uint16_t crc = 0xface;
    for (long i = 0; i < rounds; i++) {
        crc = list_round(crc);
        crc = matrix_round(crc);
        crc = text_round(crc);
    }
    printf("core %ld rounds: %04x\n", rounds, crc);
    return 0;
}
