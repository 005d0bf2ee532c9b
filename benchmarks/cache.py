"""Warm runs, `run.py --cache`: what is kept between runs against Ferry without it, qemu and native, in turns within one session.

Caches are made anew each time. The cold one is empty before each run, which fills it; the warm one knows what two runs of the program left; the precompiled one what
`ferry precompile` made, the trained one what it made after a run of the program, and both are only read. Nothing is measured while a compiler program of an earlier
run still works.
"""

import dataclasses
import json
import math
import pathlib
import shutil
import statistics
import time

import measure as one
import report
import suite

WARMING = 2  # runs before those that count
SETTLE_SECONDS = 600  # on a busy machine, since compiler programs are nice
RUNNERS = "native,qemu12,qemu13,ferry,warm,precompiled"
OURS = ("--cache-system=",)  # no other cache than the one that is measured

_SUITE = {program.name: program for program in suite.SUITE}
PROGRAMS = {
    "hello": _SUITE["hello"],
    "true": _SUITE["true"],
    "import": suite.Program("import", path="usr/bin/python3", arguments=("-S", "-B", "-c", "import json,re,sqlite3")),
    "cc1": dataclasses.replace(_SUITE["gcc"], name="cc1", arguments=_SUITE["gcc"].quick),
    "driver": suite.Program("driver", script="driver.sh", arguments=("small.c",), output="driver.o", same_everywhere=False),
    "processes": suite.Program("processes", script="processes.sh", arguments=("300",), quick=("40",)),
}
WHOLE = tuple(program for program in suite.SUITE if not program.startup)
KEPT = (PROGRAMS["import"], PROGRAMS["cc1"], _SUITE["sqlite"])
TRAINED = (PROGRAMS["import"], PROGRAMS["cc1"])
ROWS = (*PROGRAMS, "suite", "trained", "kept", "precompile")
ONLY_SHOWN = ("inlined",)  # fib's source once more, at -O2: no figure is wanted of it

# What `ferry precompile` is to be told beside a program's own file.
NAMED = {"import": ("usr/lib/python3*/lib-dynload/_sqlite3.*.so",), "driver": ("usr/bin/gcc", "{gcc}/cc1", "usr/bin/as"),
         "processes": tuple("usr/bin/" + name for name in ("sh", "sed", "grep", "cut"))}
MEASURED_AHEAD = ("usr/lib/riscv64-linux-gnu/libc.so.6", "usr/bin/python3")

# Row, what the figure is of, against what, limit: of warm runs.
MUSTS = (
    ("hello", "static hello: time above native", "above", 2),
    ("true", "dynamic true: time above native", "above", 4),
    ("import", "python import: time against the faster qemu", "qemu", 0.5),
    ("cc1", "cc1, small file: time against the faster qemu", "qemu", 0.4),
    ("cc1", "cc1, small file: time against native", "native", 4),
    ("processes", "short processes: time against the faster qemu", "qemu", 0.5),
)
MUST_SUITE = 2.0
MUST_KEPT = 98
MUST_PRECOMPILE_SECONDS, MUST_BUNDLE_OF_TEXT = 120, 4


def choose_rows(only):
    rows = only.split(",") if only else list(ROWS)
    for row in rows:
        if row not in ROWS:
            raise suite.Failure("no row of --cache is called %s: there are %s" % (row, " ".join(ROWS)))
    return rows


def programs_of(rows):
    """All programs that are run for some rows, for suite.prepare."""
    chosen = [PROGRAMS[row] for row in rows if row in PROGRAMS]
    chosen += (WHOLE if "suite" in rows else ()) + (TRAINED if "trained" in rows else ())
    return chosen + list(KEPT if "kept" in rows or "precompile" in rows else ())


# ---- caches


