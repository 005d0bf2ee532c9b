"""Changes a record in a file of the store as somebody would who knows docs/cache-format.md: all checksums are right afterwards."""
import contextlib
import ctypes
import sqlite3
import struct

import read_bundle
from cases import Skipped, want

PIECE_BITS = 20


def pack(content):
    zstd = read_bundle.zstd
    if not zstd:
        raise Skipped("there are no libraries of zstd and xxHash")
    zstd.ZSTD_compressBound.restype = zstd.ZSTD_compress.restype = ctypes.c_size_t
    frame = ctypes.create_string_buffer(zstd.ZSTD_compressBound(ctypes.c_size_t(len(content))))
    size = zstd.ZSTD_compress(frame, ctypes.c_size_t(len(frame)), content, ctypes.c_size_t(len(content)), 3)
    want(size <= len(frame), "zstd failed")
    return frame.raw[:size]


class File:
    """A file's one module. What is changed is written by save."""

    def __init__(self, path):
        self.path = path
        with contextlib.closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT id & 1048575, bytes FROM piece ORDER BY id").fetchall()
        self.pieces = {number: bytearray(read_bundle.unpack(frame)) for number, frame in rows}
        self.index = self.pieces[0]
        self.count, self.places = struct.unpack_from("<2I", self.index, 4)

    def records(self):
        """(entry, kind): piece, offset, size."""
        at = 48 + 20 * self.count
        places = (struct.unpack_from("<5I", self.index, at + 20 * i) for i in range(self.places))
        return {place[:2]: place[2:] for place in places}

    def record(self, place):
        piece, offset, size = self.records()[place]
        return bytes(self.pieces[piece][offset:offset + size])

    def change(self, place, at, value):
        """`value`: bytes to stand in the record from `at` on."""
        piece, offset, size = self.records()[place]
        want(0 <= at <= size - len(value), "that is not in the record")
        self.pieces[piece][offset + at:offset + at + len(value)] = value

    def save(self):
        for number in range(1, self.count + 1):
            struct.pack_into("<I16s", self.index, 48 + 20 * (number - 1), len(self.pieces[number]), read_bundle.checksum(bytes(self.pieces[number])))
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            for number, content in self.pieces.items():
                database.execute("UPDATE piece SET bytes = ? WHERE id = ?", (pack(bytes(content)), 1 << PIECE_BITS | number))
            database.execute("UPDATE module SET checksum = ?", (read_bundle.checksum(bytes(self.index)),))
