#!/usr/bin/env python3
"""The compiler program beside a guest: it is not to be seen from inside, ends with the guest, and whatever becomes of it or whatever it says, the
guest's results are right."""
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from runs import NATIVE, TOP, Runs, wait_for  # noqa: E402

ROUNDS = "2000"
TRIES = 5  # of a block that has no better code
os.environ["FERRY_CACHE"] = "off"  # there is always something to compile


def compilers_of(runner):
    """Ids of the compiler processes that work for a runner: they hold a pidfd of it as descriptor 4."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text() != "ferry-compiler\n" or folder.joinpath("stat").read_text().split(") ")[1][0] == "Z":
                continue
            match = re.search(r"^Pid:\t(\d+)", (folder / "fdinfo/4").read_text(), re.M)
        except (OSError, IndexError):
            continue
        if match and int(match.group(1)) == runner:
            found.append(int(folder.name))
    return found


def parent_of(pid):
    try:
        return int(re.search(r"^PPid:\t(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))
    except OSError:
        return None


def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def limit_memory(pid):
    """To what it has."""
    try:
        resource.prlimit(pid, resource.RLIMIT_AS, (1 << 20, 1 << 20))
    except ProcessLookupError:
        pass


def tier_lines(pid):
    """What -perfmap says of LLVM's code: names of functions and places in them."""
    path = pathlib.Path(f"/tmp/perf-{pid}.map")
    names = [line.split()[2] for line in path.read_text().splitlines()]
    path.unlink()
    return {name[4:] for name in names if name.startswith("opt:")}


