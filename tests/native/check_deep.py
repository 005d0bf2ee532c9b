#!/usr/bin/env python3
"""`ferry cache verify --deep`: of what runs left all is made again as it is; a record with right checksums and one wrong byte is found, which nothing else finds; and what
cannot be code does no harm."""
import json
import pathlib
import random
import struct
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402
import plant  # noqa: E402
from cases import want  # noqa: E402
from runs import KeptRuns  # noqa: E402

SHEET = 0x20000


class Tests(KeptRuns):
    def deep(self, cache, *words, status=0):
        made = self.cache(cache, "verify", "--deep", "--json", "--cache-system=", *words)
        want(made.returncode == status, f"status {made.returncode}, not {status}: {made.stdout} {made.stderr}")
        return json.loads(made.stdout)["deep"]

    def filled(self, name):
        """What runs left that count and that do not, and where code has to be exact."""
        cache = self.warm(name, self.static)
        for _ in range(2):
            self.same(cache, self.static)
            self.settle()
        return cache

    def planted(self, name):
        cache = self.filled(name)
        return cache, plant.File(self.files(cache)[0])

    def a_record(self, file, sheet):
        return sorted(place for place in file.records() if bool(place[1] & SHEET) == sheet)[0]

    # ---- what is right

    def test_right(self):
        cache = self.filled("right")
        found = self.deep(cache, "--sample=all")
        for sort, least in (("sheets", 20), ("regions", 8)):
            want(found[sort]["records"] == found[sort]["compared"] >= least, f"compared {found}")
        want(not found["wrong"] and not found["findings"], f"found {found}")
        bundle = self.work / "right.bundle"
        want(self.cache(cache, "export", bundle).returncode == 0, "no bundle was made")
        want(self.deep("", "--sample=all", bundle)["sheets"] == found["sheets"], "not the same in a bundle")
        said = self.cache(cache, "verify", "--deep", "--cache-system=").stdout
        want(" 0 wrong (--seed=" in said and f"of {found['sheets']['records']} sheets" in said, said)

    def test_other_build(self):
        found = self.deep(self.warm("processor", self.static), "--cpu=rv64,zbs=off")
        want(found["other_builds"] > 20 and not found["sheets"]["records"] and not found["wrong"], f"found {found}")

    def test_sample(self):
        cache, file = self.planted("sample")
        place = self.a_record(file, True)
        file.change(place, len(file.record(place)) - 100, b"\xcc\xcc")
        file.save()
        seen = set()
        for seed in range(30):
            deep = [self.cache(cache, "verify", "--deep", "--json", "--cache-system=", "--sample=5", f"--seed={seed}") for _ in range(2)]
            want(deep[0].stdout == deep[1].stdout, "the same seed is another sample")
            found = json.loads(deep[0].stdout)["deep"]
            want(found["sheets"]["compared"] == 5 == found["regions"]["compared"], f"compared {found}")
            want(deep[0].returncode == found["wrong"] <= 1, "the status is wrong")
            seen.add(found["wrong"])
        want(seen == {0, 1}, f"samples are always the same: {seen}")

    # ---- what is wrong

    def one_wrong_byte(self, sheet):
        cache, file = self.planted(f"wrong-{sheet}")
        want(self.deep(cache, "--sample=all")["wrong"] == 0, "it was wrong before")
        place = self.a_record(file, sheet)
        code = struct.unpack_from("<I", file.record(place), 28 if sheet else 16)[0]  # bytes, at the record's end
        at = len(file.record(place)) - code // 2
        file.change(place, at, bytes([file.record(place)[at] ^ 4]))
        file.save()
        self.sound(cache)
        found = self.deep(cache, "--sample=all", status=1)
        want(found["wrong"] == len(found["findings"]) == 1, f"found {found}")
        finding = found["findings"][0]
        want(finding["file"] == str(file.path) and finding["sort"] == ("sheet" if sheet else "region"), f"found {finding}")
        want((finding["entry"], finding["kind"]) == place and f"from byte {at} of" in finding["reason"], f"found {finding}, not {place} {at}")
        said = self.cache(cache, "verify", "--deep", "--sample=all", "--cache-system=")
        want(said.returncode == 1 and f"at {place[0]:#x} of {self.static}: this Ferry makes other code of it" in said.stdout, said.stdout)

    def test_wrong_byte_in_a_sheet(self):
        self.one_wrong_byte(True)

    def test_wrong_byte_in_a_region(self):
        self.one_wrong_byte(False)

    def test_no_record(self):
        cache, file = self.planted("nonsense")
        for sheet in (True, False):
            file.change(self.a_record(file, sheet), 0, b"\xff" * 40)
        file.save()
        self.sound(cache)
        found = self.deep(cache, "--sample=all", status=1)
        want([finding["reason"] for finding in found["findings"]] == ["it is no such record"] * 2, f"found {found}")

    def test_whatever_it_is(self):
        """Records of whatever somebody made up: each that was changed is found, whatever the compiler does with it."""
        cache, file = self.planted("whatever")
        chance, changed = random.Random(4), set()
        for place in file.records():
            if chance.random() < 0.5:
                continue
            size = len(file.record(place))
            for _ in range(chance.choice([1, 3, 20])):
                at = chance.randrange(min(size, chance.choice([40, 400, size])))
                file.change(place, at, bytes([file.record(place)[at] ^ 1 << chance.randrange(8)]))
            changed.add((file.records()[place][:2], place[1]))
        file.save()
        self.sound(cache)
        found = self.deep(cache, "--sample=all", status=1)
        want(found["wrong"] >= len(changed) * 0.9, f"found {found['wrong']} of {len(changed)}")  # some changes undo each other


if __name__ == "__main__":
    sys.exit(cases.main(Tests))
