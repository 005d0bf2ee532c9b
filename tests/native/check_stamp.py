#!/usr/bin/env python3
"""What says by whom code was kept depends on how Ferry was compiled, and not on where."""
import argparse
import pathlib
import shutil
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402

BUILDS = {
    "plain": ["-DCMAKE_C_FLAGS=-O1"],
    "elsewhere": ["-DCMAKE_C_FLAGS=-O1 -ffile-prefix-map=/some/where=."],
    "flags": ["-DCMAKE_C_FLAGS=-O2"],
    "type": ["-DCMAKE_C_FLAGS=-O1", "-DCMAKE_BUILD_TYPE=Release"],
    "flags of the type": ["-DCMAKE_C_FLAGS=-O1", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O2"],
}


def stamp(arguments, name, options):
    work = arguments.work / name.replace(" ", "-")
    subprocess.run(["cmake", "-G", "Ninja", "-S", arguments.source, "-B", work, f"-DCMAKE_C_COMPILER={arguments.compiler}",
                    "-DFERRY_TESTS=OFF", "-DFERRY_BENCHMARKS=OFF", *options], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", work, "--target", "cache/stamp.c"], check=True, stdout=subprocess.DEVNULL)
    return (work / "cache/stamp.c").read_text()


def main():
    parser = argparse.ArgumentParser()
    for name in ("source", "work"):
        parser.add_argument(f"--{name}", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--compiler", required=True)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    stamps = {name: stamp(arguments, name, options) for name, options in BUILDS.items()}
    results = [("elsewhere", None if stamps["elsewhere"] == stamps["plain"] else "where the sources lie makes another stamp")]
    others = [name for name in stamps if name != "elsewhere"]
    for number, name in enumerate(others):
        same = [other for other in others[:number] if stamps[other] == stamps[name]]
        results.append((name, f"the same stamp as {same}" if same else None))
    return cases.tell(results)


if __name__ == "__main__":
    sys.exit(main())
