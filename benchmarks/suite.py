"""What the suite runs and on what: programs, runners, and how each command line comes about.

A program is either one of programs/*.c, built statically for guest and host, or one from the Debian roots (the guest's under a
runner, its twin from the amd64 root natively), or a script of this machine's bash that starts such ones. A runner turns a program into a command.
"""

import dataclasses
import os
import pathlib
import platform
import re
import shutil
import subprocess

import inputs

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
SOURCES = HERE / "programs"
GUEST = "riscv64"
QEMU_CPU = "rv64,v=false"  # with vectors, which Debian 13's qemu offers by default, qemu compares badly for reasons of its own


class Failure(Exception):
    """Something that the person at the terminal has to know or to do."""


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    source: str = ""  # of programs/, without .c; or
    optimise: str = "-O2"  # how it is compiled
    path: str = ""  # below the root; {gcc} is the compiler's own folder; or
    script: str = ""  # of programs/: gets the arguments, the root, and the runner's words
    arguments: tuple = ()
    quick: tuple = ()  # arguments under --quick; default the same
    output: str = ""  # a file that it writes, part of the result to compare
    same_everywhere: bool = True  # False: the guest's output differs from the native twin's by nature
    startup: bool = False
    steady: tuple = ()  # arguments of two runs under --steady, the second of which goes on where the first ends


_SQLITE_AGAIN = (".open :memory:", ".read sqlite.sql")

SUITE = (
    Program("core", source="core", quick=("1500",), steady=(("40000",), ("100000",))),
    Program("fib", source="fib", optimise="-O1", quick=("35", "1"), steady=(("41", "3"), ("41", "8"))),
    Program("inlined", source="fib", quick=("35", "1"), steady=(("41", "3"), ("41", "8"))),
    Program("calls", source="calls", quick=("8",), steady=(("60",), ("200",))),
    Program("nbody", source="nbody", quick=("300000",), steady=(("8000000",), ("20000000",))),
    Program("lua", path="usr/bin/lua5.4", arguments=("script.lua",), quick=("script.lua", "0.2"),
            steady=(("script.lua", "5"), ("script.lua", "15"))),
    Program("python", path="usr/bin/python3", arguments=("-S", "-B", "script.py"), quick=("-S", "-B", "script.py", "0.2"),
            steady=(("-S", "-B", "script.py", "5"), ("-S", "-B", "script.py", "12"))),
    Program("sqlite", path="usr/bin/sqlite3", arguments=(":memory:", ".read sqlite.sql"),
            steady=((":memory:", *_SQLITE_AGAIN * 3), (":memory:", *_SQLITE_AGAIN * 8))),
    Program("zstd", path="usr/bin/zstd", arguments=("-q", "-f", "-9", "--single-thread", "data", "-o", "out"),
            quick=("-q", "-f", "-9", "--single-thread", "data6", "-o", "out"), output="out",
            steady=(("-q", "-f", "-9", "--single-thread", "data", "-o", "out"), ("-q", "-f", "-9", "--single-thread", *("data",) * 3, "-c"))),
    Program("xz", path="usr/bin/xz", arguments=("-k", "-c", "-0", "-T1", "data6"), quick=("-k", "-c", "-0", "-T1", "data1"),
            steady=(("-k", "-c", "-0", "-T1", "data6"), ("-k", "-c", "-0", "-T1", "data"))),
    Program("sha256sum", path="usr/bin/sha256sum", arguments=("data",) * 3, quick=("data",), steady=(("data",) * 4, ("data",) * 16)),
    Program("gcc", path="{gcc}/cc1", arguments=("-quiet", "-O2", "-w", "work.c", "-o", "out"),
            quick=("-quiet", "-O2", "-w", "small.c", "-o", "out"), output="out", same_everywhere=False,
            steady=(("-quiet", "-O2", "-w", "small.c", "-o", "out"), ("-quiet", "-O2", "-w", "work.c", "-o", "out"))),
    Program("hello", source="hello", startup=True),
    Program("true", path="usr/bin/true", startup=True),
)


