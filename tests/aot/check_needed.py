#!/usr/bin/env python3
"""What `ferry-compiler --needed` finds: in a small system made for it, whose answers are known, and in a real one beside what its own loader says."""
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from runs import GCC  # noqa: E402


def build(path, *options, libraries=()):
    """A library or program at `path` that needs `libraries`, which need not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stubs = path.parent / "stubs"
    stubs.mkdir(exist_ok=True)
    for name in libraries:
        if "/" not in name:
            subprocess.run([GCC, "-nostdlib", "-shared", f"-Wl,-soname,{name}", "-o", stubs / name, "-xc", "/dev/null"], check=True)
    wanted = [f"-l:{name}" for name in libraries if "/" not in name]
    subprocess.run([GCC, "-nostdlib", *options, "-Wl,--no-as-needed", f"-L{stubs}", "-o", path, "-xc", "/dev/null", "-xnone", *wanted], check=True,
                   stderr=subprocess.DEVNULL)
    shutil.rmtree(stubs)


def library(path, *options, libraries=()):
    build(path, "-shared", f"-Wl,-soname,{path.name}", *options, libraries=libraries)


def program(path, *options, libraries=()):
    build(path, "-pie", "-Wl,-e,0", "-Wl,-dynamic-linker,/lib/loader.so", *options, libraries=libraries)


def make_system(root):
    shutil.rmtree(root, ignore_errors=True)
    old, new = "-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags"
    library(root / "usr/lib/loader.so.1")
    (root / "lib").symlink_to("/usr/lib")  # absolute: below the root
    (root / "usr/lib/loader.so").symlink_to("/lib/loader.so.1")
    library(root / "usr/lib/riscv64-linux-gnu/libdefault.so")
    library(root / "opt/app/lib/liborigin.so", libraries=["libinherited.so", "libdefault.so"])
    library(root / "opt/app/lib/libinherited.so")
    library(root / "opt/configured/libconfigured.so")
    library(root / "opt/included/libincluded.so", old, "-Wl,-rpath,${ORIGIN}/more", libraries=["libmore.so"])
    library(root / "opt/included/more/libmore.so", libraries=["libdeep.so"])
    library(root / "opt/included/more/libdeep.so")
    (root / "etc/ld.so.conf.d").mkdir(parents=True)
    (root / "etc/ld.so.conf").write_text("# directories\n/opt/configured # one\ninclude ld.so.conf.d/*.conf\n")
    (root / "etc/ld.so.conf.d/a.conf").write_text("/opt/none\n/opt/foreign\n/opt/included\n")
    (root / "opt/foreign").mkdir()
    shutil.copy("/bin/true", root / "opt/foreign/libincluded.so")  # for another machine
    wants = ["liborigin.so", "libconfigured.so", "libincluded.so"]
    program(root / "opt/app/bin/inherits", old, "-Wl,-rpath,/nowhere:$ORIGIN/../lib", libraries=wants)
    program(root / "opt/app/bin/keeps", new, "-Wl,-rpath,$ORIGIN/../lib", libraries=wants)
    program(root / "opt/app/bin/misses", libraries=["liborigin.so", "libdefault.so"])


# What is printed for each, and what is said to be missing.
LOADER, ORIGIN, INHERITED = "/usr/lib/loader.so.1", "/opt/app/lib/liborigin.so", "/opt/app/lib/libinherited.so"
CONFIGURED, INCLUDED, DEFAULT = "/opt/configured/libconfigured.so", "/opt/included/libincluded.so", "/usr/lib/riscv64-linux-gnu/libdefault.so"
MORE, DEEP = "/opt/included/more/libmore.so", "/opt/included/more/libdeep.so"
ANSWERS = {
    "inherits": ([LOADER, ORIGIN, CONFIGURED, INCLUDED, INHERITED, DEFAULT, MORE, DEEP], []),
    "keeps": ([LOADER, ORIGIN, CONFIGURED, INCLUDED, DEFAULT, MORE, DEEP], ["libinherited.so"]),
    "misses": ([LOADER, DEFAULT], ["liborigin.so"]),
}


def needed(compiler, root, path):
    run = subprocess.run([compiler, "--needed", "-L", root, path], capture_output=True, text=True, check=False)
    missing = re.findall(r" needs (\S+), which", run.stderr)
    return run.stdout.splitlines(), missing, run.returncode


def check_small(arguments):
    root = arguments.work / "root"
    make_system(root)
    for name, (paths, missing) in ANSWERS.items():
        got, lacks, status = needed(arguments.compiler, root, root / "opt/app/bin" / name)
        wanted = [str(root) + path for path in paths]
        fine = got == wanted and lacks == missing and status == bool(missing)
        yield name, [] if fine else [f"printed {got} and missed {lacks}, not {wanted} and {missing}"]


def check_real(arguments, path):
    root = arguments.root
    loader = root / "lib/ld-linux-riscv64-lp64d.so.1"
    listed = subprocess.run([arguments.ferry, "-L", root, loader, "--list", root / path], capture_output=True, text=True, check=True).stdout
    names = {pathlib.Path(name).name for name in re.findall(r"^\t(\S+) => ", listed, re.M)}
    got, _, status = needed(arguments.compiler, root, root / path)
    found = {pathlib.Path(name).name for name in got}
    real = {(root / "usr/lib/riscv64-linux-gnu" / name).resolve().name for name in names}
    return path, [] if real == found and not status else [f"found {sorted(found)}, the loader has {sorted(real)}"]


def main():
    arguments = cases.parse("compiler", "root")
    results = list(check_small(arguments))
    if (arguments.root / "usr/bin").is_dir():
        results += [check_real(arguments, path) for path in ("usr/bin/sqlite3", "usr/bin/python3", "usr/bin/git")]
    return cases.tell(results)


if __name__ == "__main__":
    sys.exit(main())
