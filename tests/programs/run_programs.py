#!/usr/bin/env python3
"""Real programs of a Debian riscv64 root under Ferry beside their amd64 twins run natively: standard output and exit status must be
the same.

Every cases/*.sh is a script for the root's bash. It is run in a chroot of each root, in mount, process and network namespaces of
its own (see enter.sh), in an empty folder. A line "# program-test: ..." near its top may say more:
  modes=chroot,overlay   also with `ferry -L ROOT` on the host's own files instead of a chroot (default: chroot only)
  timeout=SECONDS        for one run (default 120)
  shell=/bin/sh          what runs it (default /bin/bash)
  root=NAME              in the roots riscv64-NAME and amd64-NAME; skipped where these have not been made
  slow                   only with --slow or --all, or when named on the command line
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

from cases import differences  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
MARK = "# program-test:"
WAYS = ("cold", "warm", "precompiled")
PATIENCE = {"opt": 10}  # times a case's timeout: every short process waits for LLVM to start and to compile


class Case:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        words = []
        for line in path.read_text().splitlines()[:6]:
            if line.startswith(MARK):
                words += line[len(MARK):].split()
        said = dict(word.split("=", 1) for word in words if "=" in word)
        self.slow = "slow" in words
        self.modes = said.get("modes", "chroot").split(",")
        self.timeout = float(said.get("timeout", 120))
        self.shell = said.get("shell", "/bin/bash")
        self.suffix = "-" + said["root"] if "root" in said else ""

    def roots(self):
        return [arch + self.suffix for arch in ("riscv64", "amd64")]


def namespaces():
    """The words that start a command in namespaces of its own, as root or as anybody; None where the kernel lets us not."""
    own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net"]
    for words in ([], ["--user", "--map-root-user"]):
        command = own + words
        done = subprocess.run(command + ["true"], capture_output=True, check=False)
        if done.returncode == 0:
            return command
    return None


def usual_signals():
    """A shell without job control starts its background jobs with these ignored; programs would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def play(command, timeout, environment, folder):
    """One run: (status, output, messages, seconds). What it left running ends with its process namespace."""
    start = time.monotonic()
    with open(folder / "out", "w+b") as out, open(folder / "err", "w+b") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, start_new_session=True,
                                   preexec_fn=usual_signals)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = "timeout"
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    seconds = time.monotonic() - start
    return (status, (folder / "out").read_text(errors="replace"), (folder / "err").read_text(errors="replace"), seconds)


class Runner:
    def __init__(self, arguments):
        self.ferry = os.path.abspath(arguments.ferry)
        self.roots = arguments.roots.resolve()
        self.options = arguments.option
        self.patience = arguments.patience
        self.own = namespaces()
        self.known = {}
        self.cache = str(arguments.cache.resolve()) if arguments.cache else ""
        self.files = arguments.precompile.split(",")

    def prepare(self, way, names):
        """For runs in one of WAYS: what they find in their caches."""
        if way == "precompiled":
            for root in sorted({case.roots()[0] for case in names}):
                command = [self.ferry, "precompile", f"--cache-dir={self.cache_of(way, root)}", "--cache-system=", "-L", self.roots / root, *self.files]
                made = subprocess.run(command, capture_output=True, text=True, check=False)
                if made.returncode:
                    raise RuntimeError(f"{root} could not be precompiled: {made.stderr[-500:]}")

    def cache_of(self, way, name):
        return os.path.join(self.cache, "precompiled" if way == "precompiled" else "runs", name)

    def cache_for(self, case, way):
        """In one of WAYS: which cache, and words on how to use it."""
        if not way:
            return self.cache, []
        if way == "precompiled":
            return self.cache_of(way, case.roots()[0]), ["--cache-system=", "--cache=read"]
        return self.cache_of(way, case.name), ["--cache-system="]

    def command(self, case, mode, runner):
        """`runner` is a list: how to start the shell from inside, empty for the native twin."""
        root = self.roots / case.roots()[0 if runner else 1]
        return [*self.own, "bash", str(HERE / "enter.sh"), mode, str(root), self.ferry, str(case.path), *runner, case.shell]

    def run(self, case, mode, runner, cache="", patience=1):
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "dumb"}
        with tempfile.TemporaryDirectory(prefix="ferry-program-") as folder:
            folder = pathlib.Path(folder)
            environment["FERRY_TEST_FOLDER"] = str(folder / "work")
            environment["FERRY_CACHE_DIR"] = cache
            (folder / "work").mkdir()
            return play(self.command(case, mode, runner), case.timeout * patience, environment, folder)

    def test(self, case, mode, tier, way):
        native = self.run(case, "chroot", [])
        where = "/run/ferry" if mode == "chroot" else self.ferry
        system = [] if mode == "chroot" else ["-L", str(self.roots / case.roots()[0])]
        cache, words = self.cache_for(case, way)
        ours = self.run(case, mode, [where, "run", f"--tier={tier}", *words, *self.options, *system], cache, self.patience * PATIENCE.get(tier, 1))
        problems = differences(native, ours)
        if native[0] == "timeout" or not native[1].strip():
            problems = [f"the case itself is broken: natively status {native[0]}, {len(native[1])} bytes of output"]
            problems += ["stderr: " + line for line in native[2].splitlines()[-12:]]
        return problems, native[3], ours[3]


