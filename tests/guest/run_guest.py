#!/usr/bin/env python3
"""Guest programs beside their native twins: every *.c and *.S here and in elf/ is built for the host and for riscv64, both are run,
and standard output and exit status must be the same.

The first line of a program may say more:
  // guest-test: expect=file variants=static,static-pie,dynamic args=a,b timeout=30 native=gcc plugins=one,two edit=no-sections
expect=file: what must come out stands in NAME.expect instead of coming from a native run. native=gcc: built natively by gcc,
which unlike clang evaluates arguments from the right. without=tsan: not in that build, because its runtime neither bears
storms of signals, whose handlers it does not know, nor ends with a process's last thread.
args: words of the command line, separated by commas. plugins: elf/plugins/ONE.c is built as a shared library beside the program.
edit: what is done to the riscv64 file after linking, see EDITS. A line "// guest-flags: ..." has more words for the compiler, in
which {here} is the program's folder.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import threading

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

from cases import differences  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CLANG = shutil.which("clang-19") or shutil.which("clang")


def guest_compiler(variant, root):
    """Static-PIE programs come from clang and the Debian root: the C library of Debian 12's cross compiler cannot be linked so."""
    if variant != "static-pie":
        return ["riscv64-linux-gnu-gcc", *(["-static"] if variant == "static" else [])]
    return [CLANG, "--target=riscv64-linux-gnu", f"--sysroot={root}", "-march=rv64gc", "-fuse-ld=lld", "-static-pie", "-fPIE"]


def options_of(source):
    first = source.read_text(errors="replace").split("\n", 1)[0]
    words = first.split("guest-test:", 1)[1].split() if "guest-test:" in first else []
    return dict(word.split("=", 1) for word in words if "=" in word)


def flags_of(source):
    for line in source.read_text(errors="replace").splitlines()[:8]:
        if line.startswith("// guest-flags:"):
            return line.split(":", 1)[1].replace("{here}", str(source.parent)).split()
    return []


def drop_sections(image):
    """Section headers are for linkers and debuggers: a program needs none."""
    image[0x28:0x30] = bytes(8)  # e_shoff
    image[0x3a:0x40] = bytes(6)  # e_shentsize, e_shnum, e_shstrndx


def drop_header(kind):
    """Makes the program headers of a type PT_NULL."""
    def edit(image):
        table, size, count = struct.unpack_from("<Q", image, 0x20)[0], *struct.unpack_from("<HH", image, 0x36)
        for at in range(table, table + size * count, size):
            if struct.unpack_from("<I", image, at)[0] == kind:
                struct.pack_into("<I", image, at, 0)
    return edit


BUILDING, LOCKS = threading.Lock(), {}
EDITS = {"no-sections": drop_sections, "no-stack-header": drop_header(0x6474e551)}


def build(compiler, source, to, edit=None):
    with BUILDING:
        lock = LOCKS.setdefault(to, threading.Lock())
    with lock:  # another thread may want the same, and must not get another file while its program runs
        build_once(compiler, source, to, edit)


def build_once(compiler, source, to, edit):
    included = (file for folder in (source.parent, HERE) for file in folder.iterdir() if file.suffix in (".h", ".inc", ".ld"))
    if to.exists() and to.stat().st_mtime > max(file.stat().st_mtime for file in (source, pathlib.Path(__file__), *included)):
        return
    new = f"{to}.new"
    common = ["-O1", "-g", "-w", "-pthread", "-D_GNU_SOURCE"]
    libraries = [] if source.suffix == ".S" else ["-ldl", "-lrt", "-lm"]
    command = [*compiler, *common, *flags_of(source), "-o", new, str(source), *libraries]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError("does not build: " + done.stderr.strip()[-500:])
    if edit:
        image = bytearray(pathlib.Path(new).read_bytes())
        EDITS[edit](image)
        pathlib.Path(new).write_bytes(image)
    os.replace(new, to)