class Caches:
    """What makes, fills and watches the caches of a session."""

    def __init__(self, ferry, place, progress):
        self.ferry, self.place, self.progress = str(pathlib.Path(ferry).resolve()), place, progress
        for name in ("cold", "cache", "precompiled", "trained", "counted"):
            shutil.rmtree(place.work / name, ignore_errors=True)

    def _works(self, process):
        """Whether a process is a compiler program of one of our runs: one that has a cache of ours open, or no file yet."""
        try:
            if one.read_link(process / "exe") != self.ferry + "-compiler":
                return False
            descriptors = list((process / "fd").iterdir())
        except OSError:
            return False
        files = [one.read_link(descriptor) for descriptor in descriptors]
        files = [file for file in files if file.startswith("/") and not file.startswith("/memfd:")]
        return not files or any(file.startswith(str(self.place.work)) for file in files)

    def settle(self):
        """Waits until all that runs are to leave is written."""
        end = time.monotonic() + SETTLE_SECONDS
        while any(self._works(process) for process in pathlib.Path("/proc").glob("[0-9]*")):
            if time.monotonic() > end:
                raise suite.Failure("a ferry-compiler still works after %d s: does another program run under %s?" % (SETTLE_SECONDS, self.ferry))
            time.sleep(0.02)

    def make_ready(self):
        """Before each run that counts: what earlier ones leave is written, and nothing of it is in the cold cache."""
        self.settle()
        shutil.rmtree(self.place.work / "cold", ignore_errors=True)

    def _fill(self, program, runner, quick, count):
        for number in range(count):
            self.progress("%s: filling a cache, run %d of %d" % (program.name, number + 1, count))
            words, environment = suite.command(program, runner, self.place, quick)
            one.run_once(words, environment, self.place, program.output)
            self.settle()

    def prepare(self, program, runner, quick):
        """The cache of a runner as it is to be before the first run that counts."""
        if runner.id == "warm":
            self._fill(program, runner, quick, WARMING)
        elif runner.id == "precompiled":
            self._precompile_program(program, "precompiled")
        elif runner.id == "trained":
            self._fill(program, self.runner_with("trained"), quick, 1)
            self._precompile_program(program, "trained")

    def runner_with(self, folder):
        """Ferry with one of these caches, to which it adds."""
        return suite.Runner(folder, folder, (self.ferry, "run", "--cache-dir=%s" % (self.place.work / folder), *OURS), ("-L", "{root}"))

    def _files(self, program):
        if program.source:
            return [suite.binary(program, self.place, native=False)]
        paths = ([program.path] if program.path else []) + list(NAMED.get(program.name, ()))
        return [suite.find_path(path, self.place.root(native=False)) for path in paths]

    def precompile(self, files, *options):
        """The run, as measure.run_once gives it, with the events that it printed."""
        root = self.place.root(native=False)  # static programs do without
        with_root = ("-L", str(root)) if root.exists() else ()
        words = (self.ferry, "precompile", "--json", *OURS, *options, *with_root, *map(str, files))
        run = one.run_once(words, {}, self.place)
        if run["status"]:
            raise suite.Failure("ferry precompile failed: %s" % run.get("complaint"))
        return run, [json.loads(line) for line in (self.place.work / "stdout").read_text().splitlines()]

    def _precompile_program(self, program, folder):
        self.progress("%s: precompiling" % program.name)
        self.precompile(self._files(program), "--cache-dir=%s" % (self.place.work / folder))


# ---- measuring


def _measure_program(program, runners, caches, rounds, quick):
    for runner in runners:
        caches.prepare(program, runner, quick)
    runs = one.measure(program, runners, caches.place, rounds, quick, caches.progress, caches.make_ready)
    return report.result_of(program, runs, None)


def _kept_share(program, caches, quick):
    """Of the second and the third of runs that count what they execute: code that counts is another kind, so the cache is their own."""
    runner, runs = caches.runner_with("counted"), []
    for number in range(WARMING + 1):
        caches.progress("%s: counting, run %d of %d" % (program.name, number + 1, WARMING + 1))
        runs.append(one.count(program, runner, caches.place, quick))
        caches.settle()
    if not all(runs):
        return {"name": program.name, "share": None}
    shares = [100 * (stats["kept_quick_instructions"] + stats["kept_llvm_instructions"]) / stats["instructions"] for stats in runs]
    return {"name": program.name, "share": shares[1], "third": shares[2], "stats": runs[1]}


