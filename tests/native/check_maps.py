#!/usr/bin/env python3
"""Native code is never writable and executable at once: reads the maps of a runner and of its compiler program from outside, again and again, while they make
and run native code."""
import os
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
    def watch(self, tier, guest, *words, compiles=False):
        """Runs a guest, looking at all maps meanwhile. Its output."""
        process = subprocess.Popen([self.ferry, "run", f"--tier={tier}", guest, *words], stdout=subprocess.PIPE, text=True,
                                   env={**os.environ, "FERRY_CACHE": "off"})  # there is always something to compile
        native, compilers, wrong = 0, 0, set()
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            found = mappings(process.pid)
            native += any("x" in permissions and not file for _, permissions, file in found)
            for folder in self.compilers() if compiles else []:
                compilers += len(maps := mappings(folder.name)) > 0
                found += maps
            wrong |= {f"{where} {permissions} {file}" for where, permissions, file in found if "w" in permissions and "x" in permissions}
        process.kill()
        output = process.communicate()[0]
        want(process.returncode == 0, f"status {process.returncode}, said {output!r}")
        want(native, "there was no native code to look at")
        want(compilers or not compiles, "there was no compiler program to look at")
        want(not wrong, f"writable and executable: {sorted(wrong)}")
        return output

    def test_quick(self):
        output = self.watch("quick", self.build("busy", "-static", "-pthread", source=NATIVE / "busy.c"))
        want(output == "done\n", f"said {output!r}")

    def compiled(self, tier):
        guest = self.build(f"hot.{tier}", "-static")
        output = self.watch(tier, guest, "4000", compiles=os.path.exists(self.ferry + "-compiler"))
        want(output.startswith("result"), f"said {output!r}")

    def test_auto(self):
        self.compiled("auto")

    def test_opt(self):
        self.compiled("opt")


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