def chosen(arguments):
    cases = [Case(path) for path in sorted((HERE / "cases").glob("*.sh"))]
    if arguments.filter:
        exact = [case for case in cases if case.name in arguments.filter]
        return exact or [case for case in cases if any(word in case.name for word in arguments.filter)]
    return [case for case in cases if arguments.all or case.slow == arguments.slow]


def play_all(runner, runs, arguments):
    """How many failed."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        jobs = [pool.submit(runner.test, *run) for run in runs]
        for (case, *how), job in zip(runs, jobs):
            problems, native, ours = job.result()
            failed += bool(problems)
            name = " ".join([case.name, *how]).rstrip()
            if problems:
                print(f"FAILED {name}")
                print("\n".join("    " + line for line in problems), flush=True)
            if arguments.times:
                print(f"{name}: {native:.2f} s natively, {ours:.2f} s", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ferry", required=True, help="the runner to test, statically linked")
    parser.add_argument("--roots", required=True, type=pathlib.Path, help="folder with the roots riscv64 and amd64")
    parser.add_argument("--mode", default="", help="only this mode: chroot or overlay")
    parser.add_argument("--tier", default="interp", help="tiers to run on, separated by commas")
    parser.add_argument("--option", action="append", default=[], help="one more option for ferry, such as --option=-strace")
    parser.add_argument("--cache", type=pathlib.Path, help="folder for what Ferry keeps, also between calls; default: nothing is kept")
    parser.add_argument("--ways", default="", help="in turns, separated by commas: cold (an empty cache for each case), warm (the same cache again), "
                        "precompiled (a cache that is only read); what is in the cache's folder goes first")
    parser.add_argument("--precompile", default="/usr/bin,/usr/sbin,/usr/lib,/usr/libexec", help="files and folders of the root, for precompiled runs")
    parser.add_argument("--slow", action="store_true", help="the slow cases instead of the quick ones")
    parser.add_argument("--all", action="store_true", help="quick and slow cases")
    parser.add_argument("--patience", type=float, default=1, help="times each case's timeout, for options that make all slow")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at once")
    parser.add_argument("--list", action="store_true", help="name the cases and do nothing")
    parser.add_argument("--times", action="store_true", help="say how long each took, natively and under Ferry")
    parser.add_argument("filter", nargs="*", help="only the cases of these names, or whose name contains one of them")
    arguments = parser.parse_args()
    cases = chosen(arguments)
    if arguments.list:
        for case in cases:
            print(case.name, ",".join(case.modes), "slow" if case.slow else "")
        return 0
    ways = [way for way in WAYS if way in arguments.ways.split(",")] or [""]
    runs = [(case, mode, tier, way) for way in ways for case in cases for mode in case.modes for tier in arguments.tier.split(",")
            if arguments.mode in ("", mode)]
    wanted = sorted({name for run in runs for name in run[0].roots()})
    missing = [name for name in wanted if not (arguments.roots / name / "usr/bin/bash").exists()]
    if missing:
        print(f"no Debian roots {', '.join(missing)} in {arguments.roots}: make them with ./dev root {' '.join(missing)}", file=sys.stderr)
    skipped = [run for run in runs if set(run[0].roots()) & set(missing)]
    runs = [run for run in runs if run not in skipped]
    if skipped and not runs:
        print(f"0 passed, 0 failed, {len(skipped)} skipped")
        return 77
    runner = Runner(arguments)
    if not runner.own or not shutil.which("chroot"):
        print("no namespaces here: neither root nor `unshare --user` allowed", file=sys.stderr)
        print(f"0 passed, 0 failed, {len(runs) + len(skipped)} skipped")
        return 77
    if arguments.ways and not arguments.cache:
        parser.error("--ways wants --cache")
    if arguments.ways:
        shutil.rmtree(arguments.cache, ignore_errors=True)
    failed = 0
    for way in ways:
        some = [run for run in runs if run[3] == way]
        runner.prepare(way, {run[0] for run in some})
        failed += play_all(runner, some, arguments)
    print(f"{len(runs) - failed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
