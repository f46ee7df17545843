#!/usr/bin/env python3
"""Writes the seeds in recording/ for recording_fuzzer: whole and damaged recordings, and bare payloads.

A writer of its own after docs/recording-format.md, without a zstd library: it stores each payload in
zstd's raw (uncompressed) blocks, which every reader must take.
"""

import pathlib
import struct
import zlib


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def zigzag(value):
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def text(value):
    return varint(len(value.encode())) + value.encode()


def sized(kind, *fields):
    body = b"".join(fields)
    return bytes([kind]) + varint(len(body)) + body


def zstd_raw(payload):
    """One single-segment frame with a 4-byte content size and one last raw block."""
    block = (len(payload) << 3 | 1).to_bytes(3, "little")
    return bytes.fromhex("28b52ffd") + b"\xa0" + struct.pack("<I", len(payload)) + block + payload


def frame(payload):
    stored = zstd_raw(payload)
    sizes = struct.pack("<II", len(stored), len(payload))
    return sizes + struct.pack("<I", zlib.crc32(sizes + stored)) + stored


def header(version=1):
    return b"GILSPY\r\n" + struct.pack("<H", version)


STARTED = sized(16, varint(10**12), zigzag(4711), text("python app.py"), text("3.12.1"), b"\0\2",
                zigzag(1_700_000_000 * 10**9), varint(2), struct.pack("<dd", 1000, 100),
                zigzag(5_000_000))
DEFINED = (sized(18, varint(0), text("main")) + sized(18, varint(1), text("größe 🐍")) +
           sized(19, varint(0), varint(1), varint(0), varint(10)) +
           sized(20, varint(1), varint(0), varint(0), varint(12)) +
           sized(21, varint(0), zigzag(4711), varint(0)) +
           sized(22, varint(0), zigzag(4711), varint(0), zigzag(4711), varint(0), b"\1\1"))
HOT = (bytes([1]) + varint(250_000) + varint(1) + zigzag(4712) + bytes([0, 4, 1, 0, 0, 1]) +
       bytes([2]) + varint(0) + varint(0) + varint(1) + b"\1" + varint(3) +
       bytes([3]) + varint(1_000_000) + varint(0) + varint(1) +
       bytes([1]) + varint(5_000_000) + varint(0) + varint(1) + bytes([3, 3, 1, 0]) + zigzag(202))
ENDED = (sized(24, varint(0), zigzag(4711), text("the target was stopped")) +
         sized(25, varint(0), *(varint(n) for n in (1000, 2, 1, 4, 100, 3)), zigzag(40_000_000)) +
         sized(23, varint(1), varint(0)) + sized(17, varint(1), zigzag(4711), b"\1"))

WHOLE = header() + frame(STARTED + DEFINED + HOT + ENDED)
LATER = sized(23, varint(10**12 + 1), varint(0), zigzag(4711))
SEEDS = {
    "whole": WHOLE,
    "two_frames": header() + frame(STARTED + DEFINED) + frame(LATER),
    "cut": WHOLE[:-7],
    "bad_checksum": WHOLE[:-1] + b"\xff",
    "back_in_time": header() + frame(LATER) + frame(sized(23, varint(1), varint(0), zigzag(1))),
    "unknown_event": header() + frame(sized(99, b"from the future") + LATER),
    "huge_sizes": header() + b"\xff" * 12,
    "newer_version": header(2) + frame(LATER),
    "foreign": b'{"traceEvents": []}',
    "empty": b"",
    "payload_all_kinds": STARTED + DEFINED + HOT + ENDED,
    "payload_frequent": STARTED + HOT,
    "payload_endless_number": bytes([1]) + b"\xff" * 11,
    "payload_bad_enum": bytes([1, 0, 0, 2, 0, 5, 0, 0, 0, 1]),
    "payload_not_utf8": sized(18, varint(0), varint(3), b"a\xe9b"),
    "payload_bytes_left": sized(23, varint(0), varint(0), zigzag(1), b"\0"),
}

if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "recording"
    folder.mkdir(exist_ok=True)
    for name, content in SEEDS.items():
        (folder / name).write_bytes(content)
