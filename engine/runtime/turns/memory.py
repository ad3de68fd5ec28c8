"""Runs between two turns: how a decider begins them, and gets them back from their rows."""

from collections import OrderedDict
from typing import Final, Protocol

from engine.interpreter import decode_run
from engine.model.effects import Step
from engine.model.run import Run, Trigger
from engine.runtime.store.rows import RunRow


class RunMemory(Protocol):
    """What `recall` gives for a row is the run of the step whose state the row holds."""

    def begin(self, run_id: str, locale: str, trigger: Trigger) -> Run:
        """A run before its first event."""

    def keep(self, step: Step) -> None:
        """Told of every step before it is saved; some never are, and some are told twice."""

    def recall(self, row: RunRow) -> Run:
        """The stored run as a value."""


class StoredRuns:
    """Remembers nothing: every run is decoded from its row."""

    def begin(self, run_id: str, locale: str, trigger: Trigger) -> Run:
        """The run's id is its seed."""
        return Run(id=run_id, locale=locale, seed=run_id, trigger=trigger)

    def keep(self, step: Step) -> None:
        """The row will hold it."""

    def recall(self, row: RunRow) -> Run:
        """Decoded anew each time."""
        return decode_run(row.state)


class RecentRuns(StoredRuns):
    """Remembers the latest runs, each in its latest state; one in another state, or in a large one, is decoded."""

    _MOST: Final = 1_024
    _LARGEST: Final = 8_192
    """Bytes of a state; decoded it takes some times as much memory."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, tuple[bytes, Run]] = OrderedDict()

    def keep(self, step: Step) -> None:
        """In place of the state before."""
        self._runs.pop(step.run.id, None)
        if len(step.state) <= self._LARGEST:
            self._runs[step.run.id] = step.state, step.run
        if len(self._runs) > self._MOST:
            self._runs.popitem(last=False)

    def recall(self, row: RunRow) -> Run:
        """The value that was encoded, or one like it."""
        state, run = self._runs.get(row.id, (None, None))
        return run if run is not None and state == row.state else super().recall(row)
