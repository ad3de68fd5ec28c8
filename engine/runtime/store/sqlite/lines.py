"""Who is committed next: customers first, and of what may wait no more than keeps them waiting for a little longer than they would."""

from typing import Final, Generic, TypeVar

Job = TypeVar("Job")

BATCH: Final = 96
"""Pieces that share a commit at most: more would not save much of its cost, and keep the first waiting."""
_LEAST: Final = 16
"""Places of a batch that are the patient's, however many others there are: they must come to their end too."""


class Lines(Generic[Job]):
    """Two lines, each in the order in which its jobs came: of customers, who wait for an answer, and a patient one, as of deadlines.

    A storm of deadlines would otherwise stand before every customer who comes after it.
    """

    def __init__(self) -> None:
        self._live: list[Job] = []
        self._patient: list[Job] = []

    def __len__(self) -> int:
        return len(self._live) + len(self._patient)

    def add(self, job: Job, *, patient: bool) -> None:
        """To the end of its line."""
        (self._patient if patient else self._live).append(job)

    def take(self) -> list[Job]:
        """The next batch: customers, and then patient jobs, half as many again; nothing but those where no customer waits."""
        live = self._live[: BATCH - min(_LEAST, len(self._patient))]
        share = max(_LEAST, len(live) * 3 // 2) if live else BATCH
        patient = self._patient[: min(share, BATCH - len(live))]
        del self._live[: len(live)], self._patient[: len(patient)]
        return live + patient
