#!/usr/bin/env python3
"""Runs ctest and counts cases, not only tests: a test program that says how many of its cases passed counts with that number.

run_ctest.py --build DIR --seconds N --result FILE --log FILE -- CTEST-OPTION...   exit status 0, or 1 if a case failed
run_ctest.py --sum DIR            adds the result files of a folder up and prints "N passed, N failed, N skipped"
"""
import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

PLAIN = re.compile(r"^\s*(\d+) passed, (\d+) failed, (\d+) skipped\s*$", re.M)
CMOCKA = {"passed": re.compile(r"^\[  PASSED  \] (\d+) test", re.M), "failed": re.compile(r"^\[  FAILED  \] (\d+) test", re.M),
          "skipped": re.compile(r"^\[  SKIPPED \] (\d+) test", re.M)}


def cases(status, why, output):
    """Counts of one ctest test: its own summary line, cmocka's, or the test itself as one case."""
    if status == "notrun" and "SKIP" not in why:
        status = "fail"  # there was nothing to run
    plain = PLAIN.findall(output)
    if plain:
        count = dict(zip(("passed", "failed", "skipped"), map(int, plain[-1])))
    elif CMOCKA["passed"].search(output):
        count = {key: sum(map(int, pattern.findall(output))) for key, pattern in CMOCKA.items()}
    else:
        count = {"passed": 0, "failed": 0, "skipped": 0}
    if status == "run" and not any(count.values()):
        count["passed"] = 1
    if status == "fail" and not count["failed"]:
        count["failed"] = 1
    if status not in ("run", "fail"):
        count = {"passed": 0, "failed": 0, "skipped": 1}
    return count


def listed(build, options):
    """How many tests ctest would run."""
    told = subprocess.run(["ctest", "--test-dir", build, "-N"] + options, capture_output=True, text=True, check=False).stdout
    total = re.search(r"^Total Tests: (\d+)", told, re.M)
    return int(total.group(1)) if total else 0


def run(arguments):
    os.environ["XDG_CACHE_HOME"] = os.path.abspath(os.path.join(arguments.build, "cache-home"))  # for tests that do not say where
    junit = os.path.abspath(arguments.result) + ".xml"
    if os.path.exists(junit):
        os.remove(junit)
    stop = datetime.datetime.now() + datetime.timedelta(seconds=arguments.seconds)
    command = ["ctest", "--test-dir", arguments.build, "--output-junit", junit, "--test-output-size-passed", "4000000",
               "--test-output-size-failed", "4000000", "--stop-time", stop.strftime("%H:%M:%S"), "--timeout",
               str(arguments.seconds), "--output-on-failure", "--no-tests=ignore"] + arguments.options
    with open(arguments.log, "w") as log:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    total = {"passed": 0, "failed": 0, "skipped": 0}
    if not os.path.exists(junit):
        print(f"ctest itself failed in {arguments.build}; see {arguments.log}", file=sys.stderr)
        return 2
    with open(arguments.log, errors="replace") as log:
        text = log.read()
    # Tests that were under way when time was up; ctest calls these timeouts too.
    interrupted = set(re.findall(r"Test +#\d+: (\S+) \.*\*\*\*Timeout", text)) if "The stop time has been passed" in text else set()
    tests = list(xml.parse(junit).getroot().iter("testcase"))
    cut = listed(arguments.build, arguments.options) - len(tests)
    for case in tests:
        output = case.findtext("system-out") or ""
        why = next((part.get("message") or "" for part in case if part.tag in ("failure", "skipped")), "")
        if case.get("name") in interrupted:
            cut += 1
            continue
        count = cases(case.get("status"), why, output)
        for key in total:
            total[key] += count[key]
        if count["failed"]:
            print(f"FAILED: {case.get('name')}: {count['failed']} of {sum(count.values())}", file=sys.stderr)
            print("\n".join("    " + line for line in output.splitlines()[-25:]), file=sys.stderr)
    if cut > 0:
        print(f"skipped {cut} tests of {arguments.build}: {arguments.seconds} s were over", file=sys.stderr)
        total["skipped"] += cut
    with open(arguments.result, "w") as file:
        json.dump(total, file)
    return 1 if total["failed"] else 0


def add_up(folder):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".json"):
            with open(os.path.join(folder, name)) as file:
                count = json.load(file)
            for key in total:
                total[key] += count[key]
            if count["failed"] or not name.startswith(("build-", "rooms", "fuzz_")):
                print(f"{name[:-5]}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped", file=sys.stderr)
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--result")
    parser.add_argument("--log", default=os.devnull)
    parser.add_argument("--sum")
    parser.add_argument("options", nargs="*")
    arguments = parser.parse_args()
    sys.exit(add_up(arguments.sum) if arguments.sum else run(arguments))


main()
