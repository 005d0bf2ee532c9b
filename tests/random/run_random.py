#!/usr/bin/env python3
"""Random programs under Ferry and qemu-riscv64: registers, fcsr and memory must come out the same.

A snippet that differs is made and run once more alone, and shown with its registers before and after.

With --vectors the last lines say which rows were never legal anywhere, or seldom: an instruction counts as legal where it did not raise SIGILL (it may also
have been jumped over).
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

# As in make_random.c.
SHORT_RECORD, LONG_RECORD, FCSR = 68, 140, 64
VECTORS, ILLEGAL = 68, 136
AREA_SIZE, INDEX_SIZE, TEXT_BASE = 16384, 4096, 0x100000
OLDEST = 10  # major version of qemu that is right about nearly everything; what it gets wrong is left out by make_random.c
QEMU_CPU = "rv64," + ",".join(f"{name}=true" for name in ("zicbom", "zicbop", "zicboz", "zicond", "zacas", "zawrs", "zfa", "zfhmin", "zcb"))
QEMU_VECTORS = "v=true,vlen=128,elen=64," + ",".join(f"zv{name}=true" for name in ("bb", "bc", "kb", "kg", "kned", "knha", "knhb", "ksed", "ksh"))
NAMES = ["", *(f"x{i}" for i in range(1, 32)), *(f"f{i}" for i in range(32)), "fcsr", "turns", "", "",
         *(f"v{i}.{half}" for i in range(32) for half in ("low", "high")), "vl", "vtype", "vcsr", "vstart", "illegal"]
SHOWN = [word for word, name in enumerate(NAMES) if name and name != "turns"]


def qemu_version(qemu):
    try:
        output = subprocess.run([*qemu, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"version (\d+)", output)
    return int(found.group(1)) if found else 0


def find_qemu(aside):
    """The newest there is: the one unpacked aside, run by its own loader if it is not static, or the installed one."""
    choices = []
    binary = aside / "usr/bin/qemu-riscv64" if aside else None
    if binary and binary.exists():
        choices.append([str(binary)])
        loaders = [loader for loader in (aside / "lib64/ld-linux-x86-64.so.2", aside / "usr/lib64/ld-linux-x86-64.so.2") if loader.exists()]
        choices += [[str(loader), "--library-path", str(aside / "usr/lib/x86_64-linux-gnu"), str(binary)] for loader in loaders]
    if shutil.which("qemu-riscv64"):
        choices.append(["qemu-riscv64"])
    return max(((qemu_version(choice), choice) for choice in choices), default=(0, None), key=lambda pair: pair[0])


def play(command, output):
    with open(output, "wb") as file:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return "timeout", b"", ""
    return done.returncode, pathlib.Path(output).read_bytes(), done.stderr.decode(errors="replace")


class Case:
    def __init__(self, arguments, commands, number):
        self.generator, self.commands = arguments.generator, commands
        self.seed, self.snippets = arguments.seed * 1000 + number, arguments.snippets
        self.turns = arguments.turns
        self.vectors = arguments.vectors
        self.record_words = LONG_RECORD if self.vectors else SHORT_RECORD
        self.shown = [word for word in SHOWN if word < self.record_words]
        self.seen = collections.Counter()  # instructions by name, and with a "!" before it where they were illegal
        self.flags = ["--loops"] * arguments.loops + ["--handler"] * (arguments.loops and number % 2) + ["--vectors"] * self.vectors
        self.base = arguments.work / f"{self.seed}"

    def make(self, only=None):
        words = [self.generator, "--seed", str(self.seed), "--snippets", str(self.snippets), "--turns", str(self.turns), "--output", f"{self.base}.elf",
                 "--listing", f"{self.base}.list"]
        subprocess.run(words + self.flags + ([] if only is None else ["--only", str(only)]), check=True)
        os.chmod(f"{self.base}.elf", 0o755)

    def run(self):
        return {name: play([*command, f"{self.base}.elf"], f"{self.base}.{name}") for name, command in self.commands.items()}

    def compare(self, results):
        """None, or (number of the first snippet that differs or None, lines to print)."""
        expected = results["qemu"]
        for name, got in results.items():
            if got[0] != expected[0]:
                lines = [f"exit status {got[0]} on {name}, {expected[0]} on qemu", *(got[2] + expected[2]).splitlines()[:20]]
                return None, lines
            if got[1] != expected[1]:
                return self.difference(name, expected[1], got[1])
        return None if expected[0] == 0 and expected[1] else (None, [f"qemu: exit status {expected[0]}", *expected[2].splitlines()[:5]])

    def difference(self, name, expected, got):
        at = next(i for i in range(0, len(expected), 8) if expected[i:i + 8] != got[i:i + 8]) // 8
        number = at // self.record_words
        if number >= self.snippets:
            lines = [f"memory at {(at - self.snippets * self.record_words) * 8} of the area: {name} {got[at * 8:at * 8 + 8][::-1].hex()}, "
                     f"qemu {expected[at * 8:at * 8 + 8][::-1].hex()}"]
            return None, lines + self.illegal_difference(name, expected, got)
        lines = self.illegal_difference(name, expected, got, number)
        for word in self.shown:
            values = [struct.unpack_from("<Q", text, (number * self.record_words + word) * 8)[0] for text in (got, expected)]
            if values[0] != values[1]:
                lines.append(f"{NAMES[word]}: {name} {values[0]:#018x}, qemu {values[1]:#018x}")
        return number, lines

    def listing(self):
        """Of each instruction: snippet, pc, text."""
        number = None
        for line in pathlib.Path(f"{self.base}.list").read_text().splitlines():
            if line.startswith("snippet "):
                number = int(line.split()[1])
            else:
                pc, text = line.strip().split(": ", 1)
                yield number, int(pc, 16), text

    def illegal_map(self, output):
        return output[self.snippets * self.record_words * 8 + AREA_SIZE + INDEX_SIZE:] if self.vectors else b""

    def illegal_difference(self, name, expected, got, number=None):
        expected, got = self.illegal_map(expected), self.illegal_map(got)
        if expected == got:
            return []
        return [f"{pc:x}: {text}: " + (f"illegal on {name}, not on qemu" if got[at] else f"illegal on qemu, not on {name}")
                for snippet, pc, text in self.listing() for at in [(pc - TEXT_BASE) // 2] if number in (None, snippet) and expected[at] != got[at]][:10]

    def note_seen(self, output):
        illegal = self.illegal_map(output)
        for _, pc, text in self.listing():
            name = text.split()[0]
            self.seen[name] += 1
            self.seen["!" + name] += illegal[(pc - TEXT_BASE) // 2]

    def show(self, found):
        number, lines = found
        lines = [f"FAILED seed {self.seed}" + ("" if number is None else f" snippet {number}"), *lines]
        if number is None:
            return lines
        self.make(number)
        alone = self.compare(self.run())
        lines.append("alone: " + ("no difference" if alone is None else "; ".join(alone[1])))
        elf = pathlib.Path(f"{self.base}.elf").read_bytes()
        data = struct.unpack_from("<Q", elf, 64 + 56 + 8)[0] + number * self.record_words * 8  # p_offset of the second segment
        lines += ["before: " + " ".join(f"{NAMES[word]}={struct.unpack_from('<Q', elf, data + word * 8)[0]:#x}" for word in self.shown)]
        return lines + pathlib.Path(f"{self.base}.list").read_text().splitlines()

    def test(self):
        self.make()
        results = self.run()
        found = self.compare(results)
        if found:
            return self.show(found)
        if self.vectors:
            self.note_seen(results["qemu"][1])
        for file in self.base.parent.glob(self.base.name + ".*"):
            file.unlink()
        return []


def report_seen(generator, seen):
    names = subprocess.run([generator, "--names"], capture_output=True, text=True, check=True).stdout.split()
    legal = {name: seen[name] - seen["!" + name] for name in names}
    never = [name for name in names if not legal[name]]
    seldom = [f"{name} ({legal[name]} of {seen[name]})" for name in names if 0 < legal[name] < seen[name] / 4]
    print(f"{len(names)} rows, {len(names) - len(never)} of them legal somewhere")
    if never:
        print("never: " + " ".join(never))
    if seldom:
        print("seldom: " + ", ".join(seldom))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ferry", required=True)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--qemu", type=pathlib.Path, help="folder with another Debian's qemu-user, unpacked")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", type=int, default=100)
    parser.add_argument("--snippets", type=int, default=400)
    parser.add_argument("--turns", type=int, default=4, help="how often each snippet goes round, at most")
    parser.add_argument("--loops", action="store_true", help="with loops inside of snippets, and calls; every other program handles SIGSEGV")
    parser.add_argument("--vectors", action="store_true", help="mostly vector instructions, which there are none of otherwise")
    parser.add_argument("--tier", default="interp", help="tiers to run on, separated by commas")
    parser.add_argument("--option", action="append", default=[], help="another word for `ferry run`; may be repeated")
    arguments = parser.parse_args()
    version, qemu = find_qemu(arguments.qemu)
    if version < OLDEST:
        print(f"there is no qemu-riscv64 {OLDEST} to compare with\n0 passed, 0 failed, 1 skipped")
        return 0
    arguments.work.mkdir(parents=True, exist_ok=True)
    commands = {"qemu": [*qemu, "-cpu", f"{QEMU_CPU},{QEMU_VECTORS if arguments.vectors else 'v=false'}"]}
    commands |= {tier: [os.path.abspath(arguments.ferry), "run", f"--tier={tier}", *arguments.option] for tier in arguments.tier.split(",")}
    failed, seen = 0, collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        cases = [Case(arguments, commands, number) for number in range(arguments.programs)]
        for case, lines in zip(cases, pool.map(Case.test, cases)):
            failed += bool(lines)
            seen += case.seen
            if lines and failed <= 5:
                print("\n".join(lines))
    if arguments.vectors:
        report_seen(arguments.generator, seen)
    print(f"{arguments.programs} programs of {arguments.snippets} snippets, against qemu {version}")
    print(f"{arguments.programs - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
