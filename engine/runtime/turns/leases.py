"""Who works on a run between two commits of one turn: a lease that is renewed while the worker lives, and taken over when it has run out.

Every claim raises the run's epoch, so that a worker that wakes up late finds that its commit does not fit any more.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.model.run import Invoke
from engine.model.values import Millis
from engine.runtime.store.port import Leased
from engine.runtime.store.rows import RunRow
from engine.runtime.turns.occasion import LEASE, Begun, Drafted

ATTEMPTS: Final = 3
"""Claims of one call after which the run is given up: whoever works on it dies of it."""


class Claim(Struct, frozen=True):
    """A call of a run that somebody works on."""

    tenant_id: str
    run_id: str
    rev: int
    epoch: int
    invoke: Invoke
    begun: Begun
    """What the turn has said so far."""
    taken_over: bool = False
    """True where another worker may have made the call already."""

    @classmethod
    def of(cls, drafted: Drafted, invoke: Invoke) -> "Claim":
        """The claim that the turn's commit has made."""
        run = drafted.record.run
        return cls(run.tenant_id, run.id, run.rev, run.epoch, invoke, Begun(drafted.reply, drafted.trace, drafted.record.turn.previous_id))


class TakenOver(Struct, frozen=True):
    """A claim and the change that makes it."""

    leased: Leased
    claim: Claim


def has_lapsed(row: RunRow, now: Millis) -> bool:
    """Whether nobody works on the run, although somebody should."""
    return row.status == "running" and row.lease_until is not None and row.lease_until <= now


def claimed(row: RunRow, now: Millis) -> Leased:
    """The run in new hands."""
    fresh = replace(row, epoch=row.epoch + 1, attempts=row.attempts + 1, lease_until=now + LEASE)
    return Leased(fresh, (row.rev, row.epoch))


def renewed(row: RunRow | None, epoch: int, now: Millis) -> Leased | None:
    """The lease from now on; None where the run is in other hands, or needs none."""
    if row is None or row.status != "running" or row.epoch != epoch:
        return None
    return Leased(replace(row, lease_until=now + LEASE), (row.rev, row.epoch))


def released(row: RunRow | None, epoch: int, now: Millis) -> Leased | None:
    """The run free for whoever comes next, and the attempt given back: it was not the run's fault."""
    if row is None or row.status != "running" or row.epoch != epoch:
        return None
    return Leased(replace(row, lease_until=now, attempts=max(0, row.attempts - 1)), (row.rev, row.epoch))
