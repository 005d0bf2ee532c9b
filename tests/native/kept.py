"""What checks of the cache have in common: programs, runs with a cache, and what `ferry cache` says of it."""
import json
import os
import pathlib
import shutil
import subprocess
import time

from cases import want

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent / "build/roots/riscv64"
ROUNDS = "600"


class Runs:
    def __init__(self, arguments):
        self.ferry, self.work = os.path.abspath(arguments.ferry), arguments.work.resolve()
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.static, self.other, self.dynamic = self.work / "static", self.work / "other", self.work / "dynamic"
        self.build(self.static, "-static")
        self.build(self.other, "-static", "-DFACTOR=29")
        self.build(self.dynamic, "-pie", "-fPIE")
        self.times = arguments.times

    def build(self, target, *options, source="hot.c"):
        subprocess.run(["riscv64-linux-gnu-gcc", "-O1", *options, "-o", target, HERE / source], check=True)

    # ---- runs

    def command(self, cache, guest, *options):
        return [self.ferry, "run", f"--cache-dir={cache}", "-L", ROOT if ROOT.exists() else "/", *options, guest, ROUNDS]

    def result(self, command, environment=None):
        made = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=False, env=environment)
        return f"status {made.returncode}: {made.stdout}"

    def expected(self, guest):
        return self.result(self.command("", guest, "--tier=interp"))

    def settle(self):
        """Until no compiler program of this runner is left: by then all is written."""
        program, deadline = self.ferry + "-compiler", time.monotonic() + 30
        while time.monotonic() < deadline and any(self.runs(folder, program) for folder in pathlib.Path("/proc").glob("[0-9]*")):
            time.sleep(0.02)

    def runs(self, folder, program):
        try:
            return os.readlink(folder / "exe") == program and (folder / "stat").read_text().split(") ")[1][0] != "Z"
        except (OSError, IndexError):
            return False

    def counted(self, cache, guest, *options):
        """A run's statistics, once all that came of it is written."""
        report = self.work / "report.json"
        want(self.result(self.command(cache, guest, f"--stats-json={report}", *options)) == self.expected(guest), "other results")
        self.settle()
        return json.loads(report.read_text())

    def warm(self, name, guest):
        """A new cache with what two runs leave there."""
        cache, made = self.work / name, self.work / ("warm." + guest.name)
        for _ in range(0 if made.exists() else 2):
            self.counted(made, guest)
        shutil.copytree(made, cache)
        return cache

    def files(self, cache):
        return sorted(cache.glob("code/*/*.db"))

    def same(self, cache, guest, *options):
        want(self.result(self.command(cache, guest, *options)) == self.expected(guest), "other results")

    # ---- what `ferry cache` says

    def cache(self, cache, *words, **options):
        return subprocess.run([self.ferry, "cache", *words, f"--cache-dir={cache}"], capture_output=True, text=True, check=False, **options)

    def stats(self, cache):
        return json.loads(self.cache(cache, "stats", "--json").stdout)

    def sound(self, cache):
        verified = self.cache(cache, "verify")
        want(verified.returncode == 0, verified.stdout + verified.stderr)
