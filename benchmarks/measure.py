"""Runs commands and collects what they took. Runners alternate round by round, so that what disturbs the machine disturbs all of them."""

import hashlib
import json
import os
import statistics
import subprocess

import suite

LIMIT_SECONDS = 600


def read_link(path):
    """What a link in /proc leads to; nothing where that is not to be seen, or no more."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _environment(extra):
    kept = {name: os.environ[name] for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR") if name in os.environ}
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", **kept, **extra}


def run_once(words, extra_environment, place, output=""):
    """One run: {"wall", "user", "system", "peak_kb", "status", "late", "digest"}; the digest is of stdout and the output file."""
    report, stdout, stderr = place.work / "report.json", place.work / "stdout", place.work / "stderr"
    report.unlink(missing_ok=True)
    if output:
        (place.work / output).unlink(missing_ok=True)
    with open(stdout, "wb") as out, open(stderr, "wb") as err:
        subprocess.run([place.work / "timer", report, str(LIMIT_SECONDS), *words], check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                       cwd=place.work, env=_environment(extra_environment))
    result = json.loads(report.read_text())
    digest = hashlib.sha256(stdout.read_bytes())
    if output and (place.work / output).exists():
        digest.update((place.work / output).read_bytes())
    result["digest"] = digest.hexdigest()
    if result["status"]:
        result["complaint"] = stderr.read_text(errors="replace").strip()[-300:]
    return result


def measure(program, runners, place, rounds, quick, progress, settle=lambda: None):
    """All runs of one program: {runner id: [run, …]}. A runner that fails once is not run again. `settle` waits before each run until the ones before it
    have left nothing that works on."""
    runs = {runner.id: [] for runner in runners}
    if program.startup:
        rounds = max(rounds * 20, 20)
    for number in range(rounds):
        # Every other round backwards: nobody always runs after the same neighbour.
        for runner in runners if number % 2 == 0 else reversed(runners):
            if runs[runner.id] and runs[runner.id][-1]["status"]:
                continue
            progress("%s, round %d of %d: %s" % (program.name, number + 1, rounds, runner.title))
            words, environment = suite.command(program, runner, place, quick)
            settle()
            runs[runner.id].append(run_once(words, environment, place, program.output))
    return runs


def count(program, runner, place, quick):
    """What --stats-json says of one run under Ferry, a run of its own since counting costs. None where it says nothing."""
    report = place.work / "stats.json"
    report.unlink(missing_ok=True)
    words, environment = suite.command(program, runner, place, quick, extra=("--stats-json", str(report)))
    run = run_once(words, environment, place, program.output)
    if run["status"] or not report.exists():
        return None
    return json.loads(report.read_text())


def count_instructions(program, runner, place, quick):
    """Guest instructions of one run under Ferry, or None."""
    stats = count(program, runner, place, quick)
    return stats and stats["instructions"]


def seconds(runs):
    """Median and minimum of the wall-clock times and the least processor time, or None where a run failed."""
    if not runs or any(run["status"] for run in runs):
        return None
    walls = [run["wall"] for run in runs]
    return {"median": statistics.median(walls), "min": min(walls), "all": walls, "user": statistics.median(run["user"] for run in runs),
            "system": statistics.median(run["system"] for run in runs), "cpu": min(run["user"] + run["system"] for run in runs), "peak_mb": max(run["peak_kb"] for run in runs) / 1024}


def ratio(above, below):
    """Median of the ratios round by round: steadier than a ratio of medians where the machine's speed drifts."""
    return statistics.median(a / b for a, b in zip(above["all"], below["all"]))


def differing(program, runs):
    """Runners whose output is not what the first of their kind gave."""
    expected, wrong = {}, []
    for runner, list_of_runs in runs.items():
        kind = "all" if program.same_everywhere else "native" if runner == "native" else "guest"
        for run in list_of_runs:
            if run["status"] == 0 and expected.setdefault(kind, run["digest"]) != run["digest"] and runner not in wrong:
                wrong.append(runner)
    return wrong
