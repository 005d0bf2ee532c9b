#!/usr/bin/env python3
"""-jitdump: the files are what perf's specification says, one for each process, and the guest notices nothing. -perfmap: its lines name the guest's functions."""
import os
import pathlib
import struct
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from cases import want  # noqa: E402
from runs import Runs, wait_for  # noqa: E402

HEADER = struct.Struct("=6I2Q")
RECORD = struct.Struct("=2IQ2I4Q")
MACHINES = {"x86_64": 62, "aarch64": 183}
ROUNDS = "2000"
os.environ["FERRY_CACHE"] = "off"  # there is always something to compile


def parse(path):
    """(name, address, code) of all records of a file, having checked all of it."""
    data = path.read_bytes()
    pid = int(path.name.removeprefix("jit-").removesuffix(".dump"))
    want(len(data) >= HEADER.size, f"{path}: no header")
    magic, version, size, machine, _, owner, began, flags = HEADER.unpack_from(data)
    want((magic, version, size, flags) == (0x4A695444, 1, HEADER.size, 0), f"{path}: header {magic:#x} {version} {size} {flags}")
    want(machine == MACHINES[os.uname().machine] and owner == pid, f"{path}: machine {machine}, process {owner}")
    records, at, before, known = [], size, began, set()
    while at < len(data):
        want(len(data) - at >= RECORD.size, f"{path}: {len(data) - at} bytes at its end")
        kind, size, stamp, owner, _, address, same, bytes_of_code, index = RECORD.unpack_from(data, at)
        want(kind == 0 and owner == pid and address == same, f"{path}: record {kind} of {owner} for {address:#x}, {same:#x}")
        want(before <= stamp <= time.clock_gettime_ns(time.CLOCK_MONOTONIC), f"{path}: time {stamp} after {before}")
        want(index not in known, f"{path}: index {index} twice")
        name, end, code = data[at + RECORD.size : at + size].partition(b"\0")
        want(end and len(code) == bytes_of_code and any(code), f"{path}: {len(code)} bytes of code, {bytes_of_code} announced")
        records.append((name.decode(), address, code))
        before, at = stamp, at + size
        known.add(index)
    want(at == len(data), f"{path}: the last record goes on behind the end")
    return records


class Tests(Runs):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.guest = self.build("hot", "-static")

    def start(self, folder, *words, rounds=ROUNDS, tier="auto"):
        (self.work / folder).mkdir(exist_ok=True)
        options = ["-jitdump", f"--jitdump-dir={self.work / folder}"] if folder != "none" else []
        return subprocess.Popen([self.ferry, "run", f"--tier={tier}", *options, self.guest, rounds, *words], stdout=subprocess.PIPE, text=True)

    def run(self, folder, *words, **how):
        """Runs the guest with and without -jitdump; the records by process."""
        process = self.start(folder, *words, **how)
        output, expected = process.communicate()[0], self.start("none", *words, **how).communicate()[0]
        want(process.returncode == 0 and output == expected, f"status {process.returncode}, said {output!r} and not {expected!r}")
        return process.pid, {int(path.name[4:-5]): parse(path) for path in (self.work / folder).iterdir()}

    def named(self, names):
        """Functions of the guest are there, with code of each tier."""
        names = {name.partition("+")[0] for name in names}
        tiers = ["quick"] + ["opt"] * os.path.exists(self.ferry + "-compiler")
        for name in (f"{tier}:{function}" for tier in tiers for function in ("sum", "mix", "find")):
            want(name in names, f"no {name} among {sorted(names)}")

    def test_names(self):
        pid, files = self.run("names")
        self.named(name for name, _, _ in files[pid])

    def test_perfmap(self):
        process = subprocess.Popen([self.ferry, "run", "-perfmap", self.guest, ROUNDS], stdout=subprocess.DEVNULL)
        process.wait()
        path = pathlib.Path(f"/tmp/perf-{process.pid}.map")
        lines = [line.split(" ", 2) for line in path.read_text().splitlines()]
        path.unlink()
        code = sorted((int(start, 16), int(size, 16)) for start, size, _ in lines)
        want(all(size for _, size in code), "code of no size")
        want(all(start + size <= after for (start, size), (after, _) in zip(code, code[1:])), "lines overlap")
        self.named(name for _, _, name in lines)

    def test_forks(self):
        pid, files = self.run("forks", "fork")
        want(pid in files and len(files) > 1, f"files of {sorted(files)}, the first process is {pid}")

    def test_goes_on_after_exec(self):
        pid, files = self.run("again", "again", tier="quick")
        names = [name for name, _, _ in files[pid]]
        want(list(files) == [pid] and len(names) > len(set(names)), f"files of {sorted(files)}; all names differ: {sorted(names)}")

    def test_begins_anew(self):
        """What a process of the same number left is no part of the file."""
        folder = self.work / "anew"
        folder.mkdir()
        script = 'echo left from before >"$0/jit-$$.dump" && exec "$@"'
        subprocess.run(["sh", "-c", script, folder, self.ferry, "run", "--tier=quick", "--jitdump", "--jitdump-dir", folder, self.guest, "20"],
                       stdout=subprocess.DEVNULL, check=True)
        want([parse(path) for path in folder.iterdir()], "no file")

    def test_is_mapped(self):
        process = self.start("mapped", rounds="1000000")
        found = wait_for(lambda: self.is_mapped(process, self.work / "mapped" / f"jit-{process.pid}.dump"))
        process.kill()
        process.communicate()
        want(found, "perf would not notice the file")

    def is_mapped(self, process, path):
        """The file, executable, which is how perf learns of it."""
        lines = pathlib.Path(f"/proc/{process.pid}/maps").read_text().splitlines()
        return any(line.endswith(str(path)) and line.split()[1].startswith("r-x") for line in lines)

    def test_nowhere(self):
        process = subprocess.run([self.ferry, "run", "--tier=quick", "-jitdump", "--jitdump-dir=/nowhere", self.guest, "20"],
                                 capture_output=True, text=True, check=False)
        want(process.returncode == 0 and process.stdout.startswith("result"), f"status {process.returncode}, said {process.stdout!r}")
        want(process.stderr.count("\n") == 1 and "/nowhere/jit-" in process.stderr, f"complained {process.stderr!r}")


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
