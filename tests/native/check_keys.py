#!/usr/bin/env python3
"""What kept code depends on: where any of it differs, nothing that was kept is used, the results are right, and what is made then harms nothing that was there."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from cases import Skipped, want  # noqa: E402
from runs import NATIVE, KeptRuns  # noqa: E402

PROCESSES, PATIENCE = 20, 5
STAMP = re.compile(rb"[0-9a-f]{64}")
# Of `x += words[i] >> 16` in hot.c: srliw by 16, in a loop, behind an addiw with half of 1013904223.
ADDIW, SRLIW, MASK = 0x35f << 20 | 0x1b, 16 << 20 | 5 << 12 | 0x1b, 0xfff0707f


class Tests(KeptRuns):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.real, self.folder = self.ferry, pathlib.Path(arguments.ferry).parent

    # ---- other Ferrys

    def stamp_of(self, change=lambda word: word):
        """What the build's own command makes of its sources and words, with changes."""
        rules = (self.folder / "build.ninja").read_text()
        line = next(line for line in rules.splitlines() if "make_stamp.cmake" in line and "COMMAND =" in line)
        words = [change(word) for word in shlex.split(line.split("&& ", 1)[1])]
        output = self.work / "stamp.c"
        words = [f"-DOUTPUT={output}" if word.startswith("-DOUTPUT=") else word for word in words]
        subprocess.run(words, check=True, capture_output=True)
        return STAMP.search(output.read_bytes())[0]

    def another(self, name, stamp, programs=("ferry", "ferry-compiler")):
        """A Ferry that was made of something else, as far as it can tell."""
        if not (self.folder / "build.ninja").exists():
            raise Skipped("it was not built by ninja")
        own, folder = self.stamp_of(), self.work / name
        folder.mkdir()
        for program in ("ferry", "ferry-compiler"):
            content = (self.folder / program).read_bytes()
            want(content.count(own) == 1, f"{program} has the stamp {content.count(own)} times")
            (folder / program).write_bytes(content.replace(own, stamp) if program in programs else content)
            (folder / program).chmod(0o755)
        return str(folder / "ferry")

    def used(self, cache, guest, *options, ferry=None, environment=None):
        """How much of what was kept a run used."""
        report, self.ferry = self.work / "used.json", ferry or self.real
        command = self.command(cache, guest, f"--stats-json={report}", *options)
        try:
            want(self.result(command, environment and {**os.environ, **environment}) == self.expected(guest), "other results")
            self.settle()
        finally:
            self.ferry = self.real
        found = json.loads(report.read_text())
        return found["kept_regions"], found["kept_pages"]

    def misses(self, name, *options, **how):
        """What others left is not used; then what this one made is; and the others' is still there."""
        cache = self.warm(name, self.static)
        want(min(self.used(cache, self.static)) >= 5, "nothing was kept")
        want(self.used(cache, self.static, *options, **how) == (0, 0), "what was kept for another was used")
        self.used(cache, self.static, *options, **how)
        want(min(self.used(cache, self.static, *options, **how)) >= 5, "nothing was kept of the other")
        want(min(self.used(cache, self.static)) >= 5, "what was kept before is gone")
        want(self.stats(cache)["builds"] == 2, "there are not two builds")
        self.sound(cache)
        return cache

    def says(self, cache, part, ferry=None, environment=None):
        """Import tells what differs."""
        bundle = self.work / "says.bundle"
        bundle.unlink(missing_ok=True)
        subprocess.run([self.real, "cache", "export", f"--cache-dir={cache}", bundle], check=True, stdout=subprocess.DEVNULL)
        made = subprocess.run([ferry or self.real, "cache", "verify", "--json", bundle], capture_output=True, text=True, check=True,
                              env=environment and {**os.environ, **environment})
        builds = json.loads(made.stdout)["bundles"][0]["builds"]
        differs = sorted(build["differs"] for build in builds if build["build"])  # profiles are of none
        want(differs == [[], [part]], f"it says {differs}")

    # ---- what differs

    def test_guest_byte(self):
        """One byte of a loop, far from what tells modules apart."""
        guest, filler = self.work / "filled", self.work / "filler.c"
        filler.write_text("".join(f"int filler{i}(int x) {{ return x * {i} + (x >> {i % 31}); }}\n" for i in range(600)))
        subprocess.run(["riscv64-linux-gnu-gcc", "-O1", "-static", "-o", guest, filler, NATIVE / "hot.c"], check=True)
        cache, content = self.warm("byte", guest), bytearray(guest.read_bytes())
        words = [int.from_bytes(content[at:at + 4], "little") & MASK for at in range(0, len(content) - 4, 2)]
        want(words.count(ADDIW) == 1, f"the constant is there {words.count(ADDIW)} times")
        patched, at = self.work / "patched", 2 * words.index(SRLIW, words.index(ADDIW))
        content[at + 2] ^= 1 << 4
        patched.write_bytes(content)
        patched.chmod(0o755)
        whole = self.used(cache, guest)
        want(self.expected(patched) != self.expected(guest), "both programs do the same")
        regions, pages = self.used(cache, patched)
        want(5 <= regions < whole[0] and 5 <= pages < whole[1], f"{regions} regions and {pages} pages were used, before {whole}")
        for program in (guest, patched, guest):
            self.used(cache, program)
        want(self.stats(cache)["code"]["files"] == 1, "they are not one module")

    def test_llvm_version(self):
        versions = []

        def other_version(word):
            versions.extend(re.findall(r"^-DTEXT=LLVM (\d+\.\d+\.\d+) ", word))
            return re.sub(r"^(-DTEXT=LLVM \d+\.\d+\.)\d+ ", r"\g<1>99 ", word)

        stamp = self.stamp_of(other_version)
        want(len(versions) == 1 and stamp != self.stamp_of(), f"LLVM's version is not in the key: {versions}")
        ferry = self.another("llvm", stamp)
        self.says(self.misses("llvm-cache", ferry=ferry), "version of Ferry", ferry=ferry)

    def test_translator(self):
        source = self.work / "sheet.c"

        def other_source(word):
            found = re.search(r"[^;=]*/translator/quick/sheet\.c", word)
            if not found:
                return word
            shutil.copy(found[0], source)
            source.write_text(source.read_text() + "// another line\n")
            return word.replace(found[0], str(source))

        stamp = self.stamp_of(other_source)
        want(source.exists() and stamp != self.stamp_of(), "the translator's sources are not in the key")
        ferry = self.another("translator", stamp)
        self.says(self.misses("translator-cache", ferry=ferry), "version of Ferry", ferry=ferry)

    def test_guest_processor(self):
        self.says(self.misses("guest", "--cpu=rv64,zbs=off"), "guest processor (--cpu)")

    def test_host_processor(self):
        """The C library, which tells us what the processor has, can be told to leave something out."""
        less = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-SSE4_2,-AVX2"}
        cache = self.misses("host", environment=less)
        self.says(cache, "host processor")
        self.says(cache, "host processor", environment=less)

    def test_counting(self):
        """Code that counts instructions, for --stats, is another kind."""
        cache, expected = self.work / "counting", self.expected(self.static)
        for _ in range(2):
            want(self.result(self.command(cache, self.static)) == expected, "other results")
            self.settle()
        entries = self.stats(cache)["code"]["entries"]
        want(entries > 20, "nothing was kept")
        want(self.used(cache, self.static) == (0, 0), "code that does not count was used")
        self.used(cache, self.static)
        want(min(self.used(cache, self.static)) >= 5, "code that counts was not kept")
        want(self.stats(cache)["code"]["entries"] > entries, "it took the place of the other")

    # ---- two of them at once

    def at_once(self, cache, ferries, count):
        """So many processes of both on one cache: the results are right, and none waits for the others. Seconds that it took."""
        begun = time.monotonic()
        started = []
        for number in range(count):
            self.ferry = ferries[number % len(ferries)]
            started.append(subprocess.Popen(self.command(cache, self.static), stdout=subprocess.PIPE, text=True))
        for process in started:
            output = process.communicate(timeout=300)[0]
            want(f"status {process.returncode}: {output}" == self.known, "other results")
        seconds = time.monotonic() - begun
        for self.ferry in ferries:
            self.settle()
        self.ferry = self.real
        return seconds

    def test_two_versions_at_once(self):
        ferries, cache = [self.real, self.another("version", b"7" * 64)], self.work / "versions"
        self.known = self.expected(self.static)
        alone = self.at_once(self.work / "one-version", ferries[:1], PROCESSES)
        together = self.at_once(cache, ferries, PROCESSES)
        want(together < PATIENCE * alone + 2, f"{PROCESSES} processes took {together:.1f} s, and {alone:.1f} s where all were of one version")
        self.at_once(cache, ferries, PROCESSES)
        want(self.stats(cache)["builds"] == 2, "there are not two builds")
        for ferry in ferries:  # code that counts is another kind: the first run makes some
            self.used(cache, self.static, ferry=ferry)
            want(min(self.used(cache, self.static, ferry=ferry)) >= 5, "nothing was kept of one of them")
        self.sound(cache)

    # ---- programs that do not belong together

    def test_compiler_of_another_build(self):
        ferry, cache = self.another("mixed", b"5" * 64, ["ferry-compiler"]), self.work / "mixed-cache"
        for _ in range(2):
            want(self.used(cache, self.static, ferry=ferry) == (0, 0), "something was kept by a compiler program of another build")
        want(not self.files(cache), f"something was written: {self.files(cache)}")
        for words in (["precompile", self.static], ["cache", "verify", "--deep"]):
            made = subprocess.run([ferry, *words, f"--cache-dir={cache}"], capture_output=True, text=True, check=False)
            want(made.returncode == 1 and "not of the same build" in made.stderr, f"{words}: {made.returncode} {made.stderr}")
        self.same(cache, self.static)


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
