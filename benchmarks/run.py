#!/usr/bin/env python3
"""The suite for whole programs: native, qemu of two Debian releases, and Ferry, side by side in one run. See docs/performance.md."""

import argparse
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True

import cache  # noqa: E402
import costs  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import steady  # noqa: E402
import suite  # noqa: E402

RUNNERS = "native,qemu12,qemu13,interp,ferry"


def parse_arguments():
    parser = argparse.ArgumentParser(description="Times the suite's programs natively, under two qemus and under Ferry.")
    parser.add_argument("--only", metavar="NAME,…", help="only these programs: " + " ".join(program.name for program in suite.SUITE) +
                        "; with --cache only these rows: " + " ".join(cache.ROWS))
    parser.add_argument("--runners", metavar="NAME,…", help="only these runners (default %s; with --cache %s)" % (RUNNERS, cache.RUNNERS))
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds to take medians of (default 5, with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="smaller inputs and one round: shows that all works, not how fast")
    parser.add_argument("--ferry", metavar="PATH", default=str(suite.TOP / "build/release/ferry"), help="the runner (default %(default)s)")
    parser.add_argument("--roots", metavar="DIR", default=str(suite.TOP / "build/roots"), help="Debian roots DIR/riscv64 and DIR/amd64")
    parser.add_argument("--work", metavar="DIR", default=str(suite.TOP / "build/bench"), help="folder for built programs and inputs")
    parser.add_argument("--steady", action="store_true", help="what a longer run takes more than a shorter one: no start, code made already")
    parser.add_argument("--costs", action="store_true", help="memory of runner and compiler program, and each tier's time for an instruction")
    parser.add_argument("--cache", action="store_true", help="warm runs: what is kept between runs, and precompiled")
    parser.add_argument("--times", action="store_true", help="of --cache, the table of times alone")
    parser.add_argument("--markdown", action="store_true", help="the tables of --cache as docs/performance.md has them")
    parser.add_argument("--json", metavar="FILE", help="also write the results to FILE as JSON")
    parser.add_argument("--check", action="store_true", help="exit status 1 when a must is missed, too")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 5)
    arguments.runners = "ferry" if arguments.costs else arguments.runners or (cache.RUNNERS if arguments.cache else RUNNERS)
    arguments.runners = arguments.runners.split(",")
    return arguments


def choose_programs(only):
    if not only:
        return suite.SUITE
    names = only.split(",")
    known = {program.name: program for program in suite.SUITE}
    for name in names:
        if name not in known:
            raise suite.Failure("no program is called %s: there are %s" % (name, " ".join(known)))
    return [known[name] for name in names]


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def run(arguments):
    place = suite.Place(pathlib.Path(arguments.work).resolve(), pathlib.Path(arguments.roots).resolve())
    rows = cache.choose_rows(arguments.only) if arguments.cache else []
    programs = cache.programs_of(rows) if arguments.cache else choose_programs(arguments.only)
    progress("preparing")
    suite.prepare(programs, place)
    runners = suite.make_runners(arguments.runners, arguments.ferry, place)
    load = os.getloadavg()[0]
    if load > 1.5:
        print("warning: the machine is busy (load average %.1f): times will be too long" % load, file=sys.stderr)
    results = {"schema": 1, "machine": suite.machine(), "load_average": load, "rounds": arguments.rounds, "quick": arguments.quick,
               "runners": [{"id": runner.id, "title": runner.title, "command": list(runner.prefix)} for runner in runners], "programs": []}
    if arguments.steady:
        results["steady"] = steady.measure([program for program in programs if program.steady], runners, place, arguments.rounds, progress)
        return results, runners
    if arguments.costs:
        results["costs"] = costs.measure(programs, runners[0], arguments.ferry, place, arguments.quick, progress)
        results["musts"] = list(costs.musts(results["costs"]))
        progress("")
        return results, runners
    if arguments.cache:
        results.update(cache.measure(rows, runners, arguments.ferry, place, arguments.rounds, arguments.quick, progress))
        progress("")
        return results, runners
    for program in programs:
        runs = measure.measure(program, runners, place, arguments.rounds, arguments.quick, progress)
        ferry = next((runner for runner in runners if runner.id in ("ferry", "interp")), None)
        instructions = measure.count_instructions(program, ferry, place, arguments.quick) if ferry else None
        results["programs"].append(report.result_of(program, runs, instructions))
    progress("")
    results["musts"] = report.musts(results["programs"]) if ferry else []
    return results, runners


def main():
    arguments = parse_arguments()
    try:
        results, runners = run(arguments)
    except suite.Failure as failure:
        progress("")
        print("bench: %s" % failure, file=sys.stderr)
        return 2
    if arguments.steady:
        steady.print_report(results["steady"], runners, arguments.rounds, print)
    elif arguments.costs:
        costs.print_report(results["costs"], results["musts"], print)
    elif arguments.cache:
        cache.print_report(results, runners, arguments, print)
    else:
        report.print_report(results, runners, print)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")
    if arguments.steady:
        return 1 if any(row["failed"] for row in results["steady"]) else 0
    broken = any(row["failed"] for row in results["costs"]) if arguments.costs else cache.broken(results) if arguments.cache else any(
        row["failed"] or row["differs"] for row in results["programs"])
    missed = any(must["met"] is not True for must in results["musts"])
    return 1 if broken or (arguments.check and missed) else 0


if __name__ == "__main__":
    sys.exit(main())
