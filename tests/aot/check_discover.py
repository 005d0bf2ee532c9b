#!/usr/bin/env python3
"""What `ferry-compiler --discover` finds in files, compared with the blocks that real programs enter (`ferry run --log-blocks`)."""
import collections
import pathlib
import struct
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.dont_write_bytecode = True

import cases  # noqa: E402

FOUND_AT_LEAST = 0.999  # of the blocks that a run entered
KNOWN_AT_LEAST = 0.98  # of the bytes of found blocks: in what symbols and unwind information call functions
PT_LOAD, PF_X = 1, 1

LUA = """
local words = {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do words[#words + 1] = word:upper():reverse() end
table.sort(words, function(a, b) return a > b end)
local ok, why = pcall(function() error({code = 3}) end)
local t = setmetatable({}, {__index = function(_, k) return k * 2 end, __call = function(_, x) return x end, __close = function() end})
local co = coroutine.wrap(function(...) for i = 1, select("#", ...) do coroutine.yield(select(i, ...)) end end)
for i = 1, 10 do words[i] = i // 3 ~ i << 2 & 255 | t[i]; if i % 2 == 0 then goto next end; words[i] = string.format("%5.2f %q", i / 3, "x") ::next:: end
print(co(1, 2), t(5), 2^0.5, -7 // 2, "a" .. 1, #words, not ok, math.floor(2.5), string.pack("<i4", 7):byte(1, -1))
"""
PYTHON = """
import json, re, collections, decimal, hashlib, itertools, zlib, textwrap
class A:
    def __init__(self, n): self.n = n
    def __enter__(self): return self
    def __exit__(self, *a): return True
    async def go(self): return self.n
with A(1) as a: raise ValueError(a.n)
def gen(n):
    try:
        for i in range(n): yield i
    finally: pass
x = {k: v for k, v in zip('abc', gen(3))}
match x:
    case {'a': 0, **rest}: print(rest)
print(json.loads(json.dumps({'a': [1, 2.5, None, 'x\\u00e9']})), re.sub(r'(\\w+) (\\w+)', r'\\2 \\1', 'hello world'))
print(decimal.Decimal(1) / 3, hashlib.sha256(b'x').hexdigest(), zlib.crc32(zlib.compress(b'y' * 100)), f'{x!r:>40} {3.14159:.2f}')
print(sorted(collections.Counter('mississippi').items()), list(itertools.permutations('abc'))[:2], 2**100 // 3**20, 1j * 2)
"""
SQL = """create table t(a integer primary key, b text); insert into t(b) values('x'),('y'),(null);
with recursive c(n) as (select 1 union all select n + 1 from c where n < 50) insert into t(b) select printf('%05d', n * 7 % 13) from c;
create index i on t(b); select b, count(*), group_concat(a) over (order by b) from t where b like '%0%' or b is null group by b order by 2 desc limit 5;
update t set b = upper(hex(randomblob(4))) where a % 3 = 0; delete from t where a in (select a from t where a > 40); select sum(a), avg(length(b)) from t;
explain query plan select * from t join t as u using (a) where u.b > 'a'; select json_extract('{"a":[1,2]}', '$.a[1]'), date('2024-02-29', '+1 year');"""
SHELL = """for f in 1 2 3; do x=$((f * 3 ** 2 % 7)); case $x in [0-3]) echo "low $x";; *) echo ${x/4/four};; esac; done
a=(b c d); echo "${a[@]:1}" "${#a[@]}" $(printf '%s\\n' "${a[@]}" | sort -r | tr b-d B-D | cut -c1 | paste -sd,); [[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}
declare -A m=([x]=1); f() { local y=$1; return $((y + 1)); }; f 3; echo $? ${m[x]} {1..5} $'\\t' <<< here; trap 'echo bye' EXIT"""
C_SOURCE = """
#define NULL ((void *)0)
void *malloc(unsigned long); int snprintf(char *, unsigned long, const char *, ...), puts(const char *); unsigned long strlen(const char *);
struct node { struct node *next; int value; double weight; };
static int classify(int c) { switch (c) { case 1: return 5; case 2: return 9; case 3: return 1; case 4: return 44; case 5: return 3; default: return c; } }
int main(int argc, char **argv) {
    struct node *list = 0;
    for (int i = 0; i < argc * 10; i++) { struct node *n = malloc(sizeof *n); n->next = list; n->value = classify(i % 7); n->weight = i / 3.0; list = n; }
    double sum = 0; for (struct node *n = list; n; n = n->next) sum += n->value * n->weight;
    char text[64]; snprintf(text, sizeof text, "%g %s", sum, argv[0]); return strlen(text) > 100 ? puts(text) : 0;
}
"""


