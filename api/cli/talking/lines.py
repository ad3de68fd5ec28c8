"""Where lines come from: a pipe or a file here; a terminal has a module of its own."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from api.cli.talking.screen import draw_answer, draw_prompt
from engine.model.values import Millis


class Lines(Protocol):
    """What the person types, line by line; only one thing is asked at a time."""

    @property
    def interactive(self) -> bool:
        """Whether somebody sits at a keyboard."""

    async def ask(self, prompt: str) -> str | None:
        """The next line without its end; None once there are no more. Cancelled, it leaves the prompt behind."""

    async def gone(self) -> None:
        """Returns once the person has left, where nothing is asked."""

    def aside(self) -> AbstractContextManager[None]:
        """What is said inside stands above what is being asked, and above what was typed of the answer."""

    def count_down(self, deadline: Millis | None) -> None:
        """Show from now on how much time is left until then, where that can be shown."""


class PipedLines:
    """Reads a text stream in a thread of its own, so that deadlines act while one thinks."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdin
        self._loop = asyncio.get_running_loop()
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        self._over = False
        self._asked: str | None = None
        self._interactive = self._stream.isatty()
        # A thread that reads a stream cannot be stopped: as a daemon it does not keep the program from ending.
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    @property
    def interactive(self) -> bool:
        """See Lines."""
        return self._interactive

    async def ask(self, prompt: str) -> str | None:
        """See Lines."""
        draw_prompt(prompt)
        self._asked = prompt
        try:
            line = await self._next()
        except asyncio.CancelledError:
            draw_answer(None)
            raise
        finally:
            self._asked = None
        if line is None or not self._interactive:
            draw_answer(line)
        return line

    async def gone(self) -> None:
        """Never: what stands in a pipe answers what will be asked, and its end says nothing about who reads on."""
        await self._loop.create_future()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """On lines of its own, and the prompt once more."""
        if self._asked is not None:
            draw_answer(None)
        yield
        if self._asked is not None:
            draw_prompt(self._asked)

    def count_down(self, deadline: Millis | None) -> None:
        """A pipe shows no clock."""

    async def _next(self) -> str | None:
        if self._over:
            return None
        line = await self._typed.get()
        self._over = line is None
        return line

    def _read(self) -> None:
        try:
            for line in self._stream:
                self._hand_over(line.rstrip("\r\n"))
        except (OSError, ValueError):
            pass  # the stream was closed under us: there are no more lines
        self._hand_over(None)

    def _hand_over(self, line: str | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._typed.put_nowait, line)
