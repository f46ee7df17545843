#!/usr/bin/env python3
"""Writes small shared objects with debug information into source_lines/: seeds of the fuzzer of source lines.

Each has a function in a namespace with another one put in place in it, and one whose parts lie apart; they differ in
the version of DWARF, in whether its sections are compressed, and in what is missing. Needs g++ and objcopy.
"""

import pathlib
import struct
import subprocess
import tempfile

here = pathlib.Path(__file__).resolve().parent / "source_lines"

SOURCE = r"""
namespace outer { namespace inner {
static inline __attribute__((always_inline)) int put_in_place(int number) {
  asm volatile("" : "+r"(number));
  return number * 3;
}
int __attribute__((noinline)) function(int number) {
  { int block = put_in_place(number); asm volatile("" : "+r"(block)); number += block; }
  return put_in_place(number) + 1;
}
} }
void fail() __attribute__((cold, noreturn));
extern "C" int apart(int number) {
  if (number == 7) fail();
  return outer::inner::function(number);
}
"""


def without_end(image, section):
    """The last byte of a section is changed."""
    headers = struct.unpack_from("<Q", image, 40)[0]
    size, count, names = struct.unpack_from("<HHH", image, 58)
    sections = [struct.unpack_from("<IIQQQQ", image, headers + i * size) for i in range(count)]
    for name, _, _, _, offset, length in sections:
        begin = sections[names][4] + name
        if image[begin : image.index(b"\0", begin)] == section:
            return image[: offset + length - 1] + b"x" + image[offset + length :]
    raise ValueError(section)


def made_with(*flags, alternative=None):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "lines.so"
        subprocess.run(
            ["g++", "-x", "c++", "-", "-O2", "-shared", "-fPIC", "-nostdlib", "-Wl,--build-id=none", "-fno-asynchronous-unwind-tables",
             "-fdebug-prefix-map=%s=/source" % pathlib.Path.cwd(), "-Wl,-z,noseparate-code", *flags, "-o", file],
            input=SOURCE.encode(), check=True,
        )  # fmt: skip
        subprocess.run(["objcopy", "-R", ".comment", file], check=True)
        if alternative:  # as dwz names the file with what several have in common
            (pathlib.Path(folder) / "link").write_bytes(alternative)
            subprocess.run(["objcopy", "--add-section", f".gnu_debugaltlink={folder}/link", file], check=True)
        return file.read_bytes()


here.mkdir(exist_ok=True)
whole = made_with("-g", "-gdwarf-5")
middle = len(whole) // 2
for name, content in {
    "dwarf_5": whole,
    "dwarf_4": made_with("-g", "-gdwarf-4"),
    "dwarf_2_strict": made_with("-g", "-gdwarf-2", "-gstrict-dwarf"),
    "compressed": made_with("-g", "-gz"),
    "split": made_with("-g", "-gsplit-dwarf"),
    "no_debug_information": made_with(),
    "cut": whole[: len(whole) * 3 // 4],
    "damaged": whole[:middle] + bytes(byte ^ (0x40 if i % 37 == 0 else 0) for i, byte in enumerate(whole[middle:])),
    "strings_without_end": without_end(whole, b".debug_str"),
    "line_strings_without_end": without_end(whole, b".debug_line_str"),
    "shares_with_another_file": made_with("-g", alternative=b"/tmp/another\0" + bytes(20)),
    "empty": b"",
}.items():
    (here / name).write_bytes(content)
