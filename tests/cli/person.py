"""A person at a terminal: types, and sees what a terminal would show."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import environment

_PATIENCE = 60.0
_TOKEN = re.compile(r"\x1b\[([0-9]*)([A-Z])|.", re.DOTALL)


class Screen:
    """What is to be seen after all that was written: lines wrap, the cursor goes up and back, and the rest can be erased."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._rows = [""]
        self._row = self._column = 0

    def write(self, text: str) -> None:
        for found in _TOKEN.finditer(text):
            match found[2], found[0]:
                case "A", _:
                    self._row -= int(found[1] or 1)
                case "J", _:
                    self._rows[self._row :] = [self._rows[self._row][: self._column]]
                case None, "\r":
                    self._column = 0
                case None, "\n":
                    self._go_down()
                case None, mark:
                    self._put(mark)
                case sequence:
                    raise AssertionError(sequence)

    def lines(self) -> list[str]:
        return [row.rstrip() for row in self._rows]

    def _put(self, mark: str) -> None:
        if self._column == self._columns:
            self._go_down()
            self._column = 0
        row = self._rows[self._row]
        self._rows[self._row] = row[: self._column].ljust(self._column) + mark + row[self._column + 1 :]
        self._column += 1

    def _go_down(self) -> None:
        self._row += 1
        self._rows += [""] * (self._row + 1 - len(self._rows))


class Person:
    """Calls `baton` in the folder, and talks to it."""

    def __init__(self, folder: Path, columns: int, *arguments: str) -> None:
        self._master, self._slave = pty.openpty()
        termios.tcsetwinsize(self._slave, (50, columns))
        self._mode = termios.tcgetattr(self._slave)
        self._screen = Screen(columns)
        self.written = ""
        settings = environment(TERM="xterm", COLUMNS=str(columns))
        command = [sys.executable, "-m", "api.cli", *arguments]
        terminal = self._slave
        self.process = subprocess.Popen(command, cwd=folder, env=settings, stdin=terminal, stdout=terminal, stderr=terminal)

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())

    def goes_on(self) -> None:
        """The shell has stopped the program, set the terminal as it likes it, and lets the program go on."""
        termios.tcsetattr(self._slave, termios.TCSANOW, self._mode)
        seen = len(self.written)
        self.process.send_signal(signal.SIGCONT)
        self._read_until(lambda: len(self.written) > seen, "what is drawn again")

    def reads(self, pattern: str) -> None:
        """Wait until something like it was written."""
        self._read_until(lambda: re.search(pattern, self.written) is not None, pattern)

    def lines(self) -> list[str]:
        return self._screen.lines()

    def leaves(self) -> int:
        """The exit code of the program; all that it wrote last is seen, and the terminal is as it was."""
        deadline = time.monotonic() + _PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.05)
        while self._read(0):
            pass
        assert termios.tcgetattr(self._slave) == self._mode
        return self.process.wait(1)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)

    def _read_until(self, done: Callable[[], bool], wanted: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not done():
            assert time.monotonic() < deadline, f"waited for {wanted}:\n" + "\n".join(self.lines())
            if not self._read(0.2):
                assert self.process.poll() is None, f"ended before {wanted}:\n" + "\n".join(self.lines())

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        text = os.read(self._master, 65_536).decode()
        self.written += text
        self._screen.write(text)
        return True


@contextmanager
def person(folder: Path, *arguments: str, command: Sequence[str] = ("chat",), columns: int = 60) -> Iterator[Person]:
    """Somebody at a terminal until the end of the block; who talks to a flow unless another command is named."""
    somebody = Person(folder, columns, *command, *arguments)
    try:
        yield somebody
    finally:
        somebody.close()