def make_folder(compiler, options, work, name):
    """An empty folder to run in, with the program's plugins."""
    folder, cache = work / "run" / name, work / ("plugins-" + os.path.basename(compiler[0]))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for plugin in filter(None, options.get("plugins", "").split(",")):
        cache.mkdir(exist_ok=True)
        build([*compiler, "-shared", "-fPIC"], HERE / "elf" / "plugins" / f"{plugin}.c", cache / f"{plugin}.so")
        shutil.copy(cache / f"{plugin}.so", folder)
    return folder


def play(command, folder, timeout):
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C", "TZ": "UTC"}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    late = False
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        late = True
        os.killpg(process.pid, signal.SIGKILL)  # a debugger's programs do not end with it
        out, err = process.communicate()
    return "timeout" if late else process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


PATIENCE = {"opt": 5}  # times a program's timeout: every short process waits for LLVM to start and to compile
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
    compiler = [options.get("native", CLANG)]
    build(compiler, source, native)
    folder = make_folder(compiler, options, work, source.stem + "-native")
    return play([str(native), *arguments], folder, float(options.get("timeout", 60)))


def test(source, variant, tier, ferry, work, root, words):
    options = options_of(source)
    arguments = options["args"].split(",") if options.get("args") else []
    guest = work / f"{source.stem}.{variant}"
    try:
        build(guest_compiler(variant, root), source, guest, options.get("edit"))
        folder = make_folder(guest_compiler("dynamic", root), options, work, f"{source.stem}-{variant}-{tier}")
        expected = expectation(source, options, work, arguments)
        library = ["-L", "/usr/riscv64-linux-gnu" if not root.exists() else str(root)] if variant == "dynamic" else []
        command = [ferry, "run", f"--tier={tier}", *words, *library, str(guest), *arguments]
        got = play(command, folder, float(options.get("timeout", 60)) * PATIENCE.get(tier, 1))
        return differences(expected, got)
    except RuntimeError as problem:
        return [str(problem)]


def play_all(cases, arguments, words, note=""):
    """How many failed."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(test, *case, os.path.abspath(arguments.ferry), arguments.work.resolve(), arguments.root.resolve(), words) for case in cases]
        for case, job in zip(cases, jobs):
            problems = job.result()
            failed += bool(problems)
            if problems:
                print(f"FAILED {case[0].stem} {case[1]} {case[2]}{note}")
                print("\n".join("    " + line for line in problems))
    return failed


def play_twice(cases, arguments):
    """The second time with what is kept of the first. How many failed."""
    cache = arguments.work.resolve() / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    words = [*arguments.option, f"--cache-dir={cache}", "--cache-system="]
    failed = play_all(cases, arguments, words)
    kept = len(list(cache.glob("code/*/*.db")))
    if kept * 2 < len(cases):  # small programs of the same library have files of their own
        print(f"FAILED the cache: {kept} files of {len(cases)} programs")
        failed += 1
    return failed + play_all(cases, arguments, words, " again")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ferry", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--root", required=True, type=pathlib.Path)
    parser.add_argument("--tier", default="interp", help="tiers to run on, separated by commas")
    parser.add_argument("--build", default="plain", help="the kind of build, for programs that say without=KIND")
    parser.add_argument("--option", action="append", default=[], help="another word for `ferry run`; may be repeated")
    parser.add_argument("--kept", action="store_true", help="all of it twice, with a cache that is empty at first")
    parser.add_argument("filter", nargs="?", default="")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    cases, skipped = [], 0
    for source in sorted(file for pattern in ("*.c", "elf/*.c", "elf/*.S") for file in HERE.glob(pattern)):
        if arguments.filter not in source.stem:
            continue
        options = options_of(source)
        for variant in options.get("variants", "static").split(","):
            if arguments.build in options.get("without", "").split(","):
                skipped += 1
                continue
            if variant == "static-pie" and not (arguments.root / "usr/lib/riscv64-linux-gnu/rcrt1.o").exists():
                skipped += 1
                continue
            cases += [(source, variant, tier) for tier in arguments.tier.split(",")]
    failed = play_twice(cases, arguments) if arguments.kept else play_all(cases, arguments, arguments.option)
    played = len(cases) * (2 if arguments.kept else 1)
    print(f"{played - failed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
