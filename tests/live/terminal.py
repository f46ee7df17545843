"""A terminal to drive: a tmux server of its own, with a shell in it."""

import os
import shlex
import subprocess
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
