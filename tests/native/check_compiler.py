#!/usr/bin/env python3
"""The compiler program beside a guest: it is not to be seen from inside, ends with the guest, and whatever becomes of it or whatever it says, the
guest's results are right."""
import os
import pathlib
import random
import re
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


class Tests(Runs):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.guest = self.build("hot", "-static")
        self.expected = self.run(self.ferry, "interp")

    def start(self, ferry, tier, *words, rounds=ROUNDS):
        return subprocess.Popen([ferry, "run", f"--tier={tier}", str(self.guest), rounds, *words], stdout=subprocess.PIPE, text=True)

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

    def test_forks(self):
        return None if self.run(self.ferry, "auto", "fork") == self.run(self.ferry, "interp", "fork") else "other results than the interpreter's"

    def test_little_memory(self):
        return self.same(self.finish(subprocess.Popen([self.ferry, "run", "--code-size=1M", str(self.guest), ROUNDS], stdout=subprocess.PIPE, text=True)))


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
