#!/usr/bin/env python3
"""Writes the seeds of the line table fuzzer into line_table/, from the recorded tables of CPython."""

import pathlib
import re
import struct

here = pathlib.Path(__file__).resolve().parent
recorded = here.parent.parent / "fixtures" / "line_tables"
codes = "plain:errors plain:generator down_400:f wide_function:f".split()

(here / "line_table").mkdir(exist_ok=True)
for version, kind in ("3.9", 0), ("3.10", 1), ("3.11", 2), ("3.13", 2):
    lines = (recorded / (version + ".txt")).read_text().splitlines()
    for code, table in zip(lines, lines[1:]):
        match = re.match(r"code (\S+) first=(\d+)", code)
        if match and match[1] in codes:
            name = (version + "_" + match[1]).replace(".", "_").replace(":", "_")
            seed = struct.pack("<BI", kind, int(match[2])) + bytes.fromhex(table[len("table "):])
            if len(seed) < 1000:
                (here / "line_table" / name).write_bytes(seed)
