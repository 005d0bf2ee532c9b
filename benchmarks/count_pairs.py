#!/usr/bin/env python3
"""Which neighbouring uops are worth a function of their own: runs programs of the suite in ferry-count and proposes pairs.def.

Counts are by cell, so that the fusing that lower.c does (left to right, each cell in one pair at most) can be replayed exactly: pairs are
chosen one after the other, each the one that then saves the most steps. Every program weighs the same, however long it runs.
"""

import argparse
import collections
import os
import pathlib
import re
import struct
import subprocess
import sys

sys.dont_write_bytecode = True

import suite  # noqa: E402

UOPS = ("translator/ir/uops.def", "translator/ir/uops_fp.def")
OTHER = 0xFFFF
LAST = {"BRANCH": "PAIR_BRANCH", "JUMP": "PAIR_JUMP", "INDIRECT": "PAIR_INDIRECT"}
NEVER = {"AMO", "EXIT", *LAST}  # never the first of a pair


def read_uops():
    """[(name, format)] by code: what the C preprocessor makes of uops.def."""
    text = subprocess.run(["cc", "-E", "-P", "-x", "c", "-I", suite.TOP, suite.TOP / UOPS[0]], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\bUOP\(\s*(\w+),\s*(\w+)", text)


def read_records(path):
    """{(uop codes of a block, their counts)}: one pair per block and thread."""
    data = pathlib.Path(path).read_bytes()
    at, end = 8, 8 + struct.unpack_from("<Q", data)[0]
    while at < end:
        size, _, cells = struct.unpack_from("<3Q", data, at)
        counts = struct.unpack_from("<%dQ" % cells, data, at + 24)
        codes = struct.unpack_from("<%dH" % cells, data, at + 24 + 8 * cells)
        if any(counts):
            yield codes, counts
        at += size


def run_program(program, arguments, place):
    counts = place.work / "counts"
    counts.unlink(missing_ok=True)
    runner = suite.Runner("count", "ferry-count", (arguments.runner,), ("-L", "{root}"))
    words, environment = suite.command(program, runner, place, quick=True)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=place.work,
                   env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "FERRY_COUNTS": str(counts), **environment})
    blocks = list(read_records(counts))
    counts.unlink()
    return blocks


def share(blocks):
    """Blocks with counts as parts of all of the program's steps, hottest first, without the last percent."""
    total = sum(sum(counts) for _, counts in blocks)
    hot, covered = [], 0
    for codes, counts in sorted(blocks, key=lambda block: -sum(block[1])):
        if covered > 0.99 * total:
            break
        covered += sum(counts)
        hot.append((codes, [count / total for count in counts]))
    return hot


class Fusing:
    """Replays lower.c's fuse() with a growing set of pairs."""

    def __init__(self, uops, blocks):
        self.uops, self.blocks, self.chosen = uops, blocks, set()

    def possible(self, first, second):
        return OTHER not in (first, second) and self.uops[first][1] not in NEVER and self.uops[second][1] not in ("AMO", "EXIT")

    def left(self):
        """Steps that each further pair would save, by pair, and those that the chosen ones save, by pair."""
        gain, saved = collections.Counter(), collections.Counter()
        for codes, counts in self.blocks:
            free = -1  # index of the cell before, when it is in no pair
            at = 0
            while at < len(codes):
                if at + 1 < len(codes) and (codes[at], codes[at + 1]) in self.chosen:
                    saved[codes[at], codes[at + 1]] += counts[at + 1]
                    at += 2
                    free = -1
                    continue
                if free >= 0 and self.possible(codes[free], codes[at]):
                    gain[codes[free], codes[at]] += counts[at]
                free = at
                at += 1
        return gain, saved

    def choose(self, wanted, batch=3):
        while len(self.chosen) < wanted:
            gain, _ = self.left()
            best = [pair for pair, _ in gain.most_common(batch)]
            if not best:
                break
            self.chosen.update(best)
        return self.left()


def print_top(title, counter, name, limit, total):
    print("// " + title)
    for key, value in counter.most_common(limit):
        print("//   %5.2f %%  %s" % (100 * value / total, name(key)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runner", default=str(suite.TOP / "build/release/ferry-count"), help="default %(default)s (target ferry-count)")
    parser.add_argument("--roots", default=str(suite.TOP / "build/roots"))
    parser.add_argument("--work", default=str(suite.TOP / "build/bench"))
    parser.add_argument("--only", metavar="NAME,…")
    parser.add_argument("--pairs", type=int, default=120, help="how many to propose (default %(default)s)")
    parser.add_argument("--top", type=int, default=0, help="also print the most frequent uops and neighbours")
    arguments = parser.parse_args()
    arguments.runner = os.path.abspath(arguments.runner)
    place = suite.Place(pathlib.Path(arguments.work).resolve(), pathlib.Path(arguments.roots).resolve())
    programs = [program for program in suite.SUITE if (program.name in arguments.only.split(",") if arguments.only else not program.startup)]
    suite.prepare(programs, place)
    uops, blocks = read_uops(), []
    for program in programs:
        print("counting %s" % program.name, file=sys.stderr)
        blocks += share(run_program(program, arguments, place))
    total = sum(sum(counts) for _, counts in blocks)

    def name(codes):
        return " ".join("(other)" if code == OTHER else uops[code][0] for code in codes)

    if arguments.top:
        for size in (1, 2, 3, 4):
            grams = collections.Counter()
            for codes, counts in blocks:
                for at in range(len(codes) - size + 1):
                    grams[codes[at:at + size]] += counts[at + size - 1]
            print_top("%d in a row" % size, grams, name, arguments.top, total)
    fusing = Fusing(uops, blocks)
    _, saved = fusing.choose(arguments.pairs)
    print("// %d pairs save %.1f %% of all steps" % (len(saved), 100 * sum(saved.values()) / total))
    for (first, second), value in saved.most_common():
        print("%s(%s, %s)  // %.2f %%" % (LAST.get(uops[second][1], "PAIR"), uops[first][0], uops[second][0], 100 * value / total))


if __name__ == "__main__":
    main()