@dataclasses.dataclass(frozen=True)
class Runner:
    id: str
    title: str
    prefix: tuple = ()  # the translator's own words; () is native
    with_root: tuple = ()  # words for programs from the root

    @property
    def native(self):
        return not self.prefix


@dataclasses.dataclass(frozen=True)
class Place:
    """Where things are: the folder of built programs and inputs, and the Debian roots."""
    work: pathlib.Path
    roots: pathlib.Path

    def root(self, native):
        return self.roots / ("amd64" if native else GUEST)


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": model.group(1) if model else platform.machine(), "cores": len(pathlib.os.sched_getaffinity(0)), "kernel": platform.release()}


# ---- commands


def find_path(path, root):
    """A path below a root, which may hold {gcc} and wildcards."""
    found = sorted(root.glob(path.replace("{gcc}", "usr/libexec/gcc/*/*")))
    if not found:
        raise Failure("%s has no %s: make it with tests/roots/make_root.sh" % (root, path))
    return found[-1]


def _native_loader(root):
    """The root's own dynamic loader: its libraries are another release's than the machine's."""
    return (str(root / "lib64/ld-linux-x86-64.so.2"), "--library-path", str(root / "usr/lib/x86_64-linux-gnu"))


def binary(program, place, native):
    return place.work / (program.name + (".native" if native else "." + GUEST))


def command(program, runner, place, quick=False, extra=(), arguments=None):
    """The words to run, and the variables to add to the environment. `extra` are more words for the runner itself."""
    if arguments is None:
        arguments = program.quick if quick and program.quick else program.arguments
    if program.source:
        return (*runner.prefix, *extra, str(binary(program, place, runner.native)), *arguments), {}
    root = place.root(runner.native)
    prefix = _native_loader(root) if runner.native else (*runner.prefix, *extra, *(word.format(root=root) for word in runner.with_root))
    if program.script:
        return ("/bin/bash", str(SOURCES / program.script), *arguments, str(root), *prefix), {}
    return (*prefix, str(find_path(program.path, root)), *arguments), _python_environment(root, place)


def _python_environment(root, place):
    return {"PYTHONHOME": str(root / "usr"), "PYTHONPYCACHEPREFIX": str(place.work / "bytecode")}


# ---- runners


