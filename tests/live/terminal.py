"""Terminals: a tmux server of its own, with a shell in it, to drive; and a plain one to look at what is written."""

import os
import pty
import select
import shlex
import struct
import subprocess
import termios
import time
from fcntl import ioctl
from pathlib import Path

import harness


class Terminal:
    """One tmux window with a shell. Its server is this test's alone, and ends with it."""

    def __init__(self, folder, columns=100, rows=30, env=()):
        self._socket = str(Path(folder) / "tmux")
        # A shell that prints a prompt we know, and reads none of the user's files.
        shell = ["env", "PS1=ready> ", *(f"{name}={value}" for name, value in dict(env).items())]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                   shlex.join([*shell, "bash", "--norc", "--noprofile"]))  # fmt: skip
        self.wait_for("ready>")

    def _tmux(self, *arguments):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TMUX": ""}
        command = ["tmux", "-u", "-S", self._socket, *arguments]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, timeout=harness.PATIENCE
        ).stdout.decode()

    def type(self, text):
        """Characters as they are."""
        self._tmux("send-keys", "-l", text)

    def press(self, *keys):
        """Keys by tmux's names: Enter, Down, C-c."""
        self._tmux("send-keys", *keys)

    def run(self, command):
        self.type(command)
        self.press("Enter")

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def lines(self):
        return self._tmux("capture-pane", "-p").split("\n")[:-1]

    def screen(self):
        return "\n".join(self.lines())

    def styled(self):
        """With the escape sequences of colours and styles."""
        return self._tmux("capture-pane", "-p", "-e")

    def wait_for(self, *texts):
        """The screen, once all of the texts are on it."""
        last = []

        def there():
            last[:] = [self.screen()]
            return last[0] if all(text in last[0] for text in texts) else None

        try:
            return harness.wait_for(there, texts)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{last[0]}") from None

    def wait_until(self, condition, what):
        harness.wait_for(lambda: condition(self.screen()), what)

    def foreground(self):
        """The pid of the shell's job in the foreground."""
        shell = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        fields = Path(f"/proc/{shell}/stat").read_text().rpartition(")")[2].split()
        group = int(fields[5])  # tpgid
        return group if group != shell else None

    def alternate(self):
        """Whether the alternate screen is on."""
        return self._tmux("display-message", "-p", "#{alternate_on}").strip() == "1"

    def cursor(self):
        """Whether the cursor is shown."""
        return self._tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def modes(self, mark):
        """What `stty -a` says; to be asked at the prompt."""
        self.run(f"clear; stty -a; echo {mark}-over")
        screen = self.wait_for(f"\n{mark}-over")
        return screen[screen.index("speed"): screen.index(f"{mark}-over")]

    def end(self):
        self._tmux("kill-server")


def on_a_terminal(*arguments, rows=24, columns=100):
    """(exit status, all that gilspy and its program wrote), run on a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(harness.GILSPY, [harness.GILSPY, *(str(a) for a in arguments)])
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    output = b""
    deadline = time.monotonic() + harness.PATIENCE
    while True:
        assert time.monotonic() < deadline, output
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        output += data
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output
