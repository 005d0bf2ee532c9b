# python3: floats, threads, processes, asyncio, sockets, databases, numbers.
# program-test: timeout=300
python3 - <<'P'
import hashlib, json, math, struct, decimal, fractions, zlib, sqlite3, threading, subprocess, multiprocessing, asyncio, random, re, itertools, statistics
print(hashlib.sha3_256(b"x" * 1000).hexdigest(), zlib.crc32(b"ferry" * 1000), hashlib.blake2b(b"a").hexdigest()[:20])
print([repr(x) for x in (0.1, 1e22, 1e-7, 2**0.5, float("inf"), 5e-324, 1.7976931348623157e308)])
print(math.sin(1e6), math.exp(1), math.gamma(5.5), math.fsum([.1] * 10), round(2.675, 2), 7 // -2, -7 % 3)
decimal.getcontext().prec = 60; print(decimal.Decimal(2).sqrt(), fractions.Fraction(355, 113) ** 5)
random.seed(7); print([random.random() for _ in range(3)], random.sample(range(1000), 5), statistics.stdev(range(100)))
lock, total = threading.Lock(), 0
def work():
    global total
    for i in range(2000):
        with lock: total += 1
threads = [threading.Thread(target=work) for _ in range(6)]
[t.start() for t in threads]; [t.join() for t in threads]; print("threads", total)
print(subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True, text=True))
try: subprocess.run(["/no/such/program"])
except FileNotFoundError as e: print("ENOENT", e.errno)
def square(x): return x * x
with multiprocessing.Pool(3) as pool: print(pool.map(square, range(10)))
async def main():
    async def one(n): await asyncio.sleep(0.01 * (3 - n)); return n
    print(await asyncio.gather(*(one(n) for n in range(3))))
    process = await asyncio.create_subprocess_exec("echo", "async", stdout=asyncio.subprocess.PIPE); print((await process.communicate())[0])
    server = await asyncio.start_server(lambda r, w: (w.write(b"served"), w.close()), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()); print(await reader.read())
asyncio.run(main())
db = sqlite3.connect(":memory:"); db.execute("create table t (a, b real)"); db.executemany("insert into t values (?, ?)", ((i, i / 7) for i in range(500)))
print(db.execute("select count(*), sum(b), avg(a) from t where a % 3 = 1").fetchone(), struct.pack(">dQ", 1.5, 2**63).hex())
print(len(list(itertools.permutations(range(6)))), re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world"), json.dumps({"k": [1.5, None, True, "é"]}))
P
python3 - <<'P'
import ctypes, datetime, gzip, bz2, lzma, os, pickle, random, selectors, signal, socket, string, struct, tempfile, textwrap, time, uuid, collections, functools, hashlib, math, cmath, array, bisect, heapq, zoneinfo
print(datetime.datetime(2024, 2, 29, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).isoformat(), datetime.date(2024, 12, 31).isocalendar(), uuid.uuid5(uuid.NAMESPACE_DNS, "ferry"))
for module in (gzip, bz2, lzma): print(module.__name__, module.decompress(module.compress(b"ferry" * 10000)) == b"ferry" * 10000)
print(pickle.loads(pickle.dumps({"a": [1, 2.5, None, {3}], "b": b"x"})), struct.unpack("<e", struct.pack("<e", 1.1)), float.fromhex("0x1.8p-3"), (0.1).as_integer_ratio(), (2.0 ** 70).hex())
print(math.comb(50, 25), math.isqrt(10 ** 40), pow(3, 10 ** 6, 10 ** 9 + 7), len(str(2 ** 2000)), cmath.sqrt(-2), math.nextafter(1, 2), math.ulp(1e10), math.fma(1.1, 2.2, 3.3), math.remainder(7, 3))
print([f"{x:.3e} {x:g} {x!r} {round(x, 3)}" for x in (1 / 3, 1e-300, 123456.789, -0.0)], f"{10 ** 20:,} {255:#x} {-5:08b} {0.5:%}")
libc = ctypes.CDLL(None); libc.strlen.restype = ctypes.c_size_t; print(libc.strlen(b"hello"), libc.abs(-7), ctypes.sizeof(ctypes.c_long))
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))(lambda a, b: a[0] - b[0])
numbers = (ctypes.c_int * 8)(5, 3, 9, 1, 7, 2, 8, 4); libc.qsort(numbers, 8, 4, callback); print(list(numbers))
got = []; signal.signal(signal.SIGALRM, lambda *_: got.append("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.2); print(got)
pid = os.fork()
if not pid: os._exit(17)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])); r, w = os.pipe(); os.write(w, b"pipe"); print(os.read(r, 10), os.stat("/etc/passwd").st_size > 0, sorted(os.listdir("/proc/self/fd")) != [])
a, b = socket.socketpair(); socket.send_fds(a, [b"m"], [r]); print(socket.recv_fds(b, 10, 1)[0]); s = selectors.DefaultSelector(); s.register(b, selectors.EVENT_READ); a.send(b"x"); print([k.fileobj is b for k, _ in s.select(1)])
class Tree:
    def __init__(self, n): self.kids = [Tree(n - 1) for _ in range(3)] if n else []
    def count(self): return 1 + sum(k.count() for k in self.kids)
print(Tree(7).count(), functools.reduce(lambda x, y: x * y, range(1, 30)), heapq.nsmallest(3, [(i * 7919) % 1009 for i in range(1000)]), collections.Counter("mississippi").most_common(2))
try: [][1]
except IndexError as e: print(e)
def deep(n): return n and deep(n - 1) + 1
try: deep(10 ** 6)
except RecursionError: print("too deep")
os.kill(os.getpid(), signal.SIGTERM)
P
echo $?; python3 -c 'import faulthandler, ctypes; faulthandler.enable(); ctypes.string_at(0)' 2>&1 | head -1; python3 -c 'import os; os.abort()' 2>/dev/null; echo $?; echo 'print(input())' | python3 - 2>&1 | tail -1; python3 -m json.tool <<< '{"b":1,"a":[2]}'; python3 -m timeit -n 1 -r 1 pass >/dev/null; echo $?; python3 -m venv --help | wc -l | awk '{ print ($1 > 5) }'
