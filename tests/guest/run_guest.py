#!/usr/bin/env python3
"""Guest programs beside their native twins: every tests/guest/*.c is built for the host and for riscv64, both are run, and standard
output and exit status must be the same.

The first line of a program may say more:
  // guest-test: expect=file arch=riscv64 variants=static,static-pie,dynamic args=a,b timeout=30
expect=file: what must come out stands in NAME.expect instead of coming from a native run. arch=riscv64: not built natively.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
LINK = {"static": ["-static"], "static-pie": ["-static-pie", "-fPIE"], "dynamic": []}


def options_of(source):
    first = source.read_text(errors="replace").split("\n", 1)[0]
    words = first.split("guest-test:", 1)[1].split() if "guest-test:" in first else []
    return dict(word.split("=", 1) for word in words if "=" in word)


def build(compiler, source, flags, to):
    if to.exists() and to.stat().st_mtime > source.stat().st_mtime:
        return
    command = [compiler, "-O1", "-g", "-w", "-pthread", "-D_GNU_SOURCE", *flags, "-o", str(to) + ".new", str(source), "-ldl", "-lrt", "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError("does not build: " + done.stderr.strip()[-500:])
    os.replace(str(to) + ".new", to)


def play(command, folder, timeout):
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C", "TZ": "UTC"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout, check=False, start_new_session=True)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return "timeout", (late.stdout or b"").decode(errors="replace"), (late.stderr or b"").decode(errors="replace")


def differences(expected, got):
    lines = []
    if expected[0] != got[0]:
        lines.append(f"exit status {got[0]}, expected {expected[0]}")
    left, right = expected[1].splitlines(), got[1].splitlines()
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else "(nothing)"
        two = right[number] if number < len(right) else "(nothing)"
        if one != two:
            lines += [f"line {number + 1}: expected {one}", f"line {number + 1}:      got {two}"]
        if len(lines) > 12:
            break
    return lines + ["stderr: " + line for line in got[2].splitlines()[:12]] if lines else []


KNOWN = {}  # what must come out, by program: variants of one program share it
KNOWING = threading.Lock()


def expectation(source, options, work, arguments):
    with KNOWING:
        if source not in KNOWN:
            KNOWN[source] = make_expectation(source, options, work, arguments)
        return KNOWN[source]


def make_expectation(source, options, work, arguments):
    if options.get("expect") == "file":
        return 0, source.with_suffix(".expect").read_text(), ""
    native = work / (source.stem + ".native")
    build("clang-19", source, ["-static"] if options.get("link") == "static" else [], native)
    return play([str(native), *arguments], work / "run" / (source.stem + "-native"), float(options.get("timeout", 60)))


def test(source, variant, tier, ferry, work, root):
    options = options_of(source)
    arguments = options["args"].split(",") if options.get("args") else []
    guest = work / f"{source.stem}.{variant}"
    try:
        build("riscv64-linux-gnu-gcc", source, LINK[variant], guest)
        expected = expectation(source, options, work, arguments)
        library = ["-L", "/usr/riscv64-linux-gnu" if not root.exists() else str(root)] if variant == "dynamic" else []
        command = [ferry, "run", f"--tier={tier}", *library, str(guest), *arguments]
        got = play(command, work / "run" / f"{source.stem}-{variant}-{tier}", float(options.get("timeout", 60)))
        return differences(expected, got)
    except RuntimeError as problem:
        return [str(problem)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ferry", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--root", required=True, type=pathlib.Path)
    parser.add_argument("--tier", default="interp", help="tiers to run on, separated by commas")
    parser.add_argument("filter", nargs="?", default="")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    cases = []
    for source in sorted(HERE.glob("*.c")):
        if arguments.filter not in source.stem:
            continue
        for variant in options_of(source).get("variants", "static").split(","):
            cases += [(source, variant, tier) for tier in arguments.tier.split(",")]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(test, *case, os.path.abspath(arguments.ferry), arguments.work.resolve(), arguments.root) for case in cases]
        for case, job in zip(cases, jobs):
            problems = job.result()
            failed += bool(problems)
            if problems:
                print(f"FAILED {case[0].stem} {case[1]} {case[2]}")
                print("\n".join("    " + line for line in problems))
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
