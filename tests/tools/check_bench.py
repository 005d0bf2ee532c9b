#!/usr/bin/env python3
"""`./dev bench --cache --quick` runs through for one row: each runner gives times, each cache has what it is to have, the must is judged by what was measured."""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RUN = HERE.parent.parent / "benchmarks/run.py"
RUNNERS = ["native", "ferry", "warm", "precompiled"]
CACHES = {"warm": "cache", "precompiled": "precompiled"}


def want(condition, message):
    if not condition:
        raise AssertionError(message)


def run(arguments, *options):
    words = [sys.executable, RUN, "--cache", "--quick", f"--ferry={arguments.ferry}", f"--work={arguments.work}",
             f"--roots={arguments.work / 'roots'}", *options]
    return subprocess.run(words, capture_output=True, text=True, timeout=200)


def check_hello(arguments):
    report = arguments.work / "report-of-hello.json"
    done = run(arguments, "--only=hello", f"--runners={','.join(RUNNERS)}", f"--json={report}")
    want(done.returncode == 0, f"status {done.returncode}: {done.stdout}{done.stderr}")
    results = json.loads(report.read_text())
    row, = results["programs"]
    for runner in RUNNERS:
        times = row["times"][runner]
        want(times and len(times["all"]) == 20 and 0 < times["min"] <= times["median"], f"{runner}: {times}")
    for runner, folder in CACHES.items():
        want(any((arguments.work / folder).glob("code/*/*.db")), f"nothing was kept for {runner}")
    must, = results["musts"]
    value = (row["times"]["warm"]["median"] - row["times"]["native"]["median"]) * 1e3
    want(abs(must["value"] - value) < 1e-6 and must["met"] == (value <= must["limit"]), f"{must} for {value} ms")
    want(must["what"] in done.stdout and "hello " in done.stdout, f"no such row in: {done.stdout}")


def check_refused(arguments):
    done = run(arguments, "--only=hello,core")
    want(done.returncode == 2 and "no row of --cache is called core" in done.stderr, f"status {done.returncode}: {done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ferry", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    checks, failed = (check_hello, check_refused), 0
    for check in checks:
        try:
            check(arguments)
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            failed += 1
            print(f"FAILED {check.__name__}: {failure}")
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
