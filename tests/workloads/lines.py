"""lines.py SECONDS: threads parked in every kind of Python code.

Announces {"stacks": {native id: [[function, file, line], ...]}}, innermost first, as CPython itself sees
them: the qualified name where code objects have one (3.11 on), else the plain name.
"""

import sys
import threading
import time

import ready

gate = threading.Event()


def park(value=None):
    gate.wait()
    return value


def plain():
    park()


def decorator(function):
    def wrapper(*args):
        result = function(
            *args
        )
        return result

    return wrapper


@decorator
@decorator
def decorated(first, second):
    return park(
        first + second
    )


def calls_decorated():
    decorated(1, 2)


def parked_while_decorating():
    @decorator
    @park
    def never():
        pass


def multi_line():
    return max(
        1,
        park(
            2
        ),
        3,
    )


def multi_line_chain():
    return (
        "a b c"
        .replace("a", "b")
        .join([
            str(park())
        ])
    )


def list_comprehension():
    return [
        park(x)
        for x in range(3)
        if x >= 0
    ]


def dict_comprehension():
    return {x: park(x) for x in range(3)}


def generator_expression():
    return list(
        park(x)
        for x in range(3)
    )


def numbers():
    yield 1
    yield park(2)


def delegating():
    yield 0
    yield from numbers()


def generator():
    for number in delegating():
        sum([number])


async def inner_coroutine():
    return park()


async def coroutine():
    return await inner_coroutine()


def drives_coroutine():
    coroutine().send(None)


def executes():
    exec(compile("def made_up():\n\n    park()\n\nmade_up()\n", "<made up>", "exec"), {"park": park})


def class_body():
    class Inner:
        before = 1
        parked = park()
        after = 2

    return Inner


class Methods:
    def method(self):
        return self.static()

    @staticmethod
    def static():
        return Methods.of_class()

    @classmethod
    def of_class(cls):
        return cls().prop

    @property
    def prop(self):
        return park()


def through_lambda():
    return (lambda: park())()


def through_c():
    """C code between Python frames: sorted and map call back."""
    return sorted([2, 1], key=lambda x: list(map(park, [x])))


def in_except():
    try:
        raise ValueError("expected")
    except ValueError:
        park()


def in_finally():
    try:
        return 1
    finally:
        with threading.RLock():
            park()


def far_down():
    # The lines in between make a step that does not fit into one entry of the old line tables.
    x = 0




































































































































































































































































    return park(x)


PARKED = [
    plain,
    calls_decorated,
    parked_while_decorating,
    multi_line,
    multi_line_chain,
    list_comprehension,
    dict_comprehension,
    generator_expression,
    generator,
    drives_coroutine,
    executes,
    class_body,
    lambda: Methods().method(),
    through_lambda,
    through_c,
    in_except,
    in_finally,
    far_down,
]


def stack_of(frame):
    stack = []
    while frame is not None:
        code = frame.f_code
        stack.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno])
        frame = frame.f_back
    return stack


def main():
    threads = [
        threading.Thread(target=target, name=target.__name__, daemon=True) for target in PARKED
    ]
    native_ids = ready.start(threads)
    ready.wait_until_parked(len(threads))
    frames = sys._current_frames()
    stacks = {
        str(native_ids[thread.name]): stack_of(frames[thread.ident]) for thread in threads
    }
    ready.announce(threads=native_ids, stacks=stacks)
    time.sleep(float(sys.argv[1]))


main()
