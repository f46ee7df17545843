"""stack_workload.py VARIANT: calls small functions for ever, in ways that say which stacks can be.

Functions come in FAMILIES that never mix: nothing of family 3 ever calls anything of family 4, so that a
stack of both was put together from two moments. What may stand on what is in POSSIBLE, beside the code
that keeps to it; the check takes its expectation from there. Runs on every Python from 3.7 on.
"""

import re
import sys

FAMILIES = 8

# Makes a call take about 75 ns (3.12), its own calls left out.
WORK = "a = 1; b = a + a; a = b + a; b = a + b; a = b + a; b = a + b"

# Of one family `i`; each W is some WORK.
SOURCES = {
    "calls": """
def inner_i(): W
def mid_i(): W; inner_i()
def outer_i(): W; mid_i()
""",
    # One function on the way of all families.
    "shared": """
def inner_i(): W
def outer_i(): W; shared(inner_i)
""",
    "raises": """
def inner_i(): W; raise KeyError
def mid_i():
    try: inner_i()
    finally: W
def outer_i():
    try: mid_i()
    except KeyError: W
""",
    "generators": """
def leaf_i(): W
def gen_i():
    leaf_i()
    W; yield 1
    leaf_i()
    W; yield 2
def mid_i(): W
def outer_i():
    for x in gen_i():
        mid_i()
    W
""",
    "long_generators": """
def leaf_i(): W
def gen_i():
    for x in range(200):
        leaf_i()
        W; yield 1
def mid_i(): W
def outer_i():
    for x in gen_i():
        mid_i()
        W
""",
    "coroutines": """
@types.coroutine
def pause_i():
    W; yield
def inner_i(): W
async def mid_i():
    inner_i()
    W; await pause_i()
async def outer_i():
    await mid_i()
    W; inner_i()
def drive_i():
    c = outer_i()
    c.send(None)
    W
    try: c.send(None)
    except StopIteration: pass
""",
    "recursion": """
def inner_i(): W
def rec_i(n):
    W
    if n: rec_i(n - 1)
    else: inner_i()
def outer_i(): rec_i(498)
""",
    "callbacks": """
def inner_i(): W
def key_i(x):
    inner_i()
    W; return x
def red_i(a, b):
    inner_i()
    W; return b
def outer_i():
    sorted(items, key=key_i)
    functools.reduce(red_i, items)
    W
""",
    "operators": """
def inner_i(): W
def init_i(self): W; inner_i()
def add_i(self, other): W; inner_i()
def prop_i(self): W; inner_i()
C_i = type("C_i", (), {"__init__": init_i, "__add__": add_i, "prop": property(prop_i)})
def outer_i():
    c = C_i()
    c + 1
    c.prop
    W
""",
    "redefined": """
def inner_i(): W
def mid_i(): W; inner_i()
def outer_i(): W; mid_i()
""",
}

# Every path from run() upwards, with the families left out, as a regular expression over "a;b;c".
POSSIBLE = {
    "calls": "outer(;mid(;inner)?)?",
    "shared": "outer(;shared(;inner)?)?",
    "raises": "outer(;mid(;inner)?)?",
    "generators": "outer(;mid|;gen(;leaf)?)?",
    "long_generators": "outer(;mid|;gen(;leaf)?)?",
    "coroutines": "drive(;outer(;inner|;mid(;inner|;pause)?)?)?",
    "recursion": "outer(;rec){0,498}|outer(;rec){499}(;inner)?",
    "callbacks": "outer(;(key|red)(;inner)?)?",
    "operators": "outer(;(init|add|prop)(;inner)?)?",
    "redefined": "<module>|outer(;mid(;inner)?)?",
}

COMMON = """
import functools, types
items = [3, 1, 2]
def shared(function): W; function()
"""


def source(variant):
    text = COMMON
    for i in range(FAMILIES):
        text += SOURCES[variant].replace("_i", "_%d" % i)
    first = "drive" if variant == "coroutines" else "outer"
    calls = "".join("        %s_%d()\n" % (first, i) for i in range(FAMILIES))
    text = re.sub(r"\bW\b", WORK, text)
    return text + "def run():\n    print('ready', flush=True)\n    while True:\n" + calls


def redefining_source():
    """Each round makes its functions anew, in another order, and drops those of the round before."""
    family = re.sub(r"\bW\b", WORK, SOURCES["redefined"])
    text = "texts = []\n"
    for i in range(FAMILIES):
        text += "texts.append(compile(%r, 'family', 'exec'))\n" % family.replace("_i", "_%d" % i)
    return (
        text
        + """
import marshal
texts = [marshal.dumps(text) for text in texts]
def run():
    print("ready", flush=True)
    while True:
        for i, text in enumerate(texts):
            made = {}
            exec(marshal.loads(text), made)
            outer = made["outer_%d" % i]
            for _ in range(2000):
                outer()
"""
    )


def main():
    variant = sys.argv[1]
    names = {}
    text = redefining_source() if variant == "redefined" else source(variant)
    exec(compile(text, "workload", "exec"), names)
    names["run"]()


if __name__ == "__main__":
    main()
