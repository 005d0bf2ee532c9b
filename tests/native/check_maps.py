#!/usr/bin/env python3
"""Native code is never writable and executable at once: reads the maps of a runner from outside, again and again, while it makes and runs
native code in several threads."""
import argparse
import pathlib
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parent / "busy.c"


def mappings(pid):
    """(address range, permissions, file) of a process's mappings; empty once it has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [(words[0], words[1], words[5] if len(words) > 5 else "") for words in map(str.split, lines)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ferry", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    guest = arguments.work / "busy"
    subprocess.run(["riscv64-linux-gnu-gcc", "-O1", "-static", "-pthread", "-o", guest, SOURCE], check=True)
    process = subprocess.Popen([arguments.ferry, "run", "--tier=quick", str(guest)], stdout=subprocess.PIPE, text=True)
    looks, native, wrong = 0, 0, set()
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        found = mappings(process.pid)
        looks += bool(found)
        native += any("x" in permissions and not file for _, permissions, file in found)
        wrong |= {f"{where} {permissions} {file}" for where, permissions, file in found if "w" in permissions and "x" in permissions}
    process.kill()
    output = process.communicate()[0]
    failed = bool(wrong) or not native or process.returncode != 0 or output != "done\n"
    print(f"looked {looks} times, {native} times at native code; status {process.returncode}, said {output!r}")
    for line in sorted(wrong):
        print("writable and executable:", line)
    print(f"{0 if failed else 1} passed, {1 if failed else 0} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
