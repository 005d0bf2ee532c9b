"""Turns measurements into the results as JSON, the table, and the list of what must be reached."""

import measure

MUST_MIPS = {"core": 400, "sqlite": 400}
MUST_INTERPRETER_OF_QEMU = 0.25
MUST_OF_QEMU = 2
MUST_HELLO_MS, MUST_HELLO_MB = 2.5, 6
MUST_TRUE_OF_QEMU = 0.5


def result_of(program, runs, instructions):
    """One program's row."""
    times = {runner: measure.seconds(list_of_runs) for runner, list_of_runs in runs.items()}
    row = {"name": program.name, "startup": program.startup, "times": times, "differs": measure.differing(program, runs),
           "failed": {runner: list_of_runs[-1] for runner, list_of_runs in runs.items() if list_of_runs and list_of_runs[-1]["status"]},
           "instructions": instructions, "to_native": {}, "qemu_to_ferry": {}, "qemu_to_interp": {}}
    for runner, time in times.items():
        if time and runner != "native" and times.get("native"):
            row["to_native"][runner] = measure.ratio(time, times["native"])
        for ours in ("ferry", "interp"):
            if time and runner.startswith("qemu") and times.get(ours):
                row["qemu_to_" + ours][runner] = measure.ratio(time, times[ours])
    interp = times.get("interp")
    row["mips"] = instructions / interp["median"] / 1e6 if instructions and interp else None
    return row


# ---- musts


def must(what, value, limit, unit, at_most, cpu=None):
    """`cpu` is the same by processor time, which others on the machine disturb less."""
    met = None if value is None else value <= limit if at_most else value >= limit
    return {"what": what, "value": value, "limit": limit, "unit": unit, "at_most": at_most, "met": met, "cpu": cpu}


def _least(values):
    return min(values) if values else None


def _program_musts(row):
    if row["name"] in MUST_MIPS:
        yield must("%s: speed of the interpreter" % row["name"], row["mips"], MUST_MIPS[row["name"]], "MIPS", False)
    yield must("%s: interpreter against the faster qemu" % row["name"], _least(row["qemu_to_interp"].values()), MUST_INTERPRETER_OF_QEMU, "x", False)
    yield must("%s: whole run against the faster qemu" % row["name"], _least(row["qemu_to_ferry"].values()), MUST_OF_QEMU, "x", False)


def _startup_musts(row):
    ferry, native = row["times"].get("ferry"), row["times"].get("native")
    if row["name"] == "hello":
        extra = (ferry["median"] - native["median"]) * 1e3 if ferry and native else None
        yield must("static hello: time above native", extra, MUST_HELLO_MS, "ms", True)
        yield must("static hello: memory", ferry["peak_mb"] if ferry else None, MUST_HELLO_MB, "MB", True)
    else:
        least = _least(row["qemu_to_ferry"].values())
        yield must("dynamic true: time against the faster qemu", 1 / least if least else None, MUST_TRUE_OF_QEMU, "x", True)


def musts(rows):
    return [must for row in rows for must in (_startup_musts if row["startup"] else _program_musts)(row)]


# ---- printing


def columns(lines):
    """Aligned columns, the first to the left and the others to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        yield ("  ".join([line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])])).rstrip()


def _cell(row, runner):
    time = row["times"].get(runner)
    if not time:
        return "failed" if runner in row["failed"] else "-"
    mark = " !" if runner in row["differs"] else ""
    if row["startup"]:
        return "%.2f ms%s" % (time["median"] * 1e3, mark)
    if runner == "native" or runner not in row["to_native"]:
        return "%.3f s%s" % (time["median"], mark)
    return "%.2f s %5.1fx%s" % (time["median"], row["to_native"][runner], mark)


def number(value, form):
    return "-" if value is None else form % value


def _peak(row, runner):
    time = row["times"].get(runner)
    return number(time and time["peak_mb"], "%.1f")


def _table(rows, runners, with_speed):
    ids = [runner.id for runner in runners]
    qemus = [name for name in ids if name.startswith("qemu")] if "ferry" in ids else []
    head = ["program"] + [runner.title for runner in runners] + ["speed of %s" % name for name in qemus]
    head += ["guest Minstr", "MIPS interpreted"] if with_speed and "ferry" in ids else []
    lines = [head + ["MB " + name for name in ids]]
    for row in rows:
        line = [row["name"]] + [_cell(row, name) for name in ids]
        line += [number(row["qemu_to_ferry"].get(name), "%.2fx") for name in qemus]
        if with_speed and "ferry" in ids:
            line += [number(row["instructions"] and row["instructions"] / 1e6, "%.0f"), number(row["mips"], "%.0f")]
        lines.append(line + [_peak(row, name) for name in ids])
    return columns(lines)


def complaints(rows):
    for row in rows:
        for runner, run in row["failed"].items():
            why = "did not end in time" if run["late"] else "exit status %d" % run["status"]
            yield "FAILED  %s under %s: %s: %s" % (row["name"], runner, why, run.get("complaint", ""))
        for runner in row["differs"]:
            yield "FAILED  %s under %s: another output than the runners before it" % (row["name"], runner)


def must_lines(list_of_musts):
    words = {True: "pass", False: "MISSED", None: "not measured"}
    with_cpu = any(row["cpu"] is not None for row in list_of_musts)
    lines = [["must", "limit", "measured"] + ["by processor time"] * with_cpu + ["result"]]
    for row in list_of_musts:
        sign = "<=" if row["at_most"] else ">="
        lines.append([row["what"], "%s %g %s" % (sign, row["limit"], row["unit"]), number(row["value"], "%.2f")] +
                     [number(row["cpu"], "%.2f")] * with_cpu + [words[row["met"]]])
    return lines


def print_report(results, runners, write):
    programs = [row for row in results["programs"] if not row["startup"]]
    startups = [row for row in results["programs"] if row["startup"]]
    if programs:
        write("Medians of %d rounds; x: multiple of native time; speed of qemu: its time divided by ferry's (more is better)" % results["rounds"])
        for line in _table(programs, runners, True):
            write(line)
        write("")
    if startups:
        write("Start-up, medians of %d runs" % (max(len(time["all"]) for row in startups for time in row["times"].values() if time) if any(
            time for row in startups for time in row["times"].values()) else 0))
        for line in _table(startups, runners, False):
            write(line)
        write("")
    if any(runner.id == "ferry" for runner in runners):
        for line in columns(must_lines(results["musts"])):
            write(line)
    for line in complaints(results["programs"]):
        write(line)
