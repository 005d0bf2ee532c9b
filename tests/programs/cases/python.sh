# python3: its own unit tests, and things that use threads, processes, floats
# program-test: timeout=300
run() { python3 -m test -q "$@" >log 2>&1; local status=$?; echo "$* $status"; [ $status = 0 ] || tail -30 log; }
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
run test_struct; run test_float
