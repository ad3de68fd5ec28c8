"""What the person types, line by line, without holding up anything else."""

import asyncio
import sys
import threading
from typing import TextIO


class Lines:
    """Reads a text stream in a thread of its own, so that deadlines act while one thinks."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdin
        self._loop = asyncio.get_running_loop()
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        self._over = False
        self.interactive = self._stream.isatty()
        # A thread that reads a terminal cannot be stopped: as a daemon it does not keep the program from ending.
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    async def next(self) -> str | None:
        """The next line without its end; None once there are no more."""
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
