#!/usr/bin/env python3
"""What `ferry-compiler --discover` finds in small programs: shapes/*.S say by their labels what is a block (found_) and what is none (absent_); all the
blocks that shapes/switches.c enters when it runs, compiled in many ways, must have been found. All of it in stripped files."""
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from check_discover import Elf, discover, read_log  # noqa: E402

LIBRARIES = "/usr/riscv64-linux-gnu"  # of the cross compiler
SHAPES = pathlib.Path(__file__).resolve().parent / "shapes"
GCC, STRIP, NM, OBJCOPY = (f"riscv64-linux-gnu-{name}" for name in ("gcc", "strip", "nm", "objcopy"))
CLANG = ["clang-19", "--target=riscv64-linux-gnu", "-march=rv64gc", "-mabi=lp64d"]
# How switches.c is compiled, and linked.
WAYS = [(compiler, level, link)
        for compiler in ("gcc", "clang")
        for level, link in (("-O0", "-static -fno-pie"), ("-O1", "-pie -fpie"), ("-O2", "-static -fno-pie"), ("-O2", "-pie -fpie"),
                            ("-O3", "-static -fno-pie -mcmodel=medlow"), ("-Os", "-static -fno-pie -march=rv64gc_zba_zbb"))]


def run(*command):
    subprocess.run([str(word) for word in command], check=True)


def strip(path, stripped, sections):
    run(STRIP, "-s", "-R", ".riscv.attributes", "-o", stripped, path)
    if not sections:  # as if there were no section headers
        data = bytearray(stripped.read_bytes())
        data[40:48], data[58:64] = bytes(8), bytes(6)
        stripped.write_bytes(data)


def check_labels(arguments, source, number, build):
    name = f"{source.stem}_{number}"
    program, stripped = arguments.work / name, arguments.work / f"{name}_stripped"
    words = build.split()
    options = [word for word in words if word not in ("clang", "no-sections")]
    run(*(CLANG if "clang" in words else [GCC]), "-nostdlib", *options, "-o", program, source)
    strip(program, stripped, "no-sections" not in words)
    found, _ = discover(arguments.compiler, stripped)
    labels = re.findall(r"^([0-9a-f]+) \w (found|absent)_(\w+)$", subprocess.run([NM, program], capture_output=True, text=True, check=True).stdout, re.M)
    wrong = [f"{kind}_{label} at {address}" for address, kind, label in labels if (int(address, 16) in found) != (kind == "found")]
    return f"{name} {build}", wrong if labels else ["no labels"]


def check_run(arguments, compiler, level, link):
    name = "_".join(["switches", compiler, level[1:], *re.findall(r"\w+", link)])
    made, program, stripped, log = (arguments.work / f"{name}{end}" for end in (".o", "", "_stripped", ".log"))
    run(*([GCC] if compiler == "gcc" else CLANG), "-w", level, *[word for word in link.split() if word not in ("-static", "-pie")], "-ffreestanding", "-c",
        SHAPES / "switches.c", "-o", made)
    run(GCC, "-nostdlib", *[word for word in link.split() if word in ("-static", "-pie")], "-o", program, made)
    strip(program, stripped, True)
    log.unlink(missing_ok=True)
    run(arguments.ferry, "run", "--no-cache", f"--log-blocks={log}", "-L", LIBRARIES, stripped)
    found, _ = discover(arguments.compiler, stripped)
    entered = read_log(log).get(str(stripped.resolve()), set())
    elf = Elf(stripped)
    missed = sorted((elf.address(place), size) for place, size in entered if found.get(elf.address(place)) != size)
    wrong = [f"{address:x} of {size} bytes was entered" for address, size in missed]
    return name, wrong if len(entered) > 100 else [f"only {len(entered)} blocks were entered"]


def main():
    arguments = cases.parse("compiler", choose=True)
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    jobs = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for source in sorted(SHAPES.glob("*.S")):
            for number, build in enumerate(re.findall(r"^// build: (.*)$", source.read_text(), re.M)):
                jobs += [pool.submit(check_labels, arguments, source, number, build)] if arguments.only in source.stem else []
        for way in WAYS:
            if arguments.only in "switches":
                jobs.append(pool.submit(check_run, arguments, *way))
    return cases.tell(job.result() for job in jobs)


if __name__ == "__main__":
    sys.exit(main())
