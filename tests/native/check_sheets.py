#!/usr/bin/env python3
"""Sheets: the quick tier's code that is kept between runs. The second run finds nearly all of its code, the third has nothing to add; and where the guest's code is not
what it was, or changes under way, where it faults, forks or is killed, its results are right, warm as cold."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from cases import Skipped, want  # noqa: E402
from runs import NATIVE, ROOT, ROUNDS, KeptRuns, wait_for  # noqa: E402

MOST = 0.98  # of a warm run's instructions
IN_LOOPS = 0.8  # of those of a program that is mostly loops
SHORT_ROUNDS = "30"


def share(report):
    return (report["kept_quick_instructions"] + report["kept_llvm_instructions"]) / report["instructions"]


class Tests(KeptRuns):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.pages = self.build("pages", "-static", "-lm", source=NATIVE / "pages.c")
        self.pages_dynamic = self.build("pages.dynamic", "-pie", "-fPIE", "-lm", source=NATIVE / "pages.c")

    # ---- runs

    def words(self, cache, *guest, ferry=None, options=()):
        return [ferry or self.ferry, "run", f"--cache-dir={cache}", "-L", ROOT if ROOT.exists() else "/", *options, *guest]

    def right(self, *guest):
        return self.result(self.words("", *guest, options=["--tier=interp"]))

    def play(self, cache, expected, *guest, **how):
        """A run's statistics, once all that came of it is written. Code that counts is another kind: all runs count."""
        report = self.work / "report.json"
        report.unlink(missing_ok=True)
        came = self.result(self.words(cache, *guest, options=[f"--stats-json={report}"], **how))
        want(came == expected, f"not {expected!r} but {came!r}")
        self.settle()
        return json.loads(report.read_text())

    def watched(self):
        """A runner beside a compiler program that only notes that it was started."""
        folder = self.work / "watched"
        if not folder.exists():
            folder.mkdir()
            shutil.copy(self.ferry, folder / "ferry")
            compiler = folder / "ferry-compiler"
            compiler.write_text(f"#!/bin/sh\n: > {folder}/started\n")
            compiler.chmod(0o755)
        (folder / "started").unlink(missing_ok=True)
        return folder / "ferry"

    def quiet(self, cache, expected, *guest):
        """The next run starts no compiler program and adds nothing."""
        ferry, before = self.watched(), {path: path.read_bytes() for path in self.files(cache)}
        report = self.play(cache, expected, *guest, ferry=ferry)
        want(not (ferry.parent / "started").exists(), "a compiler program was started")
        want(before == {path: path.read_bytes() for path in self.files(cache)}, "something was added")
        return report

    def again(self, name, *guest):
        cache, expected = self.work / name, self.right(*guest)
        want(self.play(cache, expected, *guest)["kept_pages"] == 0, "the cache was not empty")
        second = self.play(cache, expected, *guest)
        want(share(second) > MOST, f"only {share(second):.1%} of the instructions were in kept code")
        want(second["kept_pages"] > 5, f"only {second['kept_pages']} pages")
        third = self.quiet(cache, expected, *guest)
        want(share(third) > MOST, f"only {share(third):.1%} of the third run's instructions were in kept code")
        self.sound(cache)
        return cache

    # ---- nothing is new

    def test_again(self):
        self.again("again", self.pages, "work")

    def test_again_without_loops(self):
        """Nothing is hot: the compiler program is started for the sheets' sake alone, when the guest ends."""
        source = self.work / "straight.s"
        source.write_text(".option norvc\n.globl _start\n_start:\n.rept 2500\naddi a1, a1, 1\naddi a2, a2, 1\nj 1f\n1:\n.endr\nli a0, 0\nli a7, 93\necall\n")
        self.again("straight-again", self.build("straight", "-static", "-nostdlib", source=source))

    def test_again_dynamic(self):
        if not ROOT.exists():
            raise Skipped("there is no root of Debian's")
        self.again("dynamic-again", self.pages_dynamic, "work")

    def test_again_with_loops(self):
        self.again("loops", self.static, ROUNDS)

    def test_again_without_counting(self):
        cache, expected = self.work / "uncounted", self.right(self.pages, "work")
        for ferry in (self.ferry, self.ferry, self.watched()):
            want(self.result(self.words(cache, self.pages, "work", ferry=ferry)) == expected, "other results")
            self.settle()
        want(not (self.work / "watched/started").exists(), "a compiler program was started")

    def test_other_tiers(self):
        """These have no sheets, neither to use nor to make."""
        cache, expected = self.again("tiers", self.pages, "work"), self.right(self.pages, "work")
        for tier in ("interp", "quick", "opt"):
            report = self.work / "tier.json"
            want(self.result(self.words(cache, self.pages, "work", options=[f"--tier={tier}", f"--stats-json={report}"])) == expected, "other results")
            want(json.loads(report.read_text())["kept_pages"] == 0, f"sheets with --tier={tier}")

    def test_only_read(self):
        cache, expected = self.again("read", self.pages, "work"), self.right(self.pages, "work")
        report = self.work / "read.json"
        for options in (["--cache=read"], ["--cache=read", "--code-size=1M"]):
            want(self.result(self.words(cache, self.pages, "work", options=[*options, f"--stats-json={report}"])) == expected, "other results")
            want(json.loads(report.read_text())["kept_pages"] > 5, "no sheets were used")

    # ---- loops that LLVM had no time for

    def short(self, name, guest):
        """The compiler program goes on with them once the run has ended, which took some milliseconds."""
        words = (guest, SHORT_ROUNDS)
        cache, expected = self.work / name, self.right(*words)
        first = self.play(cache, expected, *words)
        want(first["kept_llvm_instructions"] == first["kept_quick_instructions"] == 0, "the cache was not empty")
        want(first["llvm_instructions"] * 2 < first["instructions"], "LLVM had time enough")
        second = self.play(cache, expected, *words)
        in_loops = second["kept_llvm_instructions"] / second["instructions"]
        want(in_loops > IN_LOOPS, f"only {in_loops:.1%} of the instructions were in LLVM's code that was kept")
        want(share(second) > MOST, f"only {share(second):.1%} of the instructions were in kept code")
        third = self.quiet(cache, expected, *words)
        want(third["kept_llvm_instructions"] > 0, "nothing was in LLVM's code")
        self.sound(cache)

    def test_short(self):
        self.short("short", self.static)

    def test_short_dynamic(self):
        if not ROOT.exists():
            raise Skipped("there is no root of Debian's")
        self.short("short-dynamic", self.dynamic)

    # ---- code that is not what it was

    def libraries(self):
        """Two that differ in one byte of code, far from what tells modules apart."""
        if not ROOT.exists():
            raise Skipped("there is no root of Debian's")
        source, made = self.work / "library.c", [self.work / f"library{number}.so" for number in (3, 5)]
        filler = "".join(f"int filler{i}(int x) {{ return x * {i} + (x >> {i % 31}); }}\n" for i in range(600))
        source.write_text(f"{filler}\n__attribute__((noinline)) static int step(int x) {{ return x + STEP; }}\n"
                          f"int answer(int x) {{ for (int i = 0; i < 50; i++) x = step(x) & 0xffff; return x; }}\n{filler.replace('filler', 'more')}")
        for library, number in zip(made, (3, 5)):
            self.build(library, "-shared", "-fPIC", "-Wl,--build-id=none", f"-DSTEP={number}", source=source)
        first, second = (library.read_bytes() for library in made)
        changed = [at for at, pair in enumerate(zip(first, second)) if pair[0] != pair[1]]
        want(len(first) == len(second) and len(changed) <= 2, f"{len(changed)} bytes of the libraries differ")
        return made

    def test_changed_library(self):
        cache, (first, second) = self.work / "changed", self.libraries()
        library = self.work / "library.so"
        expected = {}
        for content in (first, second):
            shutil.copy(content, library)
            expected[content] = self.right(self.pages_dynamic, "library", library)
        want(len(set(expected.values())) == 2, "both libraries do the same")
        for number, content in enumerate((first, first, second, second, first, first)):
            shutil.copy(content, library)
            report = self.play(cache, expected[content], self.pages_dynamic, "library", library)
            if number == 1:
                want(share(report) > MOST, "the library's code was not kept")
                files = len(self.files(cache))
        want(len(self.files(cache)) == files, "both libraries are not one module")
        self.sound(cache)

    def test_other_library_at_the_same_place(self):
        cache, made = self.work / "place", self.libraries()
        guest = (self.pages_dynamic, "library", made[0], made[1], made[0], made[1])
        expected = self.right(*guest)
        want(expected.count("same place") == 4, f"not at the same place: {expected}")
        for _ in range(4):
            self.play(cache, expected, *guest)

    def warm_and_cold(self, name, way):
        guests = [self.pages, self.pages_dynamic] if ROOT.exists() else [self.pages]
        for guest in guests:
            cache, expected = self.work / f"{name}.{guest.name}", self.right(guest, way)
            kept = [self.play(cache, expected, guest, way)["kept_pages"] for _ in range(4)]
            want(kept[0] == 0 and min(kept[1:]) > 5, f"so many pages were kept: {kept}")
            self.play(cache, self.right(guest, "work"), guest, "work")
            self.play(cache, expected, guest, way)
            self.sound(cache)

    def test_patched(self):
        self.warm_and_cold("patched", "patch")

    def test_rewritten_file(self):
        """Nobody tells the runner but fence.i."""
        cache, guest = self.work / "rewritten", (self.pages, "rewrite", self.work / "code")
        expected = self.right(*guest)
        want("sum 200\nsum 400\nsum 200\n" in expected, expected)
        for _ in range(4):
            self.play(cache, expected, *guest)

    # ---- faults, forks, kills

    def test_faults(self):
        self.warm_and_cold("faults", "fault")

    def test_forks(self):
        cache, expected = self.work / "forks", self.right(self.pages, "forks")
        for _ in range(3):
            self.play(cache, expected, self.pages, "forks")
        self.quiet(cache, expected, self.pages, "forks")
        self.sound(cache)

    def test_many(self):
        cache, expected = self.work / "many", {way: self.right(self.pages, way) for way in ("work", "patch", "fault", "forks")}
        for _ in range(2):
            started = [(way, subprocess.Popen(self.words(cache, self.pages, way), stdout=subprocess.PIPE, text=True)) for way in expected for _ in range(3)]
            for way, process in started:
                output = process.communicate(timeout=300)[0]
                want(f"status {process.returncode}: {output}" == expected[way], f"other results of {way}")
        self.settle()
        self.sound(cache)

    def pages_now(self, cache):
        """How many pages a run finds that adds nothing."""
        report = self.work / "now.json"
        came = self.result(self.words(cache, self.pages, "work", options=["--cache=read", f"--stats-json={report}"]))
        want(came == self.right(self.pages, "work"), "other results")
        return json.loads(report.read_text())["kept_pages"]

    def test_killed(self):
        """What was made until then is there: while the guest runs, and when it was killed."""
        cache, report = self.work / "killed", self.work / "killed.json"
        with subprocess.Popen(self.words(cache, self.pages, "forever", options=[f"--stats-json={report}"]), stdout=subprocess.DEVNULL) as process:
            time.sleep(2)
            wait_for(lambda: self.pages_now(cache) > 20, 30)
            early = self.pages_now(cache)
            process.send_signal(signal.SIGKILL)
        self.settle()
        want(early > 20, f"only {early} pages were there before the end")
        want(self.pages_now(cache) >= early, "there is less when it was killed")
        self.sound(cache)


if __name__ == "__main__":
    os.environ.pop("FERRY_CACHE", None)
    sys.exit(cases.main(Tests))
