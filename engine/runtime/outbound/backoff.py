"""Whether another try is worth it, and how long to wait for it: pure functions."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from engine.model.values import Millis
from engine.runtime.outbound.port import MOST_RETRIES, OutboundRequest, Outcome

_FIRST: Final = 0.5
_LONGEST: Final = 8.0
_MOST_ASKED: Final = 30.0
"""Seconds that an answer's `Retry-After` may make us wait."""
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_DIGITS: Final = 9


def tries_again(request: OutboundRequest, outcome: Outcome, *, passing: bool) -> bool:
    """Whether there is another try after this outcome; `passing` says whether a failure may pass by itself."""
    if not request.repeatable or outcome.retries >= min(request.retries, MOST_RETRIES):
        return False
    if outcome.answer is not None:
        return outcome.answer.status == _TOO_MANY or outcome.answer.status >= _SERVER_ERROR
    return passing


def pause_before(retry: int, chance: float, asked: float | None) -> float:
    """Seconds to wait before the given retry (1 is the first).

    They double from half a second to eight, and `chance` (0 to 1) takes up to half of them away, so that many who failed
    together do not come back together. What the answer asked for is waited at least, up to half a minute.
    """
    grown = min(_LONGEST, _FIRST * 2.0 ** (retry - 1))
    return max(grown * (1 - chance / 2), min(asked or 0.0, _MOST_ASKED))


def asked_pause(outcome: Outcome, now: Millis) -> float | None:
    """Seconds that the answer's `Retry-After` asks for, as a number or as a moment; None where it asks for nothing readable."""
    value = None if outcome.answer is None else outcome.answer.headers.get("retry-after")
    if value is None:
        return None
    if value.isascii() and value.isdigit() and len(value) <= _DIGITS:
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now / 1000)