def _measure_precompile(caches):
    root, work = caches.place.root(native=False), caches.place.work
    files = [suite.find_path(path, root) for path in MEASURED_AHEAD]
    for folder in (work / "ahead", *work.glob("ahead.bundle.*")):
        shutil.rmtree(folder, ignore_errors=True)
    caches.progress("precompiling %s" % " ".join(file.name for file in files))
    run, events = caches.precompile(files, "--cache-dir=%s" % (work / "ahead"))
    (work / "ahead.bundle").unlink(missing_ok=True)
    bundle_run, _ = caches.precompile(files, "--nice=0", "-o", str(work / "ahead.bundle"))  # only its size is judged
    text = next(event["code_bytes"] for event in events if event["event"] == "files")
    return {"files": events[-1]["done"], "seconds": run["wall"], "cpu_seconds": run["user"] + run["system"], "text_bytes": text,
            "bundle_seconds": bundle_run["wall"], "bundle_bytes": (work / "ahead.bundle").stat().st_size}


def measure(rows, runners, ferry, place, rounds, quick, progress):
    """All that the rows ask for: {"programs": report's rows, "suite": the same, "trained": the same, "kept": …, "precompile": …, "musts": …}."""
    caches = Caches(ferry, place, progress)
    results = {"programs": [], "suite": [], "trained": [], "kept": [], "precompile": None}
    for row in rows:
        if row in PROGRAMS:
            results["programs"].append(_measure_program(PROGRAMS[row], runners, caches, rounds, quick))
        elif row == "suite":
            results["suite"] = [_measure_program(program, runners, caches, rounds, quick) for program in WHOLE]
        elif row == "trained":
            both = suite.make_runners(("precompiled", "trained"), ferry, place)
            results["trained"] = [_measure_program(program, both, caches, rounds, quick) for program in TRAINED]
        elif row == "kept":
            results["kept"] = [_kept_share(program, caches, quick) for program in KEPT]
        else:
            results["precompile"] = _measure_precompile(caches)
    results["musts"] = list(_musts(rows, results))
    return results


# ---- musts


def _against(times, runner, others):
    """(by the clock, by processor time) what a runner takes, as a multiple of the fastest of some others; None where one was not measured."""
    measured = [times[other] for other in others if times.get(other)]
    if not times.get(runner) or not measured:
        return None, None
    return max(one.ratio(times[runner], time) for time in measured), max(times[runner]["cpu"] / time["cpu"] for time in measured)


def _above(times, runner, other):
    """The same in ms above another."""
    if not times.get(runner) or not times.get(other):
        return None, None
    return tuple((times[runner][kind] - times[other][kind]) * 1e3 for kind in ("median", "cpu"))


def _together(rows, runner):
    """Geometric means of multiples of native time."""
    ratios = [_against(row["times"], runner, ["native"]) for row in rows]
    if not ratios or any(clock is None for clock, _ in ratios):
        return None, None
    return tuple(math.exp(statistics.fmean(math.log(ratio[kind]) for ratio in ratios)) for kind in (0, 1))


def _suite_parts(rows):
    """What means of the suite are taken of: a name, and rows."""
    yield "all programs", rows
    yield "without " + " ".join(ONLY_SHOWN), [row for row in rows if row["name"] not in ONLY_SHOWN]


def _qemus(times):
    return [runner for runner in times if runner.startswith("qemu")]


def _program_musts(row):
    for name, what, other, limit in MUSTS:
        if name != row["name"]:
            continue
        times = row["times"]
        if other == "above":
            value, cpu = _above(times, "warm", "native")
        else:
            value, cpu = _against(times, "warm", _qemus(times) if other == "qemu" else ["native"])
        yield report.must(what, value, limit, "ms" if other == "above" else "x", True, cpu)


def _musts(rows, results):
    for row in results["programs"]:
        yield from _program_musts(row)
    if "suite" in rows:
        for name, part in _suite_parts(results["suite"]):
            value, cpu = _together(part, "warm")
            yield report.must("suite warm, geometric mean against native: %s" % name, value, MUST_SUITE, "x", True, cpu)
    for row in results["kept"]:
        yield report.must("%s: instructions in kept code" % row["name"], row["share"], MUST_KEPT, "%", False)
    ahead = results["precompile"]
    if ahead:
        yield report.must("precompile libc.so.6 and python3", ahead["seconds"], MUST_PRECOMPILE_SECONDS, "s", True, ahead["cpu_seconds"])
        yield report.must("bundle's size against code", ahead["bundle_bytes"] / ahead["text_bytes"], MUST_BUNDLE_OF_TEXT, "x", True)


# ---- printing


def _cell(row, runner, kind):
    time = row["times"].get(runner)
    if not time:
        return "failed" if runner in row["failed"] else "-"
    mark = " !" if runner in row["differs"] else ""
    return ("%.2f ms" % (time[kind] * 1e3) if time[kind] < 0.1 else "%.3f s" % time[kind]) + mark


