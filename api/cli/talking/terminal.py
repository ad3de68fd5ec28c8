"""A person at a terminal: what they type stays whole whatever is said meanwhile, and a clock counts down before it."""

import asyncio
import math
import os
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from api.cli.talking.keyboard import Keyboard, rows_below
from api.cli.talking.screen import printable
from engine.model.values import Millis
from engine.runtime.clock import SystemClock

_READ: Final = 4096
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_REST: Final = "... "


class Terminal:
    """Echoes by itself, so that the line that is being typed can be taken away and drawn again; used as a context manager.

    While it is open the terminal gives every key at once and echoes none; Ctrl-C interrupts as ever.
    """

    interactive: Final = True

    def __init__(self, keyboard: int = 0) -> None:
        self._loop = asyncio.get_running_loop()
        self._fd = keyboard
        self._keys = Keyboard()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._over = False
        self._prompt: str | None = None
        self._deadline: Millis | None = None
        self._drawn: str | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._fd)
        self._take_keys()
        self._loop.add_reader(self._fd, self._read)
        self._loop.add_signal_handler(signal.SIGCONT, self._take_keys)  # a shell that stopped us has set its own mode
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_signal_handler(signal.SIGCONT)
        self._loop.remove_reader(self._fd)
        if self._ticking is not None:
            self._ticking.cancel()
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    async def ask(self, prompt: str) -> str | None:
        """See Lines."""
        self._prompt = printable(prompt).replace("\n", " ").replace("\t", " ")
        self._tick()
        line: str | None = None
        try:
            line = None if self._over else await self._lines.get()
            self._over = line is None
            return line
        finally:
            # What was typed for a question that is over must not answer the next one.
            if line is None:
                line, self._keys.text = self._keys.text, ""
            self._erase()
            _write(f"{self._prompt}{line}\n")
            self._prompt = None

    async def gone(self) -> None:
        """Once Ctrl-D was typed; what else is typed meanwhile is nobody's answer."""
        while await self.ask(_REST) is not None:
            pass

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Above the line that is being typed."""
        self._erase()
        yield
        self._draw()

    def count_down(self, deadline: Millis | None) -> None:
        """Before the prompt, every second."""
        self._deadline = deadline

    def _take_keys(self) -> None:
        tty.setcbreak(self._fd, termios.TCSADRAIN)
        if self._prompt is not None:  # whatever was written since it was drawn, the cursor stands where it may be drawn again
            self._drawn = ""
            self._draw()

    def _read(self) -> None:
        try:
            data = os.read(self._fd, _READ)
        except OSError:
            data = b""  # the terminal is gone
        if not data:
            self._loop.remove_reader(self._fd)
        for line in self._keys.feed(data) if data else [None]:
            self._lines.put_nowait(line)
        self._draw()

    def _tick(self) -> None:
        """Draw what has changed, and come back while there is something to count."""
        if self._ticking is not None:
            self._ticking.cancel()
        self._draw()
        if self._prompt is not None and self._deadline is not None:
            left = (self._deadline - SystemClock().wall()) % 1000
            self._ticking = self._loop.call_later(max(left, 50) / 1000, self._tick)

    def _draw(self) -> None:
        if self._prompt is None:
            return
        line = f"{countdown(self._deadline, SystemClock().wall())}{self._prompt}{self._keys.text}"
        if line != self._drawn:
            _write(f"{self._erasure()}{line}")
            self._drawn = line

    def _erase(self) -> None:
        _write(self._erasure())
        self._drawn = None

    def _erasure(self) -> str:
        """What takes the drawn line away, however many rows it has."""
        if self._drawn is None:
            return ""
        up = rows_below(self._drawn, shutil.get_terminal_size().columns)
        return f"\x1b[{up}A\r\x1b[J" if up else "\r\x1b[J"


def countdown(deadline: Millis | None, now: Millis) -> str:
    """How much time is left: to the second in the last hour, roughly before; nothing without a deadline."""
    if deadline is None:
        return ""
    left = max(0, math.ceil((deadline - now) / 1000))
    if left < _HOUR:
        return f"[{left // _MINUTE}:{left % _MINUTE:02}] "
    return f"[{left // _HOUR} h] " if left < 2 * _DAY else f"[{left // _DAY} d] "


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
