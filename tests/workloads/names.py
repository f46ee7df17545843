"""names.py SECONDS: threads with names of every kind.

Announces {"names": {native id: name}}; on 3.7 there are no native ids, so "listed" has all names.
"""

import _thread
import ctypes
import sys
import threading
import time

import ready

PR_SET_NAME = 15
NAMES = [
    "plain",
    "caf\u00e9 na\u00efve",  # Latin-1: one byte a character
    "\u65e5\u672c\u8a9e\u306e\u540d\u524d",  # two bytes
    "emoji \U0001f40d\U0001f525",  # four bytes
    "long-" + "x" * 300,
    'quotes " and \\ backslash',
]
gate = threading.Event()
names = {}


def raw_thread(started):
    """A thread that threading knows nothing of: only the kernel has a name for it."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"native-name", 0, 0, 0)
    names[ready.native_id()] = "native-name"
    started.release()
    gate.wait()


threads = [threading.Thread(target=gate.wait, name=name, daemon=True) for name in NAMES]
renamed = threading.Thread(target=gate.wait, name="old name", daemon=True)
ids = ready.start(threads + [renamed])
ids["new name"] = ids.pop("old name")
renamed.name = "new name"
names.update((native, name) for name, native in ids.items())

started = _thread.allocate_lock()
started.acquire()
_thread.start_new_thread(raw_thread, (started,))
started.acquire()

ready.wait_until_parked(len(threads) + 2)
ready.announce(
    names={str(native): name for native, name in names.items()},
    listed=sorted(ids) + ["native-name"],
)
time.sleep(float(sys.argv[1]))