def _qemu_version(command_words):
    output = subprocess.run([*command_words, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"version (\d+)\.(\d+)", output).group(0).split()[1]


def _qemu_aside(suite, place):
    folder = place.work / ("qemu-" + suite)
    subprocess.run([HERE / "fetch_qemu.sh", suite, folder], check=True)
    binary = str(folder / "usr/bin/qemu-riscv64")
    for loader in ("lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"):
        if (folder / loader).exists():
            return (str(folder / loader), "--library-path", str(folder / "usr/lib/x86_64-linux-gnu"), binary)
    return (binary,)


def _qemu(release, suite, oldest, newest, place):
    """qemu of one Debian release: the installed one if it is of that release, else unpacked aside."""
    installed = shutil.which("qemu-riscv64")
    words = (installed,) if installed and oldest <= int(_qemu_version((installed,)).split(".")[0]) <= newest else _qemu_aside(suite, place)
    title = "qemu %s (Debian %d)" % (_qemu_version(words), release)
    return Runner("qemu%d" % release, title, (*words, "-cpu", QEMU_CPU), ("-L", "{root}"))


def _installed_qemu():
    installed = shutil.which("qemu-riscv64")
    if not installed:
        raise Failure("qemu-riscv64 is not installed (./dev deps installs it)")
    return Runner("qemu", "qemu " + _qemu_version((installed,)), (installed, "-cpu", QEMU_CPU), ("-L", "{root}"))


# Title and options of Ferry's own.
OURS = {"ferry": ("ferry", "--no-cache"), "cold": ("ferry, cold", "--cache-dir={work}/cold", "--cache-system="),
        "warm": ("ferry, warm", "--cache-dir={work}/cache", "--cache-system="),
        "precompiled": ("ferry, precompiled", "--cache-dir={work}/precompiled", "--cache-system=", "--cache=read"),
        "trained": ("ferry, trained", "--cache-dir={work}/trained", "--cache-system=", "--cache=read"),
        "interp": ("ferry, interpreter only", "--tier=interp")}


def make_runners(wanted, ferry, place):
    runners = []
    for name in wanted:
        if name == "native":
            runners.append(Runner("native", "native"))
        elif name == "qemu12":
            runners.append(_qemu(12, "bookworm", 7, 8, place))
        elif name == "qemu13":
            runners.append(_qemu(13, "trixie", 9, 11, place))
        elif name == "qemu":
            runners.append(_installed_qemu())
        elif name in OURS:
            if not pathlib.Path(ferry).exists():
                raise Failure("there is no %s: build the release preset, or name one with --ferry" % ferry)
            title, *options = OURS[name]
            words = (str(pathlib.Path(ferry).resolve()), "run", *(option.format(work=place.work) for option in options))
            runners.append(Runner(name, title, words, ("-L", "{root}")))
        else:
            raise Failure("no runner is called %s: there are native, qemu12, qemu13, qemu, %s" % (name, ", ".join(OURS)))
    return runners


# ---- preparation


def _newer(target, *sources):
    return target.exists() and all(target.stat().st_mtime >= source.stat().st_mtime for source in sources)


def _compile(compiler, source, target, optimise="-O2"):
    if _newer(target, source):
        return
    if not shutil.which(compiler):
        raise Failure("%s is not installed (./dev deps installs it)" % compiler)
    subprocess.run([compiler, optimise, "-static", "-Wall", "-o", target, source, "-lm"], check=True)


def _make_bytecode(place):
    """Of Python's own modules, for both roots: whether a root holds any depends on who ran Python in it before. What is there already is left."""
    native = place.root(native=True)
    python = (*_native_loader(native), str(find_path("usr/bin/python3", native)), "-S", "-m", "compileall", "-q", "-l")
    environment = {**os.environ, **_python_environment(native, place)}
    for root in (native, place.root(native=False)):
        modules = find_path("usr/lib/python3.*", root)
        packages = (modules / name for name in ("collections", "encodings", "importlib", "json", "re", "sqlite3"))
        subprocess.run([*python, modules, *packages], env=environment, check=True)


INPUTS = {
    "data": lambda path: inputs.make_data(path),
    "data6": lambda path: inputs.make_data(path, 6_000_000),
    "data1": lambda path: inputs.make_data(path, 1_000_000),
    "work.c": lambda path: inputs.make_source(path),
    "small.c": lambda path: inputs.make_source(path, 6),
}


def prepare(programs, place):
    place.work.mkdir(parents=True, exist_ok=True)
    _compile("gcc", HERE / "tools/timer.c", place.work / "timer")
    for program in programs:
        if program.source:
            for native, compiler in ((True, "gcc"), (False, "riscv64-linux-gnu-gcc")):
                _compile(compiler, SOURCES / (program.source + ".c"), binary(program, place, native), program.optimise)
        elif not all((place.root(native) / "usr/bin").exists() for native in (True, False)):
            raise Failure("%s needs %s/{amd64,%s}: make them with tests/roots/make_root.sh" % (program.name, place.roots, GUEST))
    if any(program.path == "usr/bin/python3" for program in programs):
        _make_bytecode(place)
    words = {word for program in programs for words in (program.arguments, program.quick, *program.steady) for word in words}
    for name, make in INPUTS.items():
        if name in words and not _newer(place.work / name, HERE / "inputs.py"):
            make(place.work / name)
    for script in ("script.lua", "script.py", "sqlite.sql"):
        shutil.copy(SOURCES / script, place.work / script)
