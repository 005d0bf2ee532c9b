"""Input files of the suite, made from fixed seeds: the same bytes on every machine.

Random numbers come from a small generator of our own, since Python promises the same sequence for random() only.
"""

import array
import pathlib

DATA_BYTES = 20_000_000
SOURCE_FUNCTIONS = 40


class Numbers:
    """xorshift64*: below(n) is a number in [0, n)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state ^= self.state >> 12
        self.state = (self.state ^ self.state << 25) & 0xFFFF_FFFF_FFFF_FFFF
        self.state ^= self.state >> 27
        return ((self.state * 0x2545F4914F6CDD1D & 0xFFFF_FFFF_FFFF_FFFF) >> 32) % limit

    def pick(self, choices):
        return choices[self.below(len(choices))]


def _word(numbers):
    return "".join(numbers.pick("etaoinshrdlucmfw") for _ in range(2 + numbers.below(8)))


def _log_line(numbers, words, serial):
    return "%08d %s[%d]: %s %s=%d %s\n" % (
        serial * 17, numbers.pick(words[:40]), numbers.below(300), " ".join(numbers.pick(words) for _ in range(numbers.below(9) + 3)),
        numbers.pick(words), numbers.below(100000), numbers.pick(("ok", "ok", "ok", "failed", "again")))


def make_data(path, wanted=DATA_BYTES):
    """Bytes that compress as a mixture of logs and tables does: text in words of a limited stock, every fourth piece binary."""
    numbers = Numbers(20)
    words = [_word(numbers) for _ in range(3000)]
    pieces, size, serial = [], 0, 0
    while size < 2_500_000:  # then repeated with changes
        if len(pieces) % 4 == 3:
            piece = array.array("I", [numbers.below(1 << 14) * 3 for _ in range(500)]).tobytes()
        else:
            piece = "".join(_log_line(numbers, words, serial + i) for i in range(40)).encode()
            serial += 40
        pieces.append(piece)
        size += len(piece)
    with open(path, "wb") as file:
        left = wanted
        while left:
            piece = pieces[numbers.below(len(pieces))]
            # What is repeated differs in some of its bytes, so that matches are of all lengths.
            changed = bytearray(piece)
            for _ in range(len(piece) // 60):
                changed[numbers.below(len(piece))] = numbers.below(96) + 32
            left -= file.write(changed[:left])


EXPRESSIONS = ("{a} + {b}", "{a} - {b} * 3", "({a} ^ {b}) & 0xffff", "{a} << ({b} & 7)", "{a} % (({b} & 63) + 1)", "{a} * {b} >> 5",
               "{a} > {b} ? {a} - {b} : {b} | 1", "~{a} + table[{b} & 63]", "(long)(unsigned char){a} * {b}")

STATEMENTS = (
    "    for (int i = 0; i < {n}; i++) {a} += table[(i * {m} + {b}) & 63] ^ {c};\n",
    "    if ({a} > {b}) {c} = {e};\n    else if ({a} == {n}) {b} = {e2};\n    else {a}--;\n",
    "    switch ({a} & 7) {{\n    case 0: {b} += {n}; break;\n    case 1: {c} ^= {a}; break;\n    case 2: {b} = {e}; break;\n"
    "    case 3: {c} = -{c};  // and\n    case 5: {b} -= {m}; break;\n    case 6: {a} = {e2}; break;\n    default: {c}++;\n    }}\n",
    "    while ({a} > {n}) {{\n        {a} = {a} / 2 - {m};\n        {b} += {a} & 1 ? {c} : {e};\n    }}\n",
    "    node->weight[{k}] = {e};\n    node->total += node->weight[{k}] * 0.5 + {a};\n",
    "    for (struct node *at = node; at && {b}-- > 0; at = at->next) {{\n        at->total += {c};\n"
    "        if (at->weight[{k}] == {n}) return {e};\n    }}\n",
    "    {{\n        char text[{n} + 8];\n        unsigned length = 0;\n        for (long rest = {a}; rest > 0 && length < {n}; rest /= 10)\n"
    "            text[length++] = (char)('0' + rest % 10);\n        while (length) {b} = {b} * 31 + text[--length];\n    }}\n",
    "    {a} = {e};\n    {b} = {e2};\n",
)

SOURCE_HEAD = """\
// Made by benchmarks/inputs.py: something for a compiler to do.
struct node {
    struct node *next;
    long weight[8];
    double total;
};

extern long table[64];

"""


def _expression(numbers, names):
    return numbers.pick(EXPRESSIONS).format(a=numbers.pick(names), b=numbers.pick(names))


def _statement(numbers, names):
    a, b, c = numbers.pick(names), numbers.pick(names), numbers.pick(names)
    return numbers.pick(STATEMENTS).format(a=a, b=b, c=c, n=numbers.below(90) + 3, m=numbers.below(13) + 1, k=numbers.below(8),
                                           e=_expression(numbers, names), e2=_expression(numbers, names))


def _function(numbers, serial):
    names = ["x", "y", "z", "sum"]
    text = "%slong work_%d(struct node *node, long x, long y) {\n    long z = x ^ %d, sum = 0;\n" % (
        "static " if serial % 3 == 1 else "", serial, numbers.below(1000))
    for _ in range(6 + numbers.below(9)):
        text += _statement(numbers, names)
        if serial > 0 and numbers.below(4) == 0:
            text += "    sum += work_%d(node, %s, %s);\n" % (numbers.below(serial), _expression(numbers, names), numbers.pick(names))
    return text + "    return x + y * z - sum;\n}\n\n"


def make_source(path, functions=SOURCE_FUNCTIONS):
    """About 2,000 lines of C without any #include."""
    numbers = Numbers(7)
    text = SOURCE_HEAD + "".join(_function(numbers, i) for i in range(functions))
    pathlib.Path(path).write_text(text, encoding="ascii")