class Elf:
    """Program headers: from places in the file to addresses."""

    def __init__(self, path):
        with open(path, "rb") as file:
            header = file.read(64)
            at, = struct.unpack_from("<Q", header, 32)
            size, count = struct.unpack_from("<HH", header, 54)
            file.seek(at)
            table = file.read(size * count)
        entries = [struct.unpack_from("<IIQQQQ", table, i * size) for i in range(count)]
        self.code = [(offset, address, length) for kind, flags, offset, address, _, length in entries if kind == PT_LOAD and flags & PF_X]

    def address(self, place):
        return next((place - offset + address for offset, address, length in self.code if offset <= place < offset + length), None)


def discover(compiler, path):
    found, totals = {}, {}
    text = subprocess.run([compiler, "--discover", path], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        words = line.split()
        if words[0] == "block":
            found[int(words[1], 16)] = int(words[2], 16)
        elif len(words) == 2:
            totals[words[0]] = int(words[1])
    return found, totals


def read_log(log):
    """{path: {(place, bytes)}}"""
    entered = collections.defaultdict(set)
    for line in log.read_text().splitlines():
        place, size, path = line.split(" ", 2)
        if path != "-":
            entered[path].add((int(place, 16), int(size, 16)))
    return entered


def main():
    arguments = cases.parse("compiler", "root", misses={"type": int, "default": 10, "help": "how many misses of a file to show"},
                            all={"action": "store_true", "help": "compilers too, which are large"})
    if not (arguments.root / "usr/bin").is_dir():
        print(f"{arguments.root} is no system; ./dev root makes one")
        return 77
    arguments.work.mkdir(parents=True, exist_ok=True)
    log = arguments.work / "blocks"
    log.unlink(missing_ok=True)
    source = arguments.work / "source.c"
    source.write_text(C_SOURCE)
    programs = [["usr/bin/lua5.4", "-e", LUA], ["usr/bin/python3", "-c", PYTHON], ["usr/bin/sqlite3", ":memory:", SQL], ["usr/bin/bash", "-c", SHELL],
                ["usr/bin/ls", "-lR", "--color=always", str(arguments.root / "etc/apt")], ["usr/bin/sort", "-n", "-k2", source],
                ["usr/bin/sha256sum", source], ["usr/bin/awk", "{n[$1]++} END {for (k in n) print k, sin(n[k])}", source],
                ["usr/bin/grep", "-nE", "(a|b)+[cd]?.*e", source], ["usr/bin/sed", "s/\\(a\\)b*/\\1/g;y/ab/cd/", source]]
    if arguments.all:
        programs.append(["usr/libexec/gcc/riscv64-linux-gnu/14/cc1", "-quiet", "-O2", "-march=rv64gc", "-mabi=lp64d", source, "-o", "/dev/null"])
    for command in programs:
        subprocess.run([arguments.ferry, "run", "--no-cache", f"--log-blocks={log}", "-L", arguments.root, arguments.root / command[0], *command[1:]],
                       stdout=subprocess.DEVNULL, check=False)
    failed = missing = all_entered = covered = known = 0
    for path, blocks in sorted(read_log(log).items()):
        elf = Elf(path)
        found, totals = discover(arguments.compiler, path)
        missed = sorted((elf.address(place), size) for place, size in blocks if found.get(elf.address(place)) != size)
        enough = len(missed) <= (1 - FOUND_AT_LEAST) * max(len(blocks), 1000)
        covered, known = covered + totals["covered"], known + totals["covered_known"]
        missing, all_entered = missing + len(missed), all_entered + len(blocks)
        failed += not enough
        print(f"{'passed' if enough else 'FAILED'} {pathlib.Path(path).name}: {len(blocks)} blocks entered, {len(missed)} of them not found; "
              f"{totals['blocks']} found, {100 * totals['covered_known'] / max(totals['covered'], 1):.2f} % of their bytes in functions")
        for address, size in missed[:arguments.misses]:
            print(f"  {address:x} of {size} bytes" + (f", found with {found[address]}" if address in found else ""))
    print(f"{100 * (1 - missing / max(all_entered, 1)):.3f} % of {all_entered} blocks, {100 * known / max(covered, 1):.2f} % of bytes in functions")
    failed += missing > (1 - FOUND_AT_LEAST) * all_entered or known < KNOWN_AT_LEAST * covered
    print(f"{1 - bool(failed)} passed, {int(bool(failed))} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
