"""The log: one JSON object a line on standard error, configured once, quick enough to be written in every turn.

It never holds message text, tokens or secrets. An error is told by its type and the places it went through,
without its message, since messages quote what people typed.
"""

import asyncio
import contextlib
import logging
import sys
import time
import traceback
from collections.abc import MutableMapping
from typing import Any, BinaryIO, Final, TextIO

import msgspec
import structlog

from api.settings import Settings
from engine.runtime.moments import moment

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_encoder: Final = msgspec.json.Encoder()

log: Final = structlog.get_logger("baton")


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send the program's log, and what its libraries say, to the stream (standard error) in the format of the settings."""
    stream = stream or sys.stderr
    level = _LEVELS[settings.log_level]
    structlog.configure(
        processors=_processors(settings, stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_factory(settings, stream),
        cache_logger_on_first_use=False,
    )
    _take_over_library_logs(max(level, logging.WARNING))


def places(error: BaseException) -> list[str]:
    """Where the error went through, innermost last, as `file:line function`: neither values nor messages."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def log_failure(event: str, error: BaseException, **facts: Any) -> None:
    """One line about an error that nobody expected, with the name of what caused it."""
    cause = {} if error.__cause__ is None else {"cause": _name(error.__cause__)}
    log.error(event, error=type(error).__name__, **cause, at=places(error), **facts)


def _name(error: BaseException) -> str:
    """What a database calls its error, such as SQLITE_FULL; of any other the type."""
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


def _processors(settings: Settings, stream: TextIO) -> list[structlog.typing.Processor]:
    if settings.log_format == "json":
        return [_as_json]
    return [structlog.processors.add_log_level, _stamped, structlog.dev.ConsoleRenderer(colors=stream.isatty())]


def _factory(settings: Settings, stream: TextIO) -> Any:
    if settings.log_format == "json":
        lines = Lines(stream.buffer)
        return lambda *_: lines
    return structlog.PrintLoggerFactory(stream)


def _stamped(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["timestamp"] = moment(time.time_ns() // 1_000_000)
    return event


def _as_json(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
    """The whole line; one step, since a line is written in every turn."""
    event["level"] = method
    return _encoder.encode(_stamped(logger, method, event))


class Lines:
    """Writes lines; those that are logged in one round of an event loop go out together, since each write gives up the interpreter's lock.

    Outside of a loop, as in threads and before the start, a line goes out at once.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []

    def msg(self, line: bytes) -> None:
        """Write the line, at the latest when the loop comes round."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write(line)
            return
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(line)

    debug = info = warning = error = critical = msg

    def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        self._write(b"\n".join(lines))

    def _write(self, lines: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):  # whoever read the log has gone; the service has not
            self._stream.write(lines + b"\n")
            self._stream.flush()


class _Forwarded(logging.Handler):
    """Passes on what libraries log: where it was said and at which level, not the text, which may quote anything."""

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, Any] = {"logger": record.name, "at": f"{record.pathname}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            facts |= {"error": type(record.exc_info[1]).__name__, "through": places(record.exc_info[1])}
        log.log(record.levelno, "library_spoke", **facts)


def _take_over_library_logs(level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [_Forwarded()]
    root.setLevel(level)
