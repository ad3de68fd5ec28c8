"""Runs between two turns: how a decider begins them, and gets them back from their rows."""

from typing import Protocol

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
