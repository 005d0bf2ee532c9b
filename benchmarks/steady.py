"""The steady state: what a longer run takes more than a shorter one of the same program, as a multiple of the same natively. Starting, and the time until
the best code is there, are in both and fall out."""

import math
import statistics

import measure as one
import report
import suite

TOGETHER = ("lua", "python", "sqlite", "zstd", "xz", "sha256sum", "gcc")
MUSTS = {"core": 1.4, "nbody": 1.5, "fib": 1.5, "calls": 1.3}
MUST_TOGETHER = 2.0


def _difference(program, runner, place):
    """Seconds by the wall clock, or the run that failed."""
    walls = []
    for arguments in program.steady:
        words, environment = suite.command(program, runner, place, arguments=arguments)
        run = one.run_once(words, environment, place, program.output)
        if run["status"]:
            return run
        walls.append(run["wall"])
    return walls[1] - walls[0]


def measure(programs, runners, place, rounds, progress):
    rows = []
    for program in programs:
        row = {"name": program.name, "seconds": {runner.id: [] for runner in runners}, "failed": {}, "to_native": {}}
        for number in range(rounds):
            for runner in runners if number % 2 == 0 else reversed(runners):
                if runner.id in row["failed"]:
                    continue
                progress("%s, round %d of %d: %s" % (program.name, number + 1, rounds, runner.title))
                seconds = _difference(program, runner, place)
                if isinstance(seconds, dict):
                    row["failed"][runner.id] = seconds
                else:
                    row["seconds"][runner.id].append(seconds)
        native = row["seconds"].get("native")
        for runner in runners:
            if native and not runner.native and runner.id not in row["failed"]:
                row["to_native"][runner.id] = statistics.median(a / b for a, b in zip(row["seconds"][runner.id], native))
        rows.append(row)
    return rows


def _together(rows, runner):
    ratios = [row["to_native"].get(runner) for row in rows if row["name"] in TOGETHER]
    return math.exp(statistics.fmean(map(math.log, ratios))) if len(ratios) == len(TOGETHER) and all(r and r > 0 for r in ratios) else None


def _cell(row, runner):
    if runner.id in row["failed"]:
        return "failed"
    if runner.native or runner.id not in row["to_native"]:
        return "%.3f s" % statistics.median(row["seconds"][runner.id])
    return "%.2f" % row["to_native"][runner.id]


def musts(rows):
    for row in rows:
        if row["name"] in MUSTS:
            yield report.must("%s: time against native" % row["name"], row["to_native"].get("ferry"), MUSTS[row["name"]], "x", True)
    yield report.must("lua to gcc, geometric mean against native", _together(rows, "ferry"), MUST_TOGETHER, "x", True)


def print_report(rows, runners, rounds, write):
    write("The later part of long runs, medians of %d rounds: seconds natively, times that under the others" % rounds)
    lines = [["program"] + [runner.title for runner in runners]]
    for row in rows:
        lines.append([row["name"]] + [_cell(row, runner) for runner in runners])
    together = ["-" if runner.native or not _together(rows, runner.id) else "%.2f" % _together(rows, runner.id) for runner in runners]
    lines.append(["lua to gcc, geometric mean"] + together)
    for line in report.columns(lines):
        write(line)
    write("")
    for line in report.columns(report.must_lines(list(musts(rows)))):
        write(line)
    for row in rows:
        for runner, run in row["failed"].items():
            write("FAILED  %s under %s: %s" % (row["name"], runner, run.get("complaint", "")))
