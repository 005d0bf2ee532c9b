"""What checks of Ferry as a whole have in common: programs, runs with and without a cache, and what `ferry cache` says of it."""
import json
import os
import pathlib
import shutil
import subprocess
import time

from cases import want

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
NATIVE = TOP / "tests/native"
ROOT = TOP / "build/roots/riscv64"
GCC = "riscv64-linux-gnu-gcc"
ROUNDS = "600"


def wait_for(condition, seconds=20):
    """What a condition came to, or nothing if it took too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.01)
    return None


def runs(process, program):
    """Whether a process, by its folder in /proc, is of this program and has not ended."""
    try:
        return os.readlink(process / "exe") == program and (process / "stat").read_text().split(") ")[1][0] != "Z"
    except (OSError, IndexError):
        return False


def own_programs(ferry, folder):
    """A runner and its compiler program under names of one's own, so that whose processes are counted and killed are none of other tests'."""
    folder.mkdir()
    for name in ("ferry", "ferry-compiler"):
        if (program := pathlib.Path(ferry).parent / name).exists():
            os.link(program, folder / name)
    return str(folder / "ferry")


class Runs:
    """A runner of its own, and an empty folder to work in."""

    def __init__(self, arguments):
        self.work = arguments.work
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.ferry = own_programs(arguments.ferry, self.work / "own")

    def build(self, name, *options, source=NATIVE / "hot.c"):
        """A program in the folder. The linker says of dlopen that it is not for static programs: that is heard only when it fails."""
        made = subprocess.run([GCC, "-O1", source, *options, "-o", self.work / name], capture_output=True, text=True, check=False)
        want(made.returncode == 0, made.stderr)
        return self.work / name

    def result(self, command, environment=None):
        made = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=False, env=environment)
        return f"status {made.returncode}: {made.stdout}"

    def compilers(self):
        """The compiler programs of this runner, by their folders in /proc."""
        return [folder for folder in pathlib.Path("/proc").glob("[0-9]*") if runs(folder, self.ferry + "-compiler")]

    def settle(self):
        """Until no compiler program of this runner is left: by then all is written."""
        wait_for(lambda: not self.compilers(), 30)

    # ---- what `ferry cache` says

    def files(self, cache):
        return sorted(cache.glob("code/*/*.db"))

    def cache(self, cache, *words, **options):
        return subprocess.run([self.ferry, "cache", *words, f"--cache-dir={cache}"], capture_output=True, text=True, check=False, **options)

    def stats(self, cache):
        return json.loads(self.cache(cache, "stats", "--json").stdout)

    def sound(self, cache):
        verified = self.cache(cache, "verify", "--cache-system=")
        want(verified.returncode == 0, verified.stdout + verified.stderr)


class KeptRuns(Runs):
    """Programs with hot loops, and runs of them that keep code."""

    def __init__(self, arguments):
        super().__init__(arguments)
        self.static, self.other = self.build("static", "-static"), self.build("other", "-static", "-DFACTOR=29")
        self.dynamic = self.build("dynamic", "-pie", "-fPIE")

    def command(self, cache, guest, *options):
        return [self.ferry, "run", f"--cache-dir={cache}", "-L", ROOT if ROOT.exists() else "/", *options, guest, ROUNDS]

    def expected(self, guest):
        return self.result(self.command("", guest, "--tier=interp"))

    def same(self, cache, guest, *options):
        want(self.result(self.command(cache, guest, *options)) == self.expected(guest), "other results")

    def counted(self, cache, guest, *options):
        """A run's statistics, once all that came of it is written."""
        report = self.work / "report.json"
        self.same(cache, guest, f"--stats-json={report}", *options)
        self.settle()
        return json.loads(report.read_text())

    def warm(self, name, guest):
        """A new cache with what two runs leave there."""
        cache, made = self.work / name, self.work / ("warm." + guest.name)
        for _ in range(0 if made.exists() else 2):
            self.counted(made, guest)
        shutil.copytree(made, cache)
        return cache
