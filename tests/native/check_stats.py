#!/usr/bin/env python3
"""--stats and --stats-json on a guest that does each of the things they count a known number of times (counted.c), tier by tier."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from runs import NATIVE, Runs  # noqa: E402

SOURCE = NATIVE / "counted.c"
os.environ["FERRY_CACHE"] = "off"  # there is always something to compile
SLACK = 1000  # what the C library adds, and what passes before code is hot
COUNTS = dict(re.findall(r"\b([A-Z]+) = (\d+)", SOURCE.read_text()))
CALLS, PAIRS, SYNCS, CHANGES, FAULTS, REWRITES = (
    int(COUNTS[name]) for name in ("CALLS", "PAIRS", "SYNCS", "CHANGES", "FAULTS", "REWRITES"))


class Run:
    def __init__(self, ferry, guest, work, tier):
        report = work / "stats.json"
        report.unlink(missing_ok=True)
        begin = time.monotonic()
        run = subprocess.run([ferry, "run", f"--tier={tier}", "--stats", f"--stats-json={report}", guest], capture_output=True, text=True,
                             check=True)
        self.wall, self.output, self.text = time.monotonic() - begin, run.stdout, run.stderr
        self.json = json.loads(report.read_text())
        self.tier = tier

    def wrong(self):
        """What is not as it must be on every tier."""
        is_native = self.tier != "interp"
        spent = sum(value for key, value in self.json.items() if key.endswith("_seconds") and key not in ("cpu_seconds", "compiler_seconds"))
        processes = [int(count) for count in re.findall(r"(\d+) guest instructions in", self.text)]
        yield from self.outside("missed_jumps", 2 * PAIRS - 10 if self.tier != "opt" else 0, 2 * PAIRS + SLACK)
        yield from self.outside("missed_returns", 2 * PAIRS - 10 if self.tier != "opt" else 0, 2 * PAIRS + SLACK)
        yield from self.outside("lookups", self.json["missed_jumps"] + self.json["missed_returns"], 10**7)
        yield from self.outside("syncs", SYNCS, SYNCS)
        yield from self.outside("invalidations", CHANGES + REWRITES, CHANGES + REWRITES + SLACK)
        yield from self.outside("dropped_blocks", REWRITES - 1, REWRITES + SLACK)
        yield from self.outside("exits_cold", 0, SLACK)  # what was written anew turns hot again
        yield from self.outside("exits_syscall", (CALLS - SLACK) * is_native, (CALLS + 5 * FAULTS + SLACK) * is_native)
        yield from self.outside("exits_trap", (FAULTS + SYNCS - 100) * is_native, (FAULTS + SYNCS + 100) * is_native)
        yield from self.outside("native_instructions", is_native, self.json["instructions"] * is_native)
        yield from self.outside("llvm_instructions", self.tier == "opt", self.json["native_instructions"] * (self.tier in ("opt", "auto")))
        if not 0 < spent <= self.wall:
            yield f"{spent} s spent of {self.wall} s"
        if len(processes) != 2 or min(processes) > SLACK * 10 or max(processes) != self.json["instructions"]:
            yield f"instructions of parent and child: {processes}"

    def outside(self, key, low, high):
        if not low <= self.json[key] <= high:
            yield f"{key} is {self.json[key]}, not between {int(low)} and {high}"

    def differs(self, first):
        if self.output != first.output or abs(self.json["instructions"] - first.json["instructions"]) > SLACK:
            yield f"printed {self.output!r} in {self.json['instructions']} instructions, not {first.output!r} in {first.json['instructions']}"


def main():
    arguments = cases.parse(tier={"default": "interp,quick,opt,auto"})
    guest = Runs(arguments).build("counted", "-static", source=SOURCE)
    runs = [Run(arguments.ferry, guest, arguments.work, tier) for tier in arguments.tier.split(",")]
    return cases.tell((run.tier, [*run.wrong(), *run.differs(runs[0])]) for run in runs)


if __name__ == "__main__":
    sys.exit(main())
