#!/usr/bin/env python3
"""`./dev bench --cache --quick` runs through for one row: each runner gives times, each cache has what it is to have, the must is judged by what was measured; the table
of `./dev demo` has its columns, or there is none and a message.
"""
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

import cases  # noqa: E402
from cases import want  # noqa: E402
from runs import TOP, Runs  # noqa: E402

RUN = TOP / "benchmarks/run.py"
RUNNERS = ["native", "ferry", "cold", "warm", "precompiled", "trained"]
CACHES = {"warm": "cache", "precompiled": "precompiled", "trained": "trained"}
DEMO = "native,qemu,cold,warm,precompiled"


class Tests(Runs):
    def run(self, *options, **more):
        words = [sys.executable, RUN, "--cache", "--quick", f"--ferry={self.ferry}", f"--work={self.work}", f"--roots={self.work / 'roots'}", *options]
        return subprocess.run(words, capture_output=True, text=True, timeout=200, check=False, **more)

    def test_hello(self):
        report = self.work / "report-of-hello.json"
        done = self.run("--only=hello", f"--runners={','.join(RUNNERS)}", f"--json={report}")
        want(done.returncode == 0, f"status {done.returncode}: {done.stdout}{done.stderr}")
        results = json.loads(report.read_text())
        row, = results["programs"]
        for runner in RUNNERS:
            times = row["times"][runner]
            want(times and len(times["all"]) == 20 and 0 < times["min"] <= times["median"], f"{runner}: {times}")
        for runner, folder in CACHES.items():
            want(any((self.work / folder).glob("code/*/*.db")), f"nothing was kept for {runner}")
        must, = results["musts"]
        value = (row["times"]["warm"]["median"] - row["times"]["native"]["median"]) * 1e3
        want(abs(must["value"] - value) < 1e-6 and must["met"] == (value <= must["limit"]), f"{must} for {value} ms")
        want(must["what"] in done.stdout and "hello " in done.stdout, f"no such row in: {done.stdout}")

    def test_cold(self):
        done = self.run("--only=hello", "--runners=cold")
        want(done.returncode == 0, f"status {done.returncode}: {done.stdout}{done.stderr}")
        self.settle()
        want(any((self.work / "cold").glob("code/*/*.db")), "a cold run kept nothing")

    def demo(self, **more):
        want(f"--runners={DEMO} " in (TOP / "dev").read_text(), "./dev demo has other columns")
        return self.run("--times", "--only=hello", "--rounds=1", f"--runners={DEMO}", **more)

    def test_demo(self):
        done = self.demo()
        want(done.returncode == 0, f"status {done.returncode}: {done.stdout}{done.stderr}")
        head, row = (line for line in done.stdout.splitlines() if line.startswith(("program ", "hello ")))
        for column in ("  native  ", "  qemu ", "  ferry, cold  ", "  ferry, warm  ", "  ferry, precompiled  "):
            want(column in head, f"no {column} in: {head}")
        want(row.count(" ms") == len(DEMO.split(",")), f"not all of its times: {row}")

    def test_demo_without_a_qemu(self):
        without = self.work / "path"
        without.mkdir()
        for name in ("gcc", "as", "ld", "riscv64-linux-gnu-gcc", "riscv64-linux-gnu-as", "riscv64-linux-gnu-ld"):
            (without / name).symlink_to(shutil.which(name))
        done = self.demo(env={**os.environ, "PATH": str(without)})
        want(done.returncode == 2 and "qemu-riscv64 is not installed" in done.stderr, f"status {done.returncode}: {done.stdout}{done.stderr}")

    def test_costs(self):
        report = self.work / "report-of-costs.json"
        words = [sys.executable, RUN, "--costs", "--quick", "--only=core", f"--ferry={self.ferry}", f"--work={self.work}", f"--json={report}"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
        want(done.returncode == 0, f"status {done.returncode}: {done.stdout}{done.stderr}")
        row, = json.loads(report.read_text())["costs"]
        want(row["runner_mb"] > 1 and row["compiler_mb"] > 10 and row["regions"] > 0, f"{row}")
        want(all(instructions > 100 and seconds > 0 for instructions, seconds in row["made"].values()), f"{row}")
        want(row["made"]["quick"][0] <= row["made"]["cells"][0] * 3, f"more instructions in native code than there are: {row}")
        want("LLVM's tier: the same" in done.stdout and "core " in done.stdout, f"no such row in: {done.stdout}")

    def test_refused(self):
        done = self.run("--only=hello,core")
        want(done.returncode == 2 and "no row of --cache is called core" in done.stderr, f"status {done.returncode}: {done.stderr}")


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