def _table(results, runners, wanted, kind):
    """One line a program; columns as they were asked for."""
    titles = {runner.id: runner.title for runner in runners}
    which = ("median", "cpu").index(kind)
    lines = [["program"] + [titles.get(name, name) for name in wanted] + ["warm / native", "warm / qemu"]]
    for row in results["programs"] + results["suite"]:
        times = row["times"]
        ratios = [_against(times, "warm", others)[which] for others in (["native"], _qemus(times))]
        lines.append([row["name"]] + [_cell(row, name, kind) for name in wanted] + [report.number(ratio, "%.2fx") for ratio in ratios])
    for name, part in _suite_parts(results["suite"]) if results["suite"] else ():
        means = [_together(part, runner)[which] for runner in (*wanted, "warm")]
        lines.append(["geometric mean / native: " + name] + [report.number(mean, "%.2fx") for mean in means] + [""])
    return lines


def _gain(row, kind):
    """What two runners take, and how many times as long the first takes."""
    without, trained = (row["times"][name] for name in ("precompiled", "trained"))
    gain = without[kind] / trained[kind] if without and trained else None
    return [_cell(row, "precompiled", kind), _cell(row, "trained", kind), report.number(gain, "%.2fx")]


def _trained_lines(rows):
    head = ["without a profile", "after a training run", "gain"]
    yield ["precompiled"] + head + ["processor time: " + head[0], *head[1:]]
    for row in rows:
        yield [row["name"]] + _gain(row, "median") + _gain(row, "cpu")


def _kept_lines(rows):
    lines = [["second run", "guest Minstr", "quick tier's, kept", "LLVM's, kept", "regions made", "in kept code", "third run"]]
    for row in rows:
        stats = row.get("stats")
        lines.append([row["name"]] + (["%.0f" % (stats["instructions"] / 1e6), "%.1f" % (stats["kept_quick_instructions"] / 1e6),
                                      "%.1f" % (stats["kept_llvm_instructions"] / 1e6), "%d" % stats["optimised_regions"],
                                      "%.1f %%" % row["share"], "%.1f %%" % row["third"]]
                                     if stats else ["-"] * 6))
    return lines


def _markdown(lines):
    for line in (lines[0], ["---"] * len(lines[0]), *lines[1:]):
        yield "| %s |" % " | ".join(line)


def _print_table(title, lines, arguments, write):
    if title:
        write(title + ("\n" if arguments.markdown else ""))
    for line in (_markdown if arguments.markdown else report.columns)(lines):
        write(line)
    write("")


def _print_times(results, runners, arguments, write, kind):
    rounds = arguments.rounds
    startups = " (start-ups: of %d)" % max(rounds * 20, 20) if any(row["startup"] for row in results["programs"]) else ""
    title = {"median": "Medians of %d rounds%s" % (rounds, startups), "cpu": "Least processor time of the same runs"}[kind]
    _print_table(title, _table(results, runners, arguments.runners, kind), arguments, write)


def print_report(results, runners, arguments, write):
    timed = results["programs"] or results["suite"]
    if timed:
        _print_times(results, runners, arguments, write, "median")
    if not arguments.times:
        if timed:
            _print_times(results, runners, arguments, write, "cpu")
        _print_rest(results, arguments, write)
    for line in report.complaints(_all_rows(results)):
        write(line)


def _print_rest(results, arguments, write):
    if results["trained"]:
        _print_table("", list(_trained_lines(results["trained"])), arguments, write)
    if results["kept"]:
        _print_table("", _kept_lines(results["kept"]), arguments, write)
    ahead = results["precompile"]
    if ahead:
        write("Precompiled %d files with %.1f MB of code in %.1f s; in a bundle of %.1f MB in %.1f s" % (
            ahead["files"], ahead["text_bytes"] / 1e6, ahead["seconds"], ahead["bundle_bytes"] / 1e6, ahead["bundle_seconds"]))
        write("")
    if results["musts"]:
        _print_table("", report.must_lines(results["musts"]), arguments, write)


def _all_rows(results):
    return results["programs"] + results["suite"] + results["trained"]


def broken(results):
    return any(row["failed"] or row["differs"] for row in _all_rows(results))
