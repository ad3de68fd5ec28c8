"""What comes of a try, and when the next one is: pure functions."""

from typing import Final

from msgspec.structs import replace

from engine.model.values import Millis
from engine.runtime.outbound.port import REQUEST_SIZE, Outcome
from engine.runtime.store.rows import DeliveryRow

PAUSES: Final[tuple[Millis, ...]] = (5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000)
"""Before the second try, the third, and so on; after the last of them a delivery is parked."""
JITTER: Final = 0.2
"""The part of a pause by which it may be longer: many that failed together do not come back together."""
STATUS: Final = "http.status"
"""The endpoint answered, and not with a 2xx."""
DISABLED: Final = "webhook.disabled"
"""Nothing was sent, for the endpoint takes nothing at the moment."""
SECRET: Final = "webhook.secret"  # noqa: S105 - a code, not a secret
"""Nothing was sent, for the endpoint's secret cannot be opened with the server's key."""
BROKEN: Final = "webhook.failed"
"""Our fault."""
_AT_ONCE: Final = frozenset({REQUEST_SIZE, DISABLED})
"""What no later try would mend."""
_SUCCESS: Final = range(200, 300)


def succeeded(outcome: Outcome) -> bool:
    """Whether the endpoint has heard it: any 2xx, and no redirect."""
    return outcome.code is None and outcome.answer is not None and outcome.answer.status in _SUCCESS


def after(row: DeliveryRow, outcome: Outcome, now: Millis, chance: float) -> DeliveryRow:
    """The delivery after a try; `chance` is from 0 to 1."""
    status = None if outcome.answer is None else outcome.answer.status
    code = None if succeeded(outcome) else outcome.code or STATUS
    tried = replace(row, tries=row.tries + 1, status=status, code=code, due_at=None)
    if code is None:
        return replace(tried, ended_at=now, ended_as="delivered")
    if code in _AT_ONCE or tried.tries > len(PAUSES):
        return replace(tried, ended_at=now, ended_as="parked")
    return replace(tried, due_at=now + pause(tried.tries, chance))


def pause(tries: int, chance: float) -> Millis:
    """How long to wait after so many tries that failed."""
    return round(PAUSES[tries - 1] * (1 + JITTER * chance))
