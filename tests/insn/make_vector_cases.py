#!/usr/bin/env python3
"""Writes tests/insn/rvv_*.txt but for what stands before their line "# made by": cases of vector instructions, with what qemu makes of them.

make_vector_cases.py --generator build/dev/make_vector_cases --qemu build/bench/qemu-trixie

What qemu finds illegal is tried again with another seed.
"""
import argparse
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "random"))
from run_random import FCSR, ILLEGAL, QEMU_CPU, QEMU_VECTORS, VECTORS, find_qemu  # noqa: E402

CASE_RECORD, MEMORY, FLOATS, SCRATCH = 172, 140, 32, 0x20000400  # as in random_code.h
MARK = "# made by make_vector_cases.py from here on; what qemu 10 does is what is right"
X = ("zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6").split()
F = ("ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11").split()
VL, VTYPE, VCSR, VSTART = range(VECTORS + 64, VECTORS + 68)
VILL = 1 << 63  # what test_insn begins with
RISING = struct.unpack("<32Q", bytes(range(256)))
CRYPTO = ("vaes", "vsm3", "vsm4", "vsha2", "vghsh", "vgmul", "vclmul", "vandn", "vbrev", "vrev8", "vrol", "vror", "vclz", "vctz", "vcpop.v", "vwsll")
FILES = {
    "memory": "loads and stores of V",
    "integer": "integers of V: arithmetic, comparisons, widening and narrowing, fixed point",
    "float": "floating point of V",
    "move": "reductions, masks and permutations of V",
    "crypto": "Zvbb, Zvbc, Zvkb, Zvkg, Zvkned, Zvknha, Zvknhb, Zvksed, Zvksh",
}
MOVES = ("vred", "vwred", "vcpop.m", "vfirst", "vmsbf", "vmsif", "vmsof", "viota", "vid", "vmv", "vslide", "vrgather", "vcompress")


def chapter(name, text):
    if "(" in text:
        return "memory"
    if name.startswith(CRYPTO):
        return "crypto"
    if name.startswith(MOVES) and not name.startswith("vmv.v") or name.endswith(".mm"):
        return "move"
    return "float" if name.startswith(("vf", "vmf")) else "integer"


class State(dict):
    """What a line of a case says of a record: settings by name."""

    def __init__(self, words):
        super().__init__()
        for i in range(1, 31):
            self[X[i]] = words[i]
        for i in range(32):
            self[F[i]] = words[FLOATS + i]
            self[f"v{i}"] = words[VECTORS + 2 * i] | words[VECTORS + 2 * i + 1] << 64
        self |= {"vl": words[VL], "vtype": words[VTYPE], "vxrm": words[VCSR] >> 1, "vxsat": words[VCSR] & 1, "vstart": words[VSTART],
                 "fflags": words[FCSR] & 31, "frm": words[FCSR] >> 5}
        self.memory = words[MEMORY:MEMORY + 32]


def number(value):
    return f"@{value - SCRATCH}" if SCRATCH <= value < SCRATCH + 256 else str(value) if value < 10 else f"{value:#x}"


def line(encoding, text, before, after):
    settings = [f"{name}={number(value)}" for name, value in before.items() if value != (VILL if name == "vtype" else 0)]
    if any(before.memory):
        assert before.memory == RISING
        settings.append("mem=rising")
    changes = [f"{name}={number(value)}" for name, value in after.items() if value != before[name]]
    changes += [f"mem[{8 * i}]={number(word)}" for i, word in enumerate(after.memory) if word != before.memory[i]]
    return f"{encoding} {text} | {' '.join(settings)} | {' '.join(changes)}".rstrip()


def make(arguments, qemu, seed):
    """[(name of the row, chapter, line)] of what is legal."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "cases")
        listing = subprocess.run([arguments.generator, "--seed", str(seed), program], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        program.chmod(0o755)
        output = subprocess.run([*qemu, "-cpu", f"{QEMU_CPU},{QEMU_VECTORS}", program], stdout=subprocess.PIPE, check=True).stdout
        elf = program.read_bytes()
    start = struct.unpack_from("<Q", elf, 64 + 56 + 8)[0]  # p_offset of the second segment
    made = []
    for i, text in enumerate(listing):
        encoding, name, text = text.split(" ", 2)
        before, after = (struct.unpack_from(f"<{CASE_RECORD}Q", data, at + i * CASE_RECORD * 8) for data, at in ((elf, start), (output, 0)))
        if not after[ILLEGAL]:
            made.append((name, chapter(name, text), line(encoding, text, State(before), State(after))))
    return made, [text.split()[1] for text in listing]


def heading(name, what):
    """What stands before the mark: the file's own, or a beginning."""
    path = HERE / f"rvv_{name}.txt"
    text = path.read_text() if path.exists() else f"# {what}; the format is described at the top of rvv_csr.txt\n\n"
    return text.partition(MARK)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--qemu", type=pathlib.Path, required=True, help="folder with another Debian's qemu-user, unpacked")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    _, qemu = find_qemu(arguments.qemu)
    lines, wanted = {}, {}
    for seed in range(arguments.seed, arguments.seed + 4):
        made, names = make(arguments, qemu, seed)
        wanted = wanted or {name: names.count(name) for name in dict.fromkeys(names)}
        for name, where, text in made:
            mine = lines.setdefault(name, (where, []))[1]
            if len(mine) < wanted[name] and text not in mine:
                mine.append(text)
    for name in wanted:
        if name not in lines:
            print(f"no legal case of {name}")
    for name, what in FILES.items():
        body = "\n\n".join(f"# {row}\n" + "\n".join(lines[row][1]) for row in wanted if row in lines and lines[row][0] == name)
        (HERE / f"rvv_{name}.txt").write_text(f"{heading(name, what)}{MARK}\n\n{body}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
