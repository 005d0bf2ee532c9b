#!/usr/bin/env python3
"""Which sequences of uops are worth a function of their own: runs programs of the suite in ferry-count and proposes sequences.def.

Counts are by cell, so that what lower.c does can be replayed: it fuses what saves most. Every program weighs the same, however
long it runs. Candidates are all sequences of up to four cells that are executed often; those which, all candidates being there, save
most are kept, and of these again those which save most when the others are gone.
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
LONGEST = 4
LAST = {"BRANCH": "BRANCH", "JUMP": "JUMP", "INDIRECT": "INDIRECT"}
NEVER = {"AMO", "EXIT", *LAST}  # never before another
CHAINS = ["n", "b", "c", "b", *["bo"] * 4, *["co"] * 4, *["bo"] * 4]  # the best of the bits of enum cell_chain


def read_uops():
    """[(name, format)] by code, as cells.h numbers them."""
    text = subprocess.run(["cc", "-E", "-P", "-x", "c", "-I", suite.TOP, suite.TOP / UOPS[0]], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\bUOP\(\s*(\w+),\s*(\w+)", text) + [("li64", "DI"), ("other", "EXIT")]


def read_records(path, other):
    """(codes and chains of a block's cells without data, their counts), a pair per block and thread."""
    data = pathlib.Path(path).read_bytes()
    at, end = 8, 8 + struct.unpack_from("<Q", data)[0]
    while at < end:
        size, _, cells = struct.unpack_from("<3Q", data, at)
        counts = struct.unpack_from("<%dQ" % cells, data, at + 24)
        codes = struct.unpack_from("<%dH" % cells, data, at + 24 + 8 * cells)
        kept = [i for i in range(cells) if counts[i] and codes[i] & 0xFFF != other]
        if kept:
            yield [(codes[i] & 0xFFF, codes[i] >> 12) for i in kept], [counts[i] for i in kept]
        at += size


def run_program(program, arguments, place, other):
    counts = place.work / "counts"
    counts.unlink(missing_ok=True)
    runner = suite.Runner("count", "ferry-count", (arguments.runner,), ("-L", "{root}"))
    words, environment = suite.command(program, runner, place, quick=True)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=place.work,
                   env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "FERRY_COUNTS": str(counts), **environment})
    blocks = list(read_records(counts, other))
    counts.unlink()
    return blocks


def share(blocks):
    """Blocks with counts as parts of all of the program's steps, hottest first, without the last few percent."""
    total = sum(sum(counts) for _, counts in blocks)
    hot, covered = [], 0
    for cells, counts in sorted(blocks, key=lambda block: -sum(block[1])):
        if covered > 0.97 * total:
            break
        covered += sum(counts)
        hot.append((cells, [count / total for count in counts]))
    return hot


class Fusing:
    """Sequences are tuples: code, chain, code, chain, code, … ."""

    def __init__(self, uops, blocks):
        self.uops, self.blocks = uops, blocks

    def sequences_at(self, cells, at):
        """All that could be fused from a cell on, with their lengths: as chained as can be, without overwriting, and with no chains."""
        if self.uops[cells[at][0]][1] in NEVER:
            return
        chained = seen = plain = (cells[at][0],)
        for end in range(at + 1, min(at + LONGEST, len(cells))):
            code, chains = cells[end]
            if self.uops[code][1] in ("AMO", "EXIT") or code == len(self.uops) - 2:
                return
            chained += (CHAINS[chains], code)
            seen += (CHAINS[chains][0], code)
            plain += ("n", code)
            yield chained, end + 1 - at
            if chained != seen:
                yield seen, end + 1 - at
            if seen != plain and end == at + 1:
                yield plain, end + 1 - at
            if self.uops[code][1] in NEVER:
                return

    @staticmethod
    def savings(sequence):
        return sum(4 if chain == "n" else 6 + len(chain) - 1 for chain in sequence[1::2])

    def candidates(self, wanted):
        steps = collections.Counter()
        for cells, counts in self.blocks:
            for at in range(len(cells)):
                for sequence, length in self.sequences_at(cells, at):
                    steps[sequence] += counts[at + length - 1] * self.savings(sequence)
        return {sequence for sequence, _ in steps.most_common(wanted)}

    def replay(self, known):
        """What each sequence saves when lower.c has the known ones: savings, and steps."""
        saved, steps = collections.Counter(), collections.Counter()
        for cells, counts in self.blocks:
            best, choice = [0] * (len(cells) + 1), [None] * len(cells)
            for at in range(len(cells) - 1, -1, -1):
                best[at] = best[at + 1]
                for sequence, length in self.sequences_at(cells, at):
                    saves = best[at + length] + self.savings(sequence)
                    if sequence in known and saves > best[at]:
                        best[at], choice[at] = saves, (sequence, length)
            at = 0
            while at < len(cells):
                if not choice[at]:
                    at += 1
                    continue
                sequence, length = choice[at]
                saved[sequence] += counts[at + length - 1] * self.savings(sequence)
                steps[sequence] += sum(counts[at + 1:at + length])
                at += length
        return saved, steps

    def choose(self, wanted):
        known = self.candidates(wanted * 5)
        for limit in (wanted * 2, wanted * 3 // 2, wanted):
            saved, _ = self.replay(known)
            known = {sequence for sequence, _ in saved.most_common(limit)}
        return self.replay(known)

    def row(self, sequence):
        names = [self.uops[word][0] if i % 2 == 0 else word for i, word in enumerate(sequence)]
        return "FUSE%d(%s, %s)" % (len(names) // 2 + 1, LAST.get(self.uops[sequence[-1]][1], "STRAIGHT"), ", ".join(names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runner", default=str(suite.TOP / "build/release/ferry-count"), help="default %(default)s (target ferry-count)")
    parser.add_argument("--roots", default=str(suite.TOP / "build/roots"))
    parser.add_argument("--work", default=str(suite.TOP / "build/bench"))
    parser.add_argument("--only", metavar="NAME,…")
    parser.add_argument("--sequences", type=int, default=400, help="how many to propose (default %(default)s)")
    arguments = parser.parse_args()
    arguments.runner = os.path.abspath(arguments.runner)
    place = suite.Place(pathlib.Path(arguments.work).resolve(), pathlib.Path(arguments.roots).resolve())
    programs = [program for program in suite.SUITE if (program.name in arguments.only.split(",") if arguments.only else not program.startup)]
    suite.prepare(programs, place)
    uops, blocks = read_uops(), []
    for program in programs:
        print("counting %s" % program.name, file=sys.stderr)
        blocks += share(run_program(program, arguments, place, len(uops) - 1))
    total = sum(sum(counts) for _, counts in blocks)
    fusing = Fusing(uops, blocks)
    saved, steps = fusing.choose(arguments.sequences)
    print("// Sequences that get one function: the ones that benchmarks/count_sequences.py found to save most in the suite's programs, most first.")
    print("// FUSEn(kind of the last, uop, chain, uop, …); chain: see enum cell_chain.")
    print("// %d of them save %.1f %% of all steps." % (len(steps), 100 * sum(steps.values()) / total))
    for sequence, _ in saved.most_common():
        print(fusing.row(sequence))


if __name__ == "__main__":
    main()
