#!/usr/bin/env python3
"""Code that is kept between runs: the next run uses it, wherever the program lies then; another program, processor or damage is a miss; and whatever becomes of
the cache, of those who write it or of those who read it, the guest's results are right."""
import contextlib
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
from cases import Skipped, want  # noqa: E402
from runs import NATIVE, ROOT, ROUNDS, KeptRuns  # noqa: E402


class Tests(KeptRuns):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.times = arguments.times
        self.storm = self.build("storm", "-static", source=NATIVE / "storm.c")

    # ---- what is used

    def reuse(self, name, guest):
        report = self.counted(self.warm(name, guest), guest)
        want(report["kept_regions"] >= 5, f"only {report['kept_regions']} regions were used again")
        want(report["optimised_regions"] <= 2, f"{report['optimised_regions']} regions were compiled again")

    def test_again(self):
        self.reuse("again", self.static)

    def test_again_elsewhere_in_memory(self):
        if ROOT.exists():
            self.reuse("elsewhere", self.dynamic)

    def test_again_under_another_name(self):
        cache = self.warm("name", self.static)
        shutil.copy(self.static, self.work / "copy")
        want(self.counted(cache, self.work / "copy")["kept_regions"] >= 5, "it is not known under another name")

    # ---- what is a miss

    def test_other_bytes(self):
        cache = self.warm("bytes", self.static)
        want(self.expected(self.other) != self.expected(self.static), "both programs do the same")
        self.same(cache, self.other)
        self.settle()
        self.same(cache, self.static)
        self.same(cache, self.other)

    def test_other_processor(self):
        cache = self.warm("processor", self.static)
        want(self.counted(cache, self.static, "--cpu=rv64,zbs=off")["kept_regions"] == 0, "code for another processor was used")

    def test_off_and_read(self):
        cache = self.work / "off"
        report = self.counted(cache, self.static, "--no-cache")
        want(not cache.exists() and report["kept_regions"] == 0, "something was kept")
        report = self.counted(cache, self.static, "--cache=read")
        want(not cache.exists() and report["kept_regions"] == 0, "something was kept")
        cache = self.warm("read", self.static)
        before = {path: path.read_bytes() for path in self.files(cache)}
        want(self.counted(cache, self.static, "--cache=read")["kept_regions"] >= 5, "nothing was used")
        want(before == {path: path.read_bytes() for path in self.files(cache)}, "something was written")

    def test_damaged(self):
        cache, chance = self.warm("damaged", self.static), random.Random(1)
        whole = {path: path.read_bytes() for path in self.files(cache)}
        want(whole, "there are no files")
        for number in range(18):
            for path, data in whole.items():
                data = bytearray(data)
                for _ in range(chance.choice([1, 1, 8, 100])):
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                path.write_bytes(data[:chance.randrange(len(data))] if number % 3 == 0 else data)
            self.same(cache, self.static, "--cache=read" if number % 2 else "--cache=on")

    def test_in_the_way(self):
        cache = self.warm("way", self.static)
        for path in self.files(cache):
            path.unlink()
            path.mkdir()
        self.same(cache, self.static)
        (self.work / "text").write_text("no directory")
        self.same(self.work / "text", self.static)
        self.same(self.work / "text/below", self.static)
        self.same("/proc/no/such/place", self.static)

    def test_something_else_in_its_place(self):
        """What lies where a folder or a file is to be is said, and moved away by the next run that writes."""
        build = self.files(self.warm("place", self.static))[0].parent.name
        for number, (name, folder) in enumerate([("code", False), (f"code/{build}", False), ("profile", False), ("damaged", False),
                                                 ("lock", True), (f"code/{build}/tmp.{self.module_file()}", True)]):
            cache = self.warm(f"place-{number}", self.static)
            path = cache / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            if name == "damaged":  # moved away when something else is
                self.files(cache)[0].write_text("damaged")
            elif folder:
                self.files(cache)[0].unlink()  # so that there is something to write
            (path.mkdir if folder else path.touch)()
            self.complained_of(cache, path)
            for _ in range(2):
                self.counted(cache, self.static)
            self.sound(cache)
            want(any((cache / "damaged").iterdir()), f"{name} was not moved to damaged/")
            want(self.stats(cache)["trouble"] is None, f"there is trouble after {name}")
            want(self.counted(cache, self.static)["kept_regions"] >= 5, f"little was kept after {name}")

    def module_file(self):
        return self.files(self.work / "place")[0].name

    def complained_of(self, cache, path):
        """That `ferry cache verify` names a path, in both of its forms."""
        said = self.cache(cache, "verify", "--cache-system=")
        want(said.returncode == 1 and f"{path}: " in said.stdout, f"verify says nothing of {path}: {said.stdout}")
        found = json.loads(self.cache(cache, "verify", "--cache-system=", "--json").stdout)["damaged"]
        want(str(path) in [file["file"] for file in found], f"verify --json says nothing of {path}: {found}")

    def unchanged(self, cache, *options):
        """A run uses and changes nothing."""
        before = {path: path.read_bytes() for path in self.files(cache)}
        want(self.counted(cache, self.static, *options)["kept_regions"] == 0, "something was used")
        want(before == {path: path.read_bytes() for path in self.files(cache)}, "something was written")

    def test_others_may_write(self):
        cache = self.warm("others", self.static)
        for path in (cache, cache / "code", self.files(cache)[0].parent):
            for bit in (0o20, 0o2):
                path.chmod(0o700 | bit)
                self.unchanged(cache)
                if path != cache:
                    self.complained_of(cache, path)
                    want(f"{path.relative_to(cache)}: others may" in str(self.stats(cache)["trouble"]), "stats does not say why")
                said = self.cache(cache, "dir")
                want(said.returncode == 1 and "others may write to it" in said.stderr, f"dir does not say why: {said}")
                path.chmod(0o700)
        self.sound(cache)
        want(self.counted(cache, self.static)["kept_regions"] >= 5, "nothing is used of what is trusted again")

    def test_link(self):
        cache, link = self.warm("linked", self.static), self.work / "link"
        link.symlink_to(cache)
        self.unchanged(link)
        want("symbolic link" in self.cache(link, "dir").stderr, "dir does not say that it is a link")

    def test_read_only(self):
        with self.small_disk("read-only", "4m") as disk:
            cache = disk / "cache"
            shutil.copytree(self.warm("for-read-only", self.static), cache)
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            want(self.counted(cache, self.static)["kept_regions"] >= 5, "nothing is used of what can only be read")
            self.same(cache, self.other)
            self.settle()
            want("read-only" in str(self.stats(cache)["trouble"]), "stats does not say that nothing can be written")
            self.sound(cache)

    def test_nowhere(self):
        want(self.result([self.ferry, "run", self.static, ROUNDS], {}) == self.expected(self.static), "other results without HOME")

    # ---- many, and those that die

    def test_many(self):
        cache = self.work / "many"
        expected = {guest: self.expected(guest) for guest in (self.static, self.other)}
        started = [(guest, subprocess.Popen(self.command(cache, guest), stdout=subprocess.PIPE, text=True))
                   for _ in range(10) for guest in (self.static, self.other)]
        for guest, process in started:
            output = process.communicate(timeout=300)[0]
            want(f"status {process.returncode}: {output}" == expected[guest], "other results")
        self.settle()
        self.sound(cache)

    def test_two_builds(self):
        """Two Ferrys on one directory: what they make is for each alone, and neither harms the other's."""
        cache, processors = self.work / "builds", ["--cpu=rv64", "--cpu=rv64,zbs=off"]
        for _ in range(2):
            # Code that counts is another kind: all these count.
            started = [subprocess.Popen(self.command(cache, self.static, cpu, f"--stats-json={self.work}/report.{number}"),
                                        stdout=subprocess.PIPE, text=True)
                       for number, cpu in enumerate(processors * 3)]
            for process in started:
                output = process.communicate(timeout=300)[0]
                want(f"status {process.returncode}: {output}" == self.expected(self.static), "other results")
            self.settle()
        for cpu in processors:
            report = self.counted(cache, self.static, cpu)
            want(report["kept_regions"] >= 5, f"only {report['kept_regions']} regions of {cpu} were used again")
        want(self.stats(cache)["builds"] == 2, "there are not two builds in the directory")
        self.sound(cache)

    def test_killed(self):
        """Whoever is killed at whatever moment leaves nothing damaged behind. Always another processor, so that there is something to write."""
        cache, chance = self.work / "killed", random.Random(2)
        for number in range(25 * self.times):
            features = "".join(f",{name}={chance.choice(['on', 'off'])}" for name in ("zba", "zbb", "zbs", "zicond"))
            process = subprocess.Popen(self.command(cache, chance.choice([self.static, self.other]), f"--cpu=rv64{features}"),
                                       stdout=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 0.5))
            if chance.random() < 0.3:
                self.kill_compilers(chance)
            process.kill()
            process.wait()
            time.sleep(chance.choice([0, 0.002, 0.02, 0.1]) * chance.random())
            self.kill_compilers(chance)
            if number % 5 == 0:
                self.sound(cache)
            if number % 20 == 19:
                self.settle()
                shutil.rmtree(cache, ignore_errors=True)
        self.settle()
        self.sound(cache)
        self.same(cache, self.static)
        self.settle()
        self.sound(cache)

    def test_killed_while_it_waits(self):
        """Who waits for good and is killed has kept what was done before."""
        cache, report, guest = self.work / "waits-cache", self.work / "waits.json", self.build("waits", "-static", "-nostdlib", source=NATIVE / "waits.c")
        command = [self.ferry, "run", f"--cache-dir={cache}", f"--stats-json={report}", guest]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            time.sleep(2.5)
            process.kill()
            killed = process.communicate()[0]
        self.settle()
        want(self.result([*command, "end"]) == f"status 0: {killed}", f"other results than {killed}")
        kept = json.loads(report.read_text())["kept_pages"]
        want(kept >= 1, "nothing was kept")

    def kill_compilers(self, chance):
        for folder in self.compilers():
            if chance.random() < 0.7:
                self.kill(int(folder.name))

    def kill(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    # ---- disks that are full, descriptors that others close

    @contextlib.contextmanager
    def small_disk(self, name, size="256k"):
        """A file system of that size."""
        disk = self.work / name
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", disk], capture_output=True, check=False)
        if mounted.returncode:
            raise Skipped("mount is not permitted")
        try:
            yield disk
        finally:
            self.settle()
            subprocess.run(["umount", "--lazy", disk], check=True)

    def fill(self, disk, leave=0):
        """Takes all room but so many bytes."""
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - leave
        with contextlib.suppress(OSError), open(disk / "filler", "ab", buffering=0) as file:
            file.write(bytes(max(free, 0)))

    def test_full_disk(self):
        with self.small_disk("full") as disk:
            cache = disk / "cache"
            for leave in (0, 4096, 16384):
                self.fill(disk, leave)
                self.same(cache, self.static)
                self.settle()
                want("space" in str(self.stats(cache)["trouble"]), f"no trouble with {leave} bytes left")
                self.sound(cache)
                (disk / "filler").unlink()
            self.counted(cache, self.static)
            want(self.stats(cache)["trouble"] is None and self.files(cache), "nothing was written when there was room again")
            self.fill(disk)
            want(self.counted(cache, self.static)["kept_regions"] >= 5, "what was there before is not used")
            self.sound(cache)

    def test_disk_that_fills_up(self):
        """While guests run: with more code than there is room for, and room that comes and goes."""
        chance, expected = random.Random(3), self.storms("", "--tier=interp")
        with self.small_disk("fills") as disk:
            for _ in range(6):
                with subprocess.Popen(self.storm_command(disk / "cache"), stdout=subprocess.PIPE, text=True) as process:
                    while process.poll() is None:
                        self.fill(disk, chance.choice([0, 0, 4096, 20000, 70000]))
                        time.sleep(chance.uniform(0, 0.2))
                        (disk / "filler").unlink(missing_ok=True)
                        time.sleep(chance.uniform(0, 0.1))
                    want(f"status {process.returncode}: {process.stdout.read()}" == expected, "other results")
                self.settle()
                self.sound(disk / "cache")
            self.fill(disk)
            want(self.storms(disk / "cache") == expected, "other results")
            self.settle()
            want(self.stats(disk / "cache")["trouble"], "there was room enough")

    def storm_command(self, cache, *options):
        return [self.ferry, "run", f"--cache-dir={cache}", *options, self.storm, "200"]

    def storms(self, cache, *options):
        return self.result(self.storm_command(cache, *options))

    def test_storm(self):
        """Forks, and threads that close all descriptors, while code is made, written and found again."""
        cache, expected = self.work / "storm-cache", self.storms("", "--tier=interp")
        want("lost 0" in expected, expected)
        for _ in range(5 * self.times):
            came = self.storms(cache)
            want(came == expected, came)
        self.settle()
        want(self.stats(cache)["code"]["files"] > 20, "the mappings are not modules")
        self.sound(cache)


if __name__ == "__main__":
    sys.exit(cases.main(Tests, times={"type": int, "default": 1, "help": "how much longer than usual the long cases are"}))
