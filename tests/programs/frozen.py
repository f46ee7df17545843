"""frozen SCRIPT ARGS...: what PyInstaller packs into one file; runs a script, with all that workloads import."""

import ctypes  # noqa: F401
import hashlib  # noqa: F401
import json  # noqa: F401
import os
import queue  # noqa: F401
import runpy
import select  # noqa: F401
import signal  # noqa: F401
import socket  # noqa: F401
import subprocess  # noqa: F401
import sys
import threading  # noqa: F401

sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[0])))
runpy.run_path(sys.argv[0], run_name="__main__")
