"""Who is committed next: customers first, then so many background jobs that these wait less than twice as long."""

from typing import Final, Generic, TypeVar

Job = TypeVar("Job")

BATCH: Final = 96
"""Pieces that share a commit at most: more would not save much of its cost, and keeps the first waiting."""
_LEAST: Final = 16
"""Places in a batch that patient jobs have however many customers wait: they must get done too."""


class Lines(Generic[Job]):
    """Two queues, each first come, first served: customers, who wait for an answer, and patient jobs, such as deadlines.

    In a single queue a flood of deadlines would hold up every customer who comes after it.
    """

    def __init__(self) -> None:
        self._live: list[Job] = []
        self._patient: list[Job] = []

    def __len__(self) -> int:
        return len(self._live) + len(self._patient)

    def add(self, job: Job, *, patient: bool) -> None:
        """Join the end of its queue."""
        (self._patient if patient else self._live).append(job)

    def take(self) -> list[Job]:
        """The next batch: customers, then three patient jobs for each four of them, or 16; patient jobs alone where no customer waits."""
        live = self._live[: BATCH - min(_LEAST, len(self._patient))]
        share = max(_LEAST, len(live) * 3 // 4) if live else BATCH
        patient = self._patient[: min(share, BATCH - len(live))]
        del self._live[: len(live)], self._patient[: len(patient)]
        return live + patient
