"""The two ways in which a test's runs live between turns: as they are, or stored and loaded again."""

import msgspec

from engine.model.effects import Step
from engine.model.run import Run, Trigger
from engine.runtime.store.rows import RunRow
from engine.runtime.turns.memory import StoredRuns


class SeededRuns(StoredRuns):
    """Decodes every run from its row; begins them with the test's seed, where it has one."""

    def __init__(self, seed: str | None) -> None:
        self._seed = seed

    def begin(self, run_id: str, locale: str, trigger: Trigger) -> Run:
        """As a server does, but for the seed."""
        run = super().begin(run_id, locale, trigger)
        return run if self._seed is None else msgspec.structs.replace(run, seed=self._seed)


class LivingRuns(SeededRuns):
    """Gives back the very values that the steps left, as if nothing had been stored."""

    def __init__(self, seed: str | None) -> None:
        super().__init__(seed)
        self._runs: dict[bytes, Run] = {}

    def keep(self, step: Step) -> None:
        """Under the state that the row will hold: it names the run, so that no two runs share one."""
        self._runs[step.state] = step.run

    def recall(self, row: RunRow) -> Run:
        """The value itself, never decoded."""
        return self._runs[row.state]
