#!/usr/bin/env python3
"""Writes small ELF files into elf/: seeds of the ELF fuzzer, and what the unit tests of elf take apart.

whole: a shared object of x86-64 with everything that is asked of one.
  offset 0x800 is linked at 0x401000; there lie .PyRuntime (0x401000, 64 bytes) and, behind it,
  Py_Version (0x401040) with the value 0x030b02f0.
  _PyRuntime is in .dynsym, Py_Version in .symtab alone, and imported is a symbol of another file.
  The build id is 00 01 02 ... 13.
"""

import pathlib
import struct

here = pathlib.Path(__file__).resolve().parent / "elf"
EM_X86_64, EM_AARCH64 = 62, 183
ET_REL, ET_DYN = 1, 3
PT_LOAD, PT_NOTE = 1, 4
PROGBITS, SYMTAB, STRTAB, NOTE, DYNSYM = 1, 2, 3, 7, 11


class Strings:
    def __init__(self):
        self.bytes = b"\0"

    def add(self, name):
        at = len(self.bytes)
        self.bytes += name.encode() + b"\0"
        return at


def make_elf(kind=ET_DYN, machine=EM_X86_64, symbols=True):
    names, strings = Strings(), Strings()
    data = struct.pack("<64sI", b"x" * 64, 0x030B02F0)
    note = struct.pack("<III4s", 4, 20, 3, b"GNU\0") + bytes(range(20))
    defined = 1 << 4 | 1  # STB_GLOBAL, STT_OBJECT
    no_symbol = bytes(24)
    imported = struct.pack("<IBBHQQ", strings.add("imported"), defined, 0, 0, 0, 0)
    runtime = struct.pack("<IBBHQQ", strings.add("_PyRuntime"), defined, 0, 2, 0x401000, 64)
    version = struct.pack("<IBBHQQ", strings.add("Py_Version"), defined, 0, 2, 0x401040, 4)

    # name, type, address, content, link, size of an entry
    sections = [(".note.gnu.build-id", NOTE, 0x400200, note, 0, 0),
                (".PyRuntime", PROGBITS, 0x401000, data[:64], 0, 0),
                (".strtab", STRTAB, 0, strings.bytes, 0, 0)]
    if symbols:
        sections += [(".dynsym", DYNSYM, 0, no_symbol + imported + runtime, 3, 24),
                     (".symtab", SYMTAB, 0, no_symbol + version, 3, 24)]
    indices = [names.add(section[0]) for section in sections]
    own_index = names.add(".shstrtab")
    sections.append((".shstrtab", STRTAB, 0, names.bytes, 0, 0))
    indices.append(own_index)

    segments = struct.pack("<IIQQQQQQ", PT_LOAD, 4, 0, 0x400000, 0x400000, 0x800, 0x800, 0x1000)
    segments += struct.pack("<IIQQQQQQ", PT_LOAD, 6, 0x800, 0x401000, 0x401000, 0x44, 0x44, 0x1000)
    segments += struct.pack("<IIQQQQQQ", PT_NOTE, 4, 0x200, 0x400200, 0x400200, 36, 36, 4)

    places, at = [], 0x100
    for name, _, _, content, _, _ in sections:
        place = {".note.gnu.build-id": 0x200, ".PyRuntime": 0x800}.get(name)
        if place is None:
            at = 0x240 if at == 0x100 else at
            place, at = at, at + (len(content) + 7) // 8 * 8
        places.append(place)
    headers_at = 0x880
    image = bytearray(headers_at)
    image[0:64] = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", kind, machine, 1, 0, 64,
                              headers_at, 0, 64, 56, 3, 64, len(sections) + 1, len(sections))
    image[64:64 + len(segments)] = segments
    image[0x800:0x800 + len(data)] = data
    image += bytes(64)
    for (name, type_, address, content, link, entry), index, place in zip(sections, indices, places):
        image[place:place + len(content)] = content
        image += struct.pack("<IIQQQQIIQQ", index, type_, 2, address, place, len(content), link, 0,
                             4 if type_ == NOTE else 8, entry)
    assert at <= 0x800
    return bytes(image)


here.mkdir(exist_ok=True)
whole = make_elf()
damaged = bytearray(whole)
damaged[0x240:0x7F0] = bytes(255 - i % 7 for i in range(0x7F0 - 0x240))
for name, content in {
    "whole": whole,
    "stripped": make_elf(symbols=False),
    "object_file": make_elf(kind=ET_REL),
    "other_machine": make_elf(machine=EM_AARCH64),
    "cut": whole[:0x8A0],
    "damaged": bytes(damaged),
    "header_alone": whole[:64],
    "empty": b"",
    "script": b"#!/usr/bin/env python3\nprint('hello')\n",
}.items():
    (here / name).write_bytes(content)
