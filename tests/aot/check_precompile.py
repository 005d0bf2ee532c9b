#!/usr/bin/env python3
"""`ferry precompile`: what it makes is under the keys that runs ask for, and is used by them; nothing is done twice; whatever stops it, it goes on from there;
files that are damaged are in nobody's way."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
from cases import want  # noqa: E402
from runs import GCC, NATIVE, Runs  # noqa: E402

ROUNDS = "300"
COPIES = 80  # of a program, each of another key
PROMPT = 0.05  # seconds in which nothing is done
PLACES = 200
# Jumps to places that are computed from a number, all of them of the same length.
COMPUTED = f"""
#include <stdio.h>
#include <stdlib.h>
extern const char places[];
__asm__(".option push\\n.option norvc\\n.balign 16\\nplaces:\\n.rept {PLACES}\\naddi a0, a0, 3\\nxori a0, a0, 5\\nslli a0, a0, 1\\nret\\n.endr\\n.option pop\\n");
int main(int argc, char **argv) {{
    unsigned long sum = 0, step = strtoul(argv[1], NULL, 10) * 16;
    for (unsigned long i = 0, at = (unsigned long)places; i < {PLACES}; i++, at += step) sum += ((unsigned long (*)(unsigned long))at)(sum & 0xffff);
    printf("%lx\\n", sum);
}}
"""


def names(files, state):
    return {name for name, event in files.items() if event["state"] == state}


# Loops alone, without a C library, whose loops would take LLVM a quarter of a minute.
LOOPS = """
static unsigned words[1024];
#define SHAPE(name, ...) static __attribute__((noinline)) unsigned name(unsigned x) { for (unsigned i = 0; i < 1024; i++) { __VA_ARGS__; } return x; }
SHAPE(sum, x += words[i] ^ i)
SHAPE(mix, x = x * 31 + (words[i] >> (i & 7)))
SHAPE(step, words[i] = words[i] * 1664525 + 1013904223 + x; x ^= words[i] >> 16)
SHAPE(odd, if (words[i] & 1) x += i; else x ^= words[i] * 5)
SHAPE(turn, x = (x << 5 | x >> 27) ^ words[1023 - i])
static long call(long number, long a, long b, long c) {
    register long a7 __asm__("a7") = number, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
}
void _start(void) {
    unsigned x = 1;
    char text[9] = "........\\n";
    for (int round = 0; round < 30; round++) x = turn(odd(step(mix(sum(x)))));
    for (int i = 0; i < 8; i++, x >>= 4) text[i] = "0123456789abcdef"[x & 15];
    call(64, 1, (long)text, sizeof text);
    call(93, 0, 0, 0);
}
"""


class Tests(Runs):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.root, self.sanitized = arguments.root, arguments.sanitized
        self.static, self.bin = self.build("static", "-static"), self.work / "bin"
        self.make_family()

    def make_family(self):
        """A program, what it needs, and a folder with more."""
        (self.bin / "lib").mkdir(parents=True)
        for name, needs in (("inner", []), ("outer", ["-linner"])):
            source = self.work / f"{name}.c"
            source.write_text(f"int {name}(int x) {{ for (int i = 0; i < x; i++) x ^= i * {len(name)}; return x; }}\n")
            self.link(self.bin / f"lib/lib{name}.so", "-shared", "-fPIC", f"-Wl,-soname,lib{name}.so", source, *needs)
        source = self.work / "main.c"
        source.write_text("int outer(int), inner(int);\nint main(int argc, char **argv) { return (outer(argc) ^ inner(argc)) & 1; }\n")
        self.link(self.bin / "program", source, "-louter", "-linner", "-Wl,-rpath,$ORIGIN/lib")
        (self.bin / "text").write_text("no program")
        (self.bin / "loop").symlink_to(self.bin)
        os.mkfifo(self.bin / "fifo")
        shutil.copy("/bin/true", self.bin / "foreign")

    def link(self, target, *options):
        lib = self.bin / "lib"
        subprocess.run([GCC, "-O1", "-Wl,--no-as-needed", f"-L{lib}", f"-Wl,-rpath-link,{lib}", "-o", target, *options], check=True)

    def copies(self, count):
        """Programs that differ in bytes of their headers that nobody looks at."""
        folder, whole = self.work / "copies", self.static.read_bytes()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for number in range(count):
            (folder / f"{number:03}").write_bytes(whole[:9] + number.to_bytes(4, "little") + whole[13:])
        return folder

    # ---- runs

    def command(self, cache, *words):
        return [self.ferry, "precompile", "--json", f"--cache-dir={self.work / cache}", "--cache-system=", *words]

    def read(self, text):
        events = [json.loads(line) for line in text.splitlines()]
        want(events and events[0]["event"] == "begin" and events[-1]["event"] == "end", f"no report: {text[-300:]}")
        return {event["file"]: event for event in events if event["event"] == "file"}, events[-1]

    def precompile(self, cache, *words, status=0):
        """Events of files by name, and that of the end."""
        made = subprocess.run(self.command(cache, *words), capture_output=True, text=True, timeout=300, check=False)
        want(made.returncode == status, f"status {made.returncode}, not {status}: {made.stderr[-500:]}")
        return *self.read(made.stdout), made.stderr

    def keys(self, cache):
        listed = self.cache(self.work / cache, "list", "--json")
        return {module["name"]: module["module"] for module in json.loads(listed.stdout)["modules"]}

    # ---- what is made

    def test_is_used(self):
        files, end, _ = self.precompile("used", self.static)
        want(files[str(self.static)]["state"] == "done" and end["done"] == 1 and end["sheets"] > 10, f"made {end}")
        output, translated = self.translated("--cache-system=", f"--cache-dir={self.work / 'used'}", "--cache=read")
        plain, without = self.translated("--cache=off")
        want(output == plain, f"other results: {output}")
        want(translated * 10 < without, f"{translated} blocks were translated, {without} without it")

    def translated(self, *options):
        return self.blocks_of(self.static, ROUNDS, *options)

    def blocks_of(self, guest, way, *options):
        """What a program prints, and how many blocks were translated for it."""
        log = self.work / "blocks"
        log.unlink(missing_ok=True)
        run = subprocess.run([self.ferry, "run", f"--log-blocks={log}", *options, guest, way], capture_output=True, text=True, check=True)
        return run.stdout, len(log.read_text().splitlines()) if log.exists() else 0

    def test_same_keys(self):
        """Those that a run puts things under."""
        sysroot = ["-L", self.root] if (self.root / "usr/bin").is_dir() else []
        for guest in [self.static] + [self.build("dynamic", "-pie", "-fPIE")] * bool(sysroot):
            files, _, _ = self.precompile("keys", *sysroot, guest)
            for _ in range(2):
                subprocess.run([self.ferry, "run", "--cache-system=", f"--cache-dir={self.work / 'keys-run'}", *sysroot, guest, "600"], check=True,
                               stdout=subprocess.DEVNULL)
            self.settle()
            used = self.keys("keys-run")
            want(str(guest) in used, f"the run kept nothing of {guest}: {used}")
            for name, key in used.items():
                want(name not in files or files[name]["modules"] == [key], f"{name} has {key} for a run, not {files.get(name)}")

    def test_real_programs(self):
        if not (self.root / "usr/bin/python3").exists():
            return
        commands = ["/usr/bin/python3", "-c", "print(sum(x * x for x in range(9)), 'é'.encode(), 1 / 3)"], ["/bin/bash", "-c", "for x in a b; do echo $x$((3 * 4)); done"]
        files, _, _ = self.precompile("real", "-L", self.root, *(command[0] for command in commands))
        want(sum("libc.so" in name for name in files) == 1, f"libc is not once in {list(files)}")
        for command in commands:
            outputs = [subprocess.run([self.ferry, "run", "-L", self.root, *options, *command], capture_output=True, text=True, check=False).stdout
                       for options in (["--cache=off"], ["--cache=read", f"--cache-dir={self.work / 'real'}"])]
            want(outputs[0] == outputs[1] and outputs[0], f"other results: {outputs}")

    def test_needed_and_folders(self):
        files, end, errors = self.precompile("family", self.bin / "program", status=1)  # no loader and libc without a root
        want({f"{self.bin}/program", f"{self.bin}/lib/libouter.so", f"{self.bin}/lib/libinner.so"} <= set(files), f"went through {list(files)}")
        want("which was not found" in errors, errors)
        files, end, errors = self.precompile("folders", self.bin)
        want(len(files) == 3 and end["complaints"] == 0 and not errors, f"went through {list(files)}: {errors}")

    # ---- what runs found out

    def train(self, cache, *guest):
        subprocess.run([self.ferry, "run", "--cache-system=", f"--cache-dir={self.work / cache}", *guest], check=True, stdout=subprocess.DEVNULL)
        self.settle()

    def trained(self, cache, *guest):
        """A cache that has profiles alone."""
        self.train(cache, *guest)
        profiles = list((self.work / cache / "profile").glob("*.db"))
        want(len(profiles) == 1, f"so many profiles of one program: {len(profiles)}")
        shutil.rmtree(self.work / cache / "code")

    def kept_regions(self, cache, *guest):
        """How many regions a short run finds in the cache: it has no compiler program that could make some."""
        lonely = self.work / "lonely"
        lonely.mkdir(exist_ok=True)
        if not (lonely / "ferry").exists():
            shutil.copy(self.ferry, lonely / "ferry")
        with subprocess.Popen([lonely / "ferry", "run", "-perfmap", "--cache-system=", f"--cache-dir={self.work / cache}", "--cache=read", *guest],
                              stdout=subprocess.PIPE, text=True) as run:
            output = run.communicate(timeout=60)[0]
        names = pathlib.Path(f"/tmp/perf-{run.pid}.map")
        lines = names.read_text().splitlines() if names.exists() else []
        names.unlink(missing_ok=True)
        return output, sum(line.split(" ", 2)[2].startswith("opt:") for line in lines)

    def test_profiles(self):
        """What a short run found out is LLVM's to compile, once."""
        guest, rounds = self.static, "30"
        self.trained("profiles", guest, rounds)
        plain, before = self.kept_regions("profiles", guest, rounds)
        want(before == 0, f"there are {before} regions before any was made")
        _, end, _ = self.precompile("profiles", guest)
        want(end["done"] == 1 and end["regions"] > 3, f"made {end}")
        output, kept = self.kept_regions("profiles", guest, rounds)
        want(output == plain, f"other results: {output}")
        want(kept > 3, f"only {kept} regions of {end['regions']} were used")
        want(self.precompile("profiles", guest)[1]["current"] == 1, "the same was done again")
        self.sound(self.work / "profiles")

    def test_profiles_of_jobs(self):
        """However many processes share the regions, they are the same."""
        self.trained("one", self.static, "30")
        shutil.copytree(self.work / "one", self.work / "three")
        made = [self.precompile(cache, f"--jobs={jobs}", self.static)[1] for cache, jobs in (("one", 1), ("three", 3))]
        want(made[0]["regions"] == made[1]["regions"] > 3 and made[0]["sheets"] == made[1]["sheets"], f"made {made}")
        want(made[0]["bytes"] == made[1]["bytes"], f"made {made}")

    def test_more_training(self):
        """Code that was not in the profile is a reason to begin again, and what was is none."""
        guest = self.build("pages-more", "-static", "-lm", source=NATIVE / "pages.c")
        self.trained("more", guest, "work")
        first = self.precompile("more", guest)[1]
        want(first["done"] == 1 and first["regions"] > 0, f"made {first}")
        self.train("more", guest, "work")
        self.train("more", guest, "fault")
        second = self.precompile("more", guest)[1]
        want(second["done"] == 1, f"nothing was done for new code: {second}")
        want(self.precompile("more", guest)[1]["current"] == 1, "the same was done again")

    def test_untrained(self):
        """Blocks that no run came to are found as well: they are on sheets of their own."""
        guest = self.build("pages-other", "-static", "-lm", source=NATIVE / "pages.c")
        self.trained("untrained", guest, "work")
        self.precompile("blank", guest)
        self.precompile("untrained", guest)
        for way in ("work", "fault"):
            counts = [self.blocks_of(guest, way, *options) for options in
                      (["--cache=off"], *(["--cache-system=", f"--cache-dir={self.work / cache}", "--cache=read"] for cache in ("blank", "untrained")))]
            want(len({output for output, _ in counts}) == 1, f"other results: {counts}")
            without, blank, untrained = (count for _, count in counts)
            want(untrained * 20 < without and untrained <= blank + 5, f"{untrained} blocks of {way} were translated, {blank} without a profile, {without} without a cache")

    def test_found_by_runs(self):
        """Code that nothing in the file points to, and that only a run comes to."""
        source = self.work / "jumps.c"
        source.write_text(COMPUTED)
        guest = self.build("jumps", "-static", source=source)
        self.precompile("computed", guest)
        options = "--cache-system=", f"--cache-dir={self.work / 'computed'}"
        expected, before = self.blocks_of(guest, "1", *options, "--cache=read")
        want(before >= PLACES, f"discovery found it all: {before} blocks were translated")
        self.train("computed", guest, "1")
        for _ in "code is there", "only profiles are":
            self.precompile("computed", guest)
            output, after = self.blocks_of(guest, "1", *options, "--cache=read")
            want(output == expected, f"other results: {output}")
            want(after * 10 < before, f"{after} blocks were translated, {before} before the run")
            shutil.rmtree(self.work / "computed/code")
        self.precompile("computed", guest)
        want(self.precompile("computed", guest)[1]["current"] == 1, "the same was done again")

    def test_damaged_profiles(self):
        """They are nobody's reason to fail."""
        self.trained("torn", self.static, "30")
        profile, chance = next((self.work / "torn/profile").glob("*.db")), random.Random(5)
        whole = profile.read_bytes()
        for number in range(12):
            data = bytearray(whole[:chance.randrange(len(whole))] if number % 4 == 0 else whole)
            for _ in range(chance.choice([1, 10, 300])):
                data[chance.randrange(len(data))] = chance.randrange(256)
            profile.write_bytes(data)
            shutil.rmtree(self.work / "torn/code", ignore_errors=True)
            _, end, _ = self.precompile("torn", self.static)
            want(end["done"] == 1 and end["sheets"] > 10, f"made {end}")
        profile.write_bytes(whole)
        want(self.precompile("torn", self.static)[1]["regions"] > 3, "a profile that is whole again was not used")

    def test_bundle_without_profiles(self):
        """What is made for others is the same for everybody."""
        self.trained("own", self.static, "30")
        bundles = [self.work / "bundle-own", self.work / "bundle-blank"]
        for cache, bundle in zip(("own", "nothing"), bundles):
            _, end, _ = self.precompile(cache, "-o", bundle, self.static)
            want(end["done"] == 1 and end["regions"] == 0, f"made {end}")
        want(bundles[0].read_bytes() == bundles[1].read_bytes(), "a profile changed a bundle")

    def test_loops(self):
        """LLVM's code without any run; the same for everybody."""
        source = self.work / "loops.c"
        source.write_text(LOOPS)
        small = self.build("small", "-static", "-nostdlib", "-ffreestanding", "-fno-builtin", source=source)
        _, end, _ = self.precompile("loops", "--loops", small)
        want(end["done"] == 1 and end["regions"] > 3, f"made {end}")
        output, kept = self.kept_regions("loops", small, "30")
        want(kept >= 3, f"only {kept} regions of {end['regions']} were used")
        want(output == self.kept_regions("nothing", small, "30")[0], f"other results: {output}")
        for options in ["--loops"], []:
            want(self.precompile("loops", *options, small)[1]["current"] == 1, f"the same was done again with {options}")
        bundles = [self.work / f"bundle-loops{jobs}" for jobs in (1, 3)]
        for bundle, jobs in zip(bundles, (1, 3)):
            self.precompile("nothing", f"--jobs={jobs}", "--loops", "-o", bundle, small)
        want(bundles[0].read_bytes() == bundles[1].read_bytes(), "more processes made another bundle")

    def test_bundle_with_profiles(self):
        """It has LLVM's code, is the same each time, and is of use where nothing was run."""
        self.trained("trainers", self.static, "30")
        bundles = [self.work / f"bundle-trained{number}" for number in range(2)]
        for bundle, jobs in zip(bundles, (1, 3)):
            _, end, _ = self.precompile("trainers", f"--jobs={jobs}", "--profiles", "-o", bundle, self.static)
            want(end["done"] == 1 and end["regions"] > 3, f"made {end}")
        want(bundles[0].read_bytes() == bundles[1].read_bytes(), "the same profile made another bundle")
        self.cache(self.work / "imported", "import", bundles[0])
        output, kept = self.kept_regions("imported", self.static, "30")
        want(kept > 3, f"{kept} regions of the bundle were used")
        want(output == self.kept_regions("trainers", self.static, "30")[0], f"other results: {output}")

    # ---- what is done already

    def test_nothing_to_do(self):
        self.precompile("again", self.static)
        spent = []
        for _ in range(20):
            begun = time.monotonic()
            files, end, _ = self.precompile("again", self.static)
            spent.append(time.monotonic() - begun)
            want(files[str(self.static)]["state"] == "current" and end["current"] == 1, f"did something: {files}")
        want(self.sanitized or min(spent) < PROMPT, f"took {min(spent):.3f} s")
        said = subprocess.run([arg for arg in self.command("again", self.static) if arg != "--json"], capture_output=True, text=True, check=True).stdout
        want(said == "nothing to do: 1 files\n", said)

    def test_nothing_to_do_for_the_same_bytes(self):
        file, copy = self.work / "touched", self.work / "copied"
        shutil.copy(self.static, file)
        self.precompile("touch", file)
        os.utime(file, (1, 1))
        shutil.copy(file, copy)
        for path in (file, copy):
            want(self.precompile("touch", path)[1]["current"] == 1, "the same bytes were gone through again")

    def test_changed(self):
        file = self.work / "changed"
        file.write_bytes(self.static.read_bytes())
        self.precompile("change", file)
        file.write_bytes(self.static.read_bytes() + b"more")
        _, end, _ = self.precompile("change", file)
        want(end["done"] == 1 and end["sheets"] == 0, f"was not gone through again, or made something: {end}")
        want(self.precompile("change", file)[1]["current"] == 1, "it was not marked again")

    # ---- what stops it

    def test_stops_and_goes_on(self):
        folder = self.copies(COPIES)
        files, end, _ = self.precompile("stopped", "--jobs=1", "--time-budget=1", folder, status=3)
        want(end["stopped"] == "time" and end["done"] > 0 and end["left"] > 0, f"was not stopped in its midst: {end}")
        self.sound(self.work / "stopped")
        done = names(files, "done")
        for number in (signal.SIGINT, signal.SIGTERM):
            files, _ = self.interrupt(number, self.command("stopped", "--jobs=2", folder))
            want(done <= names(files, "current"), "what was done before was forgotten")
            done |= names(files, "done")
            self.sound(self.work / "stopped")
        files, end, _ = self.precompile("stopped", folder)
        want(names(files, "current") >= done and end["current"] + end["done"] == COPIES, "what was done before was forgotten")
        want(self.precompile("stopped", folder)[1]["current"] == COPIES, "something was left to do")
        self.sound(self.work / "stopped")

    def interrupt(self, number, command):
        """Sends a signal when the first file is done. The events."""
        run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        lines = []
        for line in run.stdout:
            lines.append(line)
            if '"event":"file"' in line and '"done"' in line:
                os.killpg(run.pid, number)  # children as well, as a terminal does
                break
        rest = run.communicate(timeout=60)[0]
        want(run.returncode == 128 + number, f"status {run.returncode} after signal {number}")
        files, end = self.read("".join(lines) + rest)
        want(end["stopped"] == "signal" and end["left"] > 0, f"was not stopped in its midst: {end}")
        return files, end

    def test_stops_within_a_file(self):
        big = next(self.root.glob("usr/libexec/gcc/riscv64-linux-gnu/*/cc1"), None)  # seconds of work
        if not big:
            return
        first = self.precompile("within", "--jobs=1", "--nice=19", "-L", self.root, big)[1]["sheets"]
        folder = "within-stopped"
        run = subprocess.Popen(self.command(folder, "--jobs=1", "--nice=19", "-L", self.root, big), stdout=subprocess.DEVNULL)
        while run.poll() is None and not list((self.work / folder).glob("code/*/*.db")):
            time.sleep(0.002)
        run.send_signal(signal.SIGINT)
        want(run.wait(60) == 130, "it was not stopped")
        second = self.precompile(folder, "-L", self.root, big)[1]["sheets"]
        want(second < first, f"made {second} sheets of {first} again")

    def test_killed(self):
        folder, chance = self.copies(10), random.Random(1)
        for _ in range(5):
            run = subprocess.Popen(self.command("killed", folder), stdout=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 0.5))
            run.kill()
            run.wait()
        self.precompile("killed", folder)
        self.sound(self.work / "killed")

    # ---- bundles, jobs

    def test_bundles(self):
        made = []
        for jobs in (1, 3):
            bundle = self.work / f"bundle{jobs}"
            _, end, _ = self.precompile("unused", f"--jobs={jobs}", "-o", bundle, self.static, self.bin)
            want(end["done"] == 4, f"went through {end}")
            made.append(bundle.read_bytes())
        want(made[0] == made[1], "the same files made another bundle")
        want(not (self.work / "unused").exists() and not list(self.work.glob("*.part")), "something was left beside the bundle")
        made = self.cache(self.work / "imported", "import", bundle)
        want(made.returncode == 0, made.stderr)
        want(self.precompile("imported", self.static, self.bin)[1]["current"] == 4, "the bundle has not all")
        self.precompile("kept", self.static, self.bin)
        want(sorted(self.keys("kept").values()) == sorted(self.keys("imported").values()), "the cache has other modules")

    def test_bundle_is_signed(self):
        key, bundle, plain = self.work / "key", self.work / "bundle-signed", self.work / "bundle-plain"
        subprocess.run([self.ferry, "cache", "keygen", key], check=True, stdout=subprocess.DEVNULL)
        self.precompile("unused", "-o", bundle, f"--sign={key}", self.bin)
        self.precompile("unused", "-o", plain, self.bin)
        want(bundle.read_bytes()[:-96] == plain.read_bytes()[:-96], "a signature changed more than the seal")
        believe = ["--cache-require-signed", f"--cache-keys={key}.pub", f"--cache-dir={self.work / 'signed'}"]
        for path, status in ((bundle, 0), (plain, 1)):
            made = subprocess.run([self.ferry, "cache", "import", *believe, path], capture_output=True, text=True, check=False)
            want(made.returncode == status, f"import of {path}: {made.returncode} {made.stdout} {made.stderr}")
        os.chmod(key, 0o644)
        unsigned = self.work / "bundle-unsigned"
        made = subprocess.run(self.command("unused", "-o", unsigned, f"--sign={key}", self.bin), capture_output=True, text=True, check=False)
        want(made.returncode == 1 and f"ferry: cannot sign with {key}: " in made.stderr, f"status {made.returncode}: {made.stderr}")
        want(not list(self.work.glob("bundle-unsigned*")) and not made.stdout, "something was done for a bundle that cannot be signed")
        made = subprocess.run(self.command("unused", f"--sign={key}", self.bin), capture_output=True, text=True, check=False)
        want(made.returncode == 2 and "--output" in made.stderr, f"status {made.returncode}: {made.stderr}")

    def test_bundle_goes_on(self):
        folder, bundle = self.copies(4), self.work / "bundle-stopped"
        command = self.command("unused", "--jobs=1", "-o", bundle, folder)
        self.interrupt(signal.SIGINT, command)
        want(not bundle.exists() and list(self.work.glob("bundle-stopped.*.part")), "what was done is not there")
        want(self.precompile("unused", "-o", bundle, folder)[1]["current"] > 0, "it did not go on")
        want(bundle.exists() and not list(self.work.glob("bundle-stopped.*.part")), "there is no bundle")

    # ---- what is wrong

    def test_damaged(self):
        whole, folder, chance = self.static.read_bytes(), self.work / "damaged", random.Random(3)
        folder.mkdir()
        for name, data in (("cut", whole[:len(whole) // 3]), ("headers", whole[:100]), ("header", whole[:40]),
                           ("far", whole[:32] + b"\xff" * 7 + b"\0" + whole[40:])):
            (folder / name).write_bytes(data)
        shutil.copy(self.static, folder / "whole")
        files, end, errors = self.precompile("damage", folder, status=1)
        want(files[str(folder / "whole")]["state"] == "done" and end["complaints"] == 3, f"{end} {errors}")
        for name in ("cut", "headers", "far"):
            want(f"ferry: {folder / name}: it" in errors, f"nothing was said of {name}: {errors}")
        for number in range(25):
            data = bytearray(whole)
            for _ in range(chance.choice([1, 10, 1000])):
                at = chance.choice([chance.randrange(1024), chance.randrange(len(data)), chance.randrange(len(data) - 4096, len(data))])
                data[at] = chance.randrange(256)
            (folder / "whole").write_bytes(data)
            made = subprocess.run(self.command(f"damage{number % 3}", folder / "whole"), capture_output=True, text=True, timeout=120, check=False)
            want(made.returncode in (0, 1), f"status {made.returncode} for a damaged file: {made.stderr}")
            self.read(made.stdout)

    def test_named_but_no_program(self):
        for path, words in ((self.bin / "text", "not a program"), (self.bin / "foreign", "not a program"), (self.work / "nowhere", "No such file"),
                            (self.bin / "fifo", "no ordinary file")):
            files, end, errors = self.precompile("named", path, self.static, status=1)
            want(f"ferry: {path}: " in errors and words in errors and end["done"] + end["current"] == 1, f"{end} {errors}")

    def test_nowhere_to_keep_it(self):
        (self.work / "file").write_text("")
        for cache in ("file", "file/below", "no/such/place"):
            made = subprocess.run(self.command(cache, self.static), capture_output=True, text=True, check=False)
            want(made.returncode == 1 and "ferry: cannot use " in made.stderr, f"status {made.returncode}: {made.stderr}")


if __name__ == "__main__":
    sys.exit(cases.main(Tests, "root", sanitized={"action": "store_true", "help": "nothing is prompt"}))
