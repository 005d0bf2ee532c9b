#!/usr/bin/env python3
"""Bundles between machines: the same content makes the same bytes, hashes and signatures are what docs/cache-format.md says, changes and strangers are refused, and what
was installed for all users is used by them, and by whom it is of no use to is told."""
import base64
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
import read_bundle  # noqa: E402
from cases import Skipped, want  # noqa: E402
from runs import KeptRuns  # noqa: E402

SEAL, HASH_AT, KEY_AT, SIGNATURE_AT = 176, 16, 80, 112
# RFC 8410: what stands before an Ed25519 key's bytes in its SubjectPublicKeyInfo.
KEY_PREFIX = bytes.fromhex("302a300506032b6570032100")
NOBODY = 65534


class Tests(KeptRuns):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.full = self.warm("full", self.static)
        self.counted(self.full, self.other)
        self.counted(self.full, self.static, "--cpu=rv64,zbs=off")
        self.key = self.work / "key"
        self.fine(self.cache("", "keygen", self.key))

    def fine(self, made):
        want(made.returncode == 0, made.stderr)
        return made.stdout

    def bundle(self, cache, name, *options, **more):
        path = self.work / name
        self.fine(self.cache(cache, "export", path, *options, **more))
        return path

    def verified(self, bundle, *options):
        made = self.cache("", "verify", "--json", bundle, *options)
        return made.returncode, json.loads(made.stdout)["bundles"][0]

    # ---- the same bytes

    def test_reproducible(self):
        """Whatever way the same records came together: in another order, at another time, in other memory, by another umask."""
        expected, chance = self.bundle(self.full, "first").read_bytes(), random.Random(4)
        files = [path.relative_to(self.full) for path in self.full.rglob("*.db")]
        want(len(files) >= 3, "there are too few files")
        for number in range(4):
            copy = self.work / f"copy.{number}"
            chance.shuffle(files)
            for path in files:
                os.makedirs(copy / path.parent, mode=0o700, exist_ok=True)
                shutil.copy(self.full / path, copy / path)
                os.utime(copy / path, (0, number * 100000))
            for folder in (copy, *copy.glob("**/")):
                folder.chmod(0o700)
            environment = {**os.environ, "MALLOC_PERTURB_": str(17 * number + 1), "TZ": f"UTC{number}", "PATH": "/none"}
            want(self.bundle(copy, "again", env=environment).read_bytes() == expected, "the bytes differ")
        self.fine(self.cache(self.work / "merged", "import", "--cpu=rv64", self.work / "first"))
        self.fine(self.cache(self.work / "merged", "import", self.work / "first"))
        want(self.bundle(self.work / "merged", "again").read_bytes() == expected, "the bytes differ after an import")
        signed = [self.bundle(self.full, "signed", f"--sign={self.key}").read_bytes() for _ in range(2)]
        want(signed[0] == signed[1] and signed[0][:-SEAL] == expected[:-SEAL], "signatures differ")

    # ---- what is in it

    def test_seal(self):
        data = self.bundle(self.full, "seal", f"--sign={self.key}").read_bytes()
        seal, database = data[-SEAL:], data[:-SEAL]
        want(seal[:8] == b"FrySeal1" and int.from_bytes(seal[8:16], "little") == len(database), "its beginning is wrong")
        want(seal[HASH_AT:KEY_AT] == hashlib.blake2b(database).digest(), "its hash is wrong")
        public = (self.work / "key.pub").read_text().split()
        want(public[:2] == ["ferry-public-key", "ed25519"] and base64.b64decode(public[2]) == seal[KEY_AT:SIGNATURE_AT], "its key is wrong")

    def test_format(self):
        """By a reader that knows docs/cache-format.md alone."""
        modules = read_bundle.read(self.bundle(self.full, "format"))
        want([module.following for module in modules] == [4, 3, 2, 1, 0], "there are not three modules and two profiles")
        want(modules == sorted(modules, key=lambda module: (module.build, module.key)), "modules are not in order")
        code = {read_bundle.module_key(code): code for code in map(read_bundle.executable, (self.static, self.other))}
        want({module.key for module in modules} == set(code), "keys are not what the programs' are")
        profiles, modules = modules[:2], modules[2:]
        want(not any(any(module.build) for module in profiles), "these are no profiles")
        builds = sorted({module.build for module in modules})
        want(len(builds) == 2 and builds[0][:7] == builds[1][:7] and builds[0][7:11] != builds[1][7:11] and builds[0][11:] == builds[1][11:],
             "other parts of the builds' keys differ than should")
        for module in modules:
            regions = module.regions()
            want(len(regions) >= 5, "there are too few regions")
            for (entry, kind), region in regions.items():
                want(region.guest == region.guest_bytes(code), f"the region at {entry:#x} has other guest bytes than the file")
                want(any(block[0] == entry and block[2] < region.bytes for block in region.blocks), f"nothing is to be entered at {entry:#x}")
                want(kind & ~read_bundle.EXACT == 1, "the mode is not that of counting code")

    def test_signature(self):
        """By another implementation."""
        if not shutil.which("openssl"):
            raise Skipped("there is no openssl")
        seal = self.bundle(self.full, "openssl", f"--sign={self.key}").read_bytes()[-SEAL:]
        paths = [self.work / name for name in ("public.der", "message", "signature")]
        for path, data in zip(paths, (KEY_PREFIX + seal[KEY_AT:SIGNATURE_AT], seal[:SIGNATURE_AT], seal[SIGNATURE_AT:])):
            path.write_bytes(data)
        made = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths[0], "-rawin", "-in", paths[1],
                               "-sigfile", paths[2]], capture_output=True, text=True, check=False)
        want(made.returncode == 0, made.stdout + made.stderr)

    # ---- who is believed

    def test_required(self):
        signed, unsigned = self.bundle(self.full, "signed", f"--sign={self.key}"), self.bundle(self.full, "unsigned")
        required = ("--cache-require-signed", f"--cache-keys={self.work}/key.pub")
        want(self.verified(signed, *required)[0] == 0, "a signed bundle is refused")
        stranger = self.work / "stranger"
        self.fine(self.cache("", "keygen", stranger))
        for bundle in (unsigned, self.bundle(self.full, "theirs", f"--sign={stranger}")):
            target = self.work / "refused"
            made = self.cache(target, "import", bundle, *required)
            want(made.returncode == 1 and "cache-require-signed" in made.stderr and not target.exists(), f"{bundle} came in")
            want(self.verified(bundle, *required)[0] == 1, f"{bundle} is not refused")
            self.fine(self.cache(self.work / "accepted", "import", bundle))
        self.fine(self.cache(self.work / "believed", "import", signed, *required))

    def test_changed(self):
        """Whatever is done to a bundle, it is refused, and changes nothing. One that lost its seal for another is not signed any more."""
        data, chance = self.bundle(self.full, "whole", f"--sign={self.key}").read_bytes(), random.Random(5)
        path, target = self.work / "changed", self.work / "target"
        for number in range(40):
            changed = bytearray(data)
            at = chance.randrange(len(data) - SEAL if number % 2 else 0, len(data))
            changed[at] ^= 1 << chance.randrange(8)
            path.write_bytes(changed if number % 5 else data[:at])
            want(self.cache(target, "import", path).returncode == 1 and not target.exists(), f"changed at {at}, it came in")
        database = data[:-SEAL]
        path.write_bytes(database + data[-SEAL:SIGNATURE_AT - SEAL] + bytes(64))
        want("signature is wrong" in self.verified(path)[1]["reason"], "it is believed without a signature")
        path.write_bytes(database + data[-SEAL:KEY_AT - SEAL] + bytes(96))
        want(self.verified(path)[1]["signature"] == "none", "it is still signed")

    # ---- where it goes

    def test_other_machine(self):
        """Import says of what is of no use why that is so."""
        cache = self.work / "foreign"
        made = self.cache(cache, "import", self.bundle(self.full, "both"))
        want("1 of 5 modules" in made.stderr and "another guest processor (--cpu)" in made.stderr and "host" not in made.stderr, made.stderr)
        made = self.cache(cache, "import", "--json", "--cpu=rv64,zbs=off", self.work / "both")
        builds = json.loads(made.stdout)["builds"]
        want(sorted((build["modules"], build["differs"]) for build in builds) == [(1, []), (2, []), (2, ["guest processor (--cpu)"])], made.stdout)
        want(self.counted(cache, self.static)["kept_regions"] >= 5, "what is of use was not used")

    def test_for_all_users(self):
        """What root installed others use, and cannot change."""
        if os.geteuid():
            raise Skipped("this wants root")
        bundle = self.bundle(self.full, "all", f"--sign={self.key}")
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            system, guest, report = pathlib.Path(folder) / "var/ferry", pathlib.Path(folder) / "guest", pathlib.Path(folder) / "report"
            system.parent.mkdir(mode=0o755)
            shutil.copy(self.static, guest)
            ferry = shutil.copy(self.ferry, folder)
            report.touch()
            os.chown(report, NOBODY, NOBODY)
            made = self.cache("", "import", bundle, "--system", f"--cache-system={system}:/none", "--cache-require-signed",
                              f"--cache-keys={self.work}/key.pub", umask=0o077)
            self.fine(made)
            modes = {path.name: f"{path.stat().st_mode & 0o7777:o} {path.stat().st_uid}" for path in (system, *system.glob("**/*"))}
            want(modes.pop("lock") == "600 0" and set(modes.values()) == {"755 0", "644 0"}, f"modes are {modes}")
            made = subprocess.run([ferry, "run", "--cache-dir=", f"--cache-system={system}", f"--stats-json={report}", guest, "600"], user=NOBODY,
                                  group=NOBODY, extra_groups=[], stdout=subprocess.PIPE, text=True, check=False, cwd="/", env={})
            want(f"status {made.returncode}: {made.stdout}" == self.expected(self.static), "other results")
            want(json.loads(report.read_text())["kept_regions"] >= 5, "another user does not use it")
            # Others' files do not count, wherever they lie.
            for path in system.glob("code/*/*.db"):
                os.chown(path, NOBODY, NOBODY)
            made = self.result([ferry, "run", "--cache-dir=", f"--cache-system={system}", f"--stats-json={report}", guest, "600"])
            want(json.loads(report.read_text())["kept_regions"] == 0, "what another user owns is used")
            want(made == self.expected(self.static), "other results")


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
