"""A reader of bundles as docs/cache-format.md describes them, and nothing else: what it cannot read is wrong there or here. With the libraries of zstd and xxHash."""
import ctypes
import hashlib
import sqlite3
import struct

from cases import Skipped, want

SEAL_BYTES, EXACT, SHEET = 176, 0x10000, 0x20000


class Hash(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


try:
    zstd, xxhash = ctypes.CDLL("libzstd.so.1"), ctypes.CDLL("libxxhash.so.0")
    zstd.ZSTD_getFrameContentSize.restype, zstd.ZSTD_decompress.restype = ctypes.c_ulonglong, ctypes.c_size_t
    xxhash.XXH3_128bits.restype, xxhash.XXH3_128bits.argtypes = Hash, [ctypes.c_char_p, ctypes.c_size_t]
except OSError:
    zstd = None


def unpack(frame):
    size = zstd.ZSTD_getFrameContentSize(frame, len(frame))
    content = ctypes.create_string_buffer(size)
    want(zstd.ZSTD_decompress(content, size, frame, len(frame)) == size, "a frame is damaged")
    return content.raw


def halves(data):
    made = xxhash.XXH3_128bits(data, len(data))
    return made.low, made.high


def checksum(data):
    return struct.pack(">QQ", *reversed(halves(data)))


def module_key(code):
    samples = b"".join(code[(len(code) - 256) * i // 4:][:256] for i in range(1, 5))
    return struct.pack("<QQ", *halves(code[:4096] + samples + struct.pack("<Q", len(code))))


def executable(path):
    """What the kernel maps of a file's code: whole pages."""
    data = path.read_bytes()
    at, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    for number in range(count):
        kind, flags, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, at + 56 * number)
        if kind == 1 and flags & 1:
            start, end = offset & ~4095, offset + size + 4095 & ~4095
            return data[start:end].ljust(end - start, b"\0")
    return None


class Region:
    def __init__(self, record):
        modules, blocks, self.exits, self.holes, self.bytes, self.holes_at, self.exits_at, _, ways, guest = struct.unpack_from("<10I", record)
        self.modules = [record[40 + 16 * i:][:16] for i in range(modules)]
        self.blocks = [struct.unpack_from("<4I", record, 40 + 16 * (modules + i)) for i in range(blocks)]
        at = 40 + 16 * (modules + blocks + self.exits + self.holes)
        self.ways = [struct.unpack_from("<2B", record, at + 2 * i) for i in range(ways)]
        self.guest = record[at + 2 * ways:][:guest]
        size = at + 2 * ways + guest + self.bytes
        want(len(record) == (size + 7) // 8 * 8, f"a region has {len(record)} bytes, not {size}")
        want(all(max(way) < blocks for way in self.ways), "a way leads nowhere")
        want(self.exits_at + 24 * self.exits <= self.bytes and self.holes_at + 8 * self.holes <= self.bytes, "a region is too short")

    def guest_bytes(self, code):
        """`code`: of each module, by key."""
        return b"".join(code[self.modules[module]][at:at + size] for at, size, _, module in self.blocks)


class Module:
    def __init__(self, database, row):
        number, self.build, self.key, self.name, size, check, self.following = row
        pieces = [unpack(frame) for frame, in database.execute("SELECT bytes FROM piece WHERE id >> 20 = ? ORDER BY id", (number,))]
        index = pieces[0]
        want(len(index) == size and checksum(index) == check, "the checksum of an index is wrong")
        magic, count, places, zero = struct.unpack_from("<4I", index)
        want(magic == 0x78497246 and count == len(pieces) - 1 and not zero, "the beginning of an index is wrong")
        want(index[16:48] == self.build + self.key and len(index) == 48 + 20 * (count + places), "an index is not as its row says")
        for i, piece in enumerate(pieces[1:]):
            want(index[48 + 20 * i:][:20] == struct.pack("<I", len(piece)) + checksum(piece), "the checksum of a piece is wrong")
        self.records, before = {}, None
        for i in range(places):
            entry, kind, piece, offset, size = struct.unpack_from("<5I", index, 48 + 20 * (count + i))
            want(offset % 16 == 0 and offset + size <= len(pieces[piece]) and (before is None or before < (entry, kind)), "a place is wrong")
            self.records[before := (entry, kind)] = pieces[piece][offset:offset + size]

    def regions(self):
        return {place: Region(record) for place, record in self.records.items() if not place[1] & SHEET}


def read(path):
    """The modules of a bundle, in order."""
    if not zstd:
        raise Skipped("there are no libraries of zstd and xxHash")
    data = path.read_bytes()
    seal = data[-SEAL_BYTES:]
    want(seal[:16] == b"FrySeal1" + struct.pack("<Q", len(data) - SEAL_BYTES), "its seal is wrong")
    want(seal[16:80] == hashlib.blake2b(data[:-SEAL_BYTES]).digest(), "its hash is wrong")
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    return [Module(database, row) for row in database.execute("SELECT * FROM module ORDER BY id")]
