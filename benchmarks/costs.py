"""What code costs to make, `run.py --costs`: memory of the runner and of its compiler program, and each tier's time for a guest instruction. Without a cache, so that
all of it is made."""

import pathlib
import re
import threading
import time

import measure as one
import report
import suite

MEMORY_OF, MUST_MEMORY_MB = "python", 150
MUST_QUICK_US, MUST_LLVM_US = 25, 60
INTERVAL = 0.01  # seconds between looks at a compiler program


class Watch:
    """While it is entered: the most memory that any compiler program of a runner had, in MB, as the kernel keeps count of it for each process."""

    def __init__(self, ferry):
        self.program, self.peak_mb, self.over = str(pathlib.Path(ferry).resolve()) + "-compiler", 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _watch(self):
        found = None
        while not self.over.wait(INTERVAL):
            found = found if found and self._look(found) else next(filter(self._look, pathlib.Path("/proc").glob("[0-9]*")), None)

    def _look(self, process):
        """Whether that is one, which is noted if so."""
        if one.read_link(process / "exe") != self.program:
            return False
        try:
            peak = re.search(r"^VmHWM:\s*(\d+) kB", (process / "status").read_text(), re.M)
        except OSError:
            return False
        self.peak_mb = max(self.peak_mb, int(peak.group(1)) / 1024 if peak else 0)
        return bool(peak)


def _made(stats):
    """Instructions that a tier made code of, and the seconds that took it. Blocks are cells first: that is the quick tier's time, too."""
    per_byte = stats["block_instructions"] / stats["block_bytes"]
    return {"cells": (stats["block_instructions"], stats["translating_seconds"]),
            "quick": (stats["native_guest_bytes"] * per_byte, stats["quick_seconds"]),
            "llvm": (stats["optimised_instructions"], stats["compiler_seconds"])}


def _settle(ferry):
    """Compiler programs end a little after their runner."""
    end = time.monotonic() + 60
    program = str(pathlib.Path(ferry).resolve()) + "-compiler"
    while time.monotonic() < end and any(one.read_link(process / "exe") == program for process in pathlib.Path("/proc").glob("[0-9]*")):
        time.sleep(0.02)


def measure(programs, runner, ferry, place, quick, progress):
    rows = []
    for program in programs:
        progress("%s" % program.name)
        words, environment = suite.command(program, runner, place, quick)
        _settle(ferry)
        with Watch(ferry) as watch:
            run = one.run_once(words, environment, place, program.output)
        _settle(ferry)
        stats = None if run["status"] else one.count(program, runner, place, quick)
        rows.append({"name": program.name, "failed": run if run["status"] or not stats else None, "runner_mb": run["peak_kb"] / 1024,
                     "compiler_mb": watch.peak_mb, "regions": stats and stats["optimised_regions"], "made": stats and _made(stats)})
    return rows


def _microseconds(rows, *tiers):
    """For one instruction, over all rows that a tier made any code for: the sum of what the tiers took each. None where there is nothing to divide by."""
    sums = [[sum(row["made"][tier][i] for row in rows if row["made"]) for i in (0, 1)] for tier in tiers]
    return sum(seconds / instructions for instructions, seconds in sums) * 1e6 if all(instructions for instructions, _ in sums) else None


def musts(rows):
    for row in rows:
        if row["name"] == MEMORY_OF and not row["failed"]:
            yield report.must("%s: memory of runner and compiler" % MEMORY_OF, row["runner_mb"] + row["compiler_mb"], MUST_MEMORY_MB, "MB", True)
    yield report.must("quick tier: time for a guest instruction, with translating it", _microseconds(rows, "cells", "quick"), MUST_QUICK_US, "us", True)
    yield report.must("LLVM's tier: the same of the compiler program's", _microseconds(rows, "llvm"), MUST_LLVM_US, "us", True)


def print_report(rows, list_of_musts, write):
    write("What code costs to make, without a cache; peaks of memory in MB, processor time of the compiler program")
    lines = [["program", "runner MB", "compiler MB", "instr. to cells", "us each", "quick instr.", "us each", "regions", "LLVM instr.", "s", "us each"]]
    for row in rows:
        if row["failed"]:
            write("FAILED  %s: %s" % (row["name"], row["failed"].get("complaint", "there are no statistics of it")))
            continue
        made = row["made"]
        line = [row["name"], "%.1f" % row["runner_mb"], "%.1f" % row["compiler_mb"]]
        for tier in ("cells", "quick"):
            line += ["%.0f" % made[tier][0], report.number(_microseconds([row], tier), "%.2f")]
        lines.append(line + ["%d" % row["regions"], "%d" % made["llvm"][0], "%.2f" % made["llvm"][1], report.number(_microseconds([row], "llvm"), "%.1f")])
    for line in report.columns(lines):
        write(line)
    write("")
    for line in report.columns(report.must_lines(list_of_musts)):
        write(line)