class Tests(Runs):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.guest = self.build("hot", "-static")
        self.expected = self.run(self.ferry, "interp")

    def start(self, ferry, tier, *words, rounds=ROUNDS, options=()):
        return subprocess.Popen([ferry, "run", f"--tier={tier}", *options, str(self.guest), rounds, *words], stdout=subprocess.PIPE, text=True)

    def finish(self, process):
        try:
            output = process.communicate(timeout=120)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return "timeout"
        return output if process.returncode == 0 else f"status {process.returncode}: {output}"

    def run(self, ferry, tier, *words):
        return self.finish(self.start(ferry, tier, *words))

    def same(self, output):
        return None if output == self.expected else f"expected {self.expected!r}, got {output!r}"

    def elsewhere(self, name, compiler=None):
        """A runner with another compiler beside it, or none."""
        folder = self.work / name
        folder.mkdir()
        shutil.copy(self.ferry, folder / "ferry")
        if compiler:
            shutil.copy(compiler, folder / "ferry-compiler")
        return str(folder / "ferry")

    def stand_in(self, name, plan, *options):
        """A runner with a stand-in for the compiler program, and the file where that says what it was asked."""
        log = self.work / f"{name}.log"
        program = self.work / f"{name}.program"
        subprocess.run(["cc", "-O1", "-I", TOP, f"-DPLAN={plan}", f'-DLOG="{log}"', "-DWATCH_TICK=20", *options, "-o", program,
                        NATIVE / "stand_in.c", TOP / "aot/watch.c", "-pthread"], check=True)
        return self.elsewhere(name, program), log

    def report(self, path):
        return json.loads(path.read_text())

    def place(self, pc):
        """A guest pc as -perfmap names it."""
        lines = subprocess.run(["riscv64-linux-gnu-nm", self.guest], capture_output=True, text=True, check=True).stdout.splitlines()
        symbols = [(int(words[0], 16), words[2]) for words in map(str.split, lines) if len(words) == 3 and words[1] in "tT" and words[2][0] != "$"]
        start, name = max(symbol for symbol in symbols if symbol[0] <= pc)
        return name + (f"+{pc - start:#x}" if pc > start else "")

    # ---- the tests: each returns None or what is wrong

    def test_invisible(self):
        process = self.start(self.ferry, "auto")
        seen = wait_for(lambda: compilers_of(process.pid) or process.poll() is not None)
        return self.same(self.finish(process)) or (None if isinstance(seen, list) else "there was no compiler")

    def test_reaper(self):
        process = self.start(self.ferry, "auto", "reaper")
        seen = wait_for(lambda: [pid for pid in compilers_of(process.pid) if parent_of(pid) == process.pid]) or []
        for pid in seen:
            kill(pid, signal.SIGKILL)
        return self.same(self.finish(process)) or (None if seen else "its compilers are not its children")

    def test_used(self):
        report = self.work / "stats.json"
        subprocess.run([self.ferry, "run", "--stats-json", report, str(self.guest), ROUNDS], stdout=subprocess.DEVNULL, check=True)
        regions = int(re.search(r'"optimised_regions": (\d+)', report.read_text()).group(1))
        return None if regions > 0 else f"{regions} regions"

    def test_ends_with_guest(self):
        process = self.start(self.ferry, "auto", rounds="1000000")
        seen = wait_for(lambda: compilers_of(process.pid))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        gone = wait_for(lambda: not [pid for pid in seen or [] if os.path.exists(f"/proc/{pid}/fdinfo/4")])
        return None if seen and gone else f"compilers {seen}, gone {gone}"

    def test_killed(self):
        chance, wrong, hit = random.Random(1), None, set()
        for _ in range(6):
            process = self.start(self.ferry, "auto")
            while process.poll() is None:
                time.sleep(chance.uniform(0, 0.1))
                for pid in compilers_of(process.pid):
                    kill(pid, chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP]))
                    hit.add(pid)
            wrong = wrong or self.same(self.finish(process))
        for pid in hit:  # a stopped one never goes by itself
            kill(pid, signal.SIGKILL)
        return wrong

    def test_missing(self):
        return self.same(self.run(self.elsewhere("missing"), "auto"))

    def test_not_a_program(self):
        return self.same(self.run(self.elsewhere("text", __file__), "auto"))

    def test_ends_at_once(self):
        return self.same(self.run(self.elsewhere("false", "/bin/false"), "auto"))

    def test_liar(self):
        liar = self.work / "liar"
        subprocess.run(["cc", "-O1", "-I", TOP, "-o", liar, NATIVE / "liar.c"], check=True)
        ferry = self.elsewhere("liar.d", liar)
        return next((wrong for wrong in (self.same(self.run(ferry, "auto")) for _ in range(8)) if wrong), None)

    def test_lost_requests(self):
        """A program that dies or hangs at its first request is followed by another one, which is not asked for the same region. All at once, since each takes
        as long as silence does: the guest mostly sleeps."""
        rounds = "800"
        expected, runs = self.finish(self.start(self.ferry, "interp", rounds=rounds)), []
        for name in ("DIE", "HANG", "STUCK", "always"):
            options = [f'-DREAL="{self.ferry}-compiler"'] if name != "always" else []
            ferry, log = self.stand_in("lost." + name, name if options else "DIE", *options)
            stats = self.work / f"lost.{name}.json"
            process = self.start(ferry, "auto", "slow", rounds=rounds, options=["-perfmap", f"--stats-json={stats}"])
            runs.append((name, process, log, stats))
        wrong = None
        for name, process, log, stats in runs:
            output, made = self.finish(process), tier_lines(process.pid)
            said = log.read_text().split()
            starts, asked = said.count("start"), [int(pc, 16) for word, pc in zip(said[::2], said[1::2]) if word == "asked"]
            regions = self.report(stats)["optimised_regions"]
            if output != expected:
                wrong = wrong or f"{name}: expected {expected!r}, got {output!r}"
            elif name == "always":
                wrong = wrong or (None if 2 <= starts <= 4 and len(set(asked)) == len(asked) == starts and not regions else
                                  f"started {starts} times, asked for {asked}, got {regions} regions")
            elif starts != 2 or len(asked) != 1 or not regions or self.place(asked[0]) in made:
                wrong = wrong or f"{name}: started {starts} times, {self.place(asked[0])} was lost, got {regions} regions: {sorted(made)}"
        return wrong

    def test_fails(self):
        """What cannot be compiled is not asked for again."""
        ferry, log = self.stand_in("fails", "FAIL")
        wrong = self.same(self.run(ferry, "auto"))
        said = log.read_text().splitlines()
        asked = [line for line in said if line.startswith("asked")]
        return wrong or (None if len(asked) > 3 and max(map(asked.count, asked)) <= TRIES and len(said) == len(asked) + 1 else f"asked {said}")

    def test_out_of_memory(self):
        regions = []
        for megabytes in (64, 140, None):
            ferry, _ = self.stand_in(f"memory.{megabytes}", "DIE", f'-DREAL="{self.ferry}-compiler"', f"-DLIMIT={megabytes << 20 if megabytes else 'RLIM_INFINITY'}")
            stats = self.work / "memory.json"
            if wrong := self.same(self.finish(self.start(ferry, "auto", options=[f"--stats-json={stats}"]))):
                return f"{megabytes} MB: {wrong}"
            regions.append(self.report(stats)["optimised_regions"])
        return None if regions[0] == 0 < regions[-1] else f"regions by limit: {regions}"

    def test_no_more_memory(self):
        """From some moment on the program gets none."""
        chance, hit = random.Random(3), set()
        for _ in range(5):
            process = self.start(self.ferry, "auto")
            delay = chance.uniform(0, 0.06)
            while process.poll() is None:
                for pid in compilers_of(process.pid):
                    time.sleep(delay)
                    limit_memory(pid)
                    hit.add(pid)
                time.sleep(0.002)
            if wrong := self.same(self.finish(process)):
                return wrong
        return None if hit else "there was no compiler"

    def test_not_started(self):
        """For short programs it would not be worth it: with few blocks never, without a cache until something is hot."""
        ferry, log = self.stand_in("unneeded", "FAIL")
        tiny = self.build("tiny", "-static", "-nostdlib", source=NATIVE / "tiny.c")
        cache = ["--cache=on", f"--cache-dir={self.work / 'unneeded.cache'}"]
        for name, options, rest, starts in (("tiny", [], [tiny], False), ("tiny, kept", cache, [tiny], False),
                                            ("hot", [], [self.guest, "0"], False), ("hot, kept", cache, [self.guest, "0"], True)):
            log.unlink(missing_ok=True)
            done = subprocess.run([ferry, "run", *options, *rest], stdout=subprocess.PIPE, check=False,
                                  env={"FERRY_CACHE": "off"})  # a C library looks at each variable again and again
            started = wait_for(log.exists, 10 if starts else 0.3) or False
            if done.returncode or started != starts:
                return f"{name}: status {done.returncode}, started: {started}"
        return None

    def test_ends_in_time(self):
        """At once, as far as others leave it a processor, if there is no cache; else when what was asked for and what was hot is compiled, or after 25 seconds, by which it has written what it has."""
        for name, options, limit in (("off", [], 10), ("on", ["--cache=on", f"--cache-dir={self.work / 'ends.cache'}"], 27)):
            process = self.start(self.ferry, "auto", options=options)
            seen = wait_for(lambda: compilers_of(process.pid) or process.poll() is not None)
            if wrong := self.same(self.finish(process)):
                return wrong
            if not isinstance(seen, list) or not wait_for(lambda: not self.compilers(), limit):
                return f"cache {name}: compilers {seen}, still there after {limit} s: {self.compilers()}"
        return None

    def test_killed_under_stress(self):
        stress = self.build("stress", "-static", "-pthread", "-D_GNU_SOURCE", source=TOP / "tests/guest/stress.c")
        chance, kills = random.Random(2), 0
        for size in ("512M", "256K") * 2:
            process = subprocess.Popen([self.ferry, "run", f"--code-size={size}", stress], stdout=subprocess.PIPE, text=True)
            while process.poll() is None:
                time.sleep(chance.uniform(0, 0.05))
                for folder in self.compilers():
                    kill(int(folder.name), signal.SIGKILL)
                    kills += 1
            output = self.finish(process)
            if output != "200 children, wrong 0, rounds 1, signals 1\n":
                return f"{size}: {output!r}"
        return None if kills else "there was nothing to kill"

    def test_forks(self):
        return None if self.run(self.ferry, "auto", "fork") == self.run(self.ferry, "interp", "fork") else "other results than the interpreter's"

    def test_little_memory(self):
        """So little that translations are made anew all the time, LLVM's among them; and 1 MB."""
        storm = self.build("storm", "-static", "-pthread", source=NATIVE / "storm.c")
        stress = self.build("stress.little", "-static", "-pthread", "-D_GNU_SOURCE", source=TOP / "tests/guest/stress.c")
        stats = self.work / "little.json"
        for tier, guest, size in (("auto", storm, "128K"), ("auto", stress, "128K"), ("quick", storm, "128K"), ("quick", stress, "128K"),
                                  ("auto", stress, "1M")):
            command = ["run", f"--tier={tier}", f"--stats-json={stats}", f"--code-size={size}", guest, *["60"] * (guest == storm)]
            output = self.result([self.ferry, *command])
            right = ": 200 children, wrong 0, rounds 1, signals 1\n" if guest == stress else "result 66dadb91 994cf523, lost 0\n"
            said = self.report(stats)
            reclaimed = said["generations"] > 0 or size == "1M"
            if not output.startswith("status 0") or not output.endswith(right) or not reclaimed or (said["optimised_regions"] > 0) != (tier == "auto"):
                return f"{command}: {output!r}, {said['generations']} generations, {said['optimised_regions']} regions"
        return None


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
