#!/usr/bin/env python3
"""Native code is never writable and executable at once: reads the maps of a runner from outside, again and again, while it makes and runs
native code in several threads."""
import pathlib
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from cases import want  # noqa: E402
from runs import NATIVE, Runs  # noqa: E402


def mappings(pid):
    """(address range, permissions, file) of a process's mappings; empty once it has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [(words[0], words[1], words[5] if len(words) > 5 else "") for words in map(str.split, lines)]


class Tests(Runs):
    def test_never_both(self):
        guest = self.build("busy", "-static", "-pthread", source=NATIVE / "busy.c")
        process = subprocess.Popen([self.ferry, "run", "--tier=quick", guest], stdout=subprocess.PIPE, text=True)
        native, wrong = 0, set()
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            found = mappings(process.pid)
            native += any("x" in permissions and not file for _, permissions, file in found)
            wrong |= {f"{where} {permissions} {file}" for where, permissions, file in found if "w" in permissions and "x" in permissions}
        process.kill()
        output = process.communicate()[0]
        want(process.returncode == 0 and output == "done\n", f"status {process.returncode}, said {output!r}")
        want(native, "there was no native code to look at")
        want(not wrong, f"writable and executable: {sorted(wrong)}")


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
