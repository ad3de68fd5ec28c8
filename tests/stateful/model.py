"""What a conversation must be, told once more as simply as it can be told: a few facts about each run, and nothing of how they are kept."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from engine.model.values import Millis

FLOW = """
flow: talk
intent: {}
nodes:
  first: {type: ask, prompt: One?, input: integer, timeout: {after: 10m, next: late}, next: pause}
  pause: {type: wait, event: go.on, timeout: {after: 1h, next: late}, next: second}
  second: {type: ask, prompt: Two?, input: integer, timeout: {after: 10m, next: late}, next: end}
  late: {type: message, text: Late., next: end}
"""
TEN_MINUTES: Millis = 600_000
HOUR: Millis = 3_600_000

Stand = Literal["first", "pause", "second", "completed", "aborted"]


@dataclass
class Journey:
    """One run: where it stands, until when, and how many turns and messages it has come to."""

    started: Millis
    stand: Stand = "first"
    deadline: Millis = 0
    turns: int = 1
    messages: int = 2
    """What the trigger said, and the first question."""
    told: int = 1
    """Things for webhooks: that it has begun."""

    @property
    def status(self) -> str:
        """As the engine calls it."""
        return {"first": "waiting_input", "second": "waiting_input", "pause": "waiting_time"}.get(self.stand, self.stand)

    def waits_for_answer(self, now: Millis) -> bool:
        """Whether an answer is taken."""
        return self.stand in {"first", "second"} and now < self.deadline


@dataclass
class Model:
    """All of them, and the events that have come."""

    journeys: list[Journey] = field(default_factory=list)
    events: list[Millis] = field(default_factory=list)

    def begin(self, now: Millis) -> None:
        """A trigger."""
        self.journeys.append(Journey(now, deadline=now + TEN_MINUTES))

    def answer(self, journey: Journey, now: Millis) -> None:
        """An answer that fits."""
        journey.turns += 1
        journey.messages += 1
        if journey.stand == "second":
            self._end(journey, "completed")
            return
        journey.stand, journey.deadline = "pause", now + HOUR
        if any(at >= journey.started for at in self.events):
            self._go_on(journey, now)

    def happen(self, now: Millis) -> None:
        """The event comes; it is a look at the clock as well for those that wait for it."""
        self.events.append(now)
        for journey in self.journeys:
            if journey.stand == "pause" and now < journey.deadline:
                self._go_on(journey, now)
            elif journey.stand == "pause":
                self._be_late(journey)

    def sweep(self, now: Millis) -> None:
        """Whatever is due acts."""
        for journey in self.open():
            if journey.deadline <= now:
                self._be_late(journey)

    def cancel(self, journey: Journey) -> None:
        """It ends, if it has not."""
        if journey in self.open():
            journey.turns += 1
            self._end(journey, "aborted")

    def open(self) -> Iterator[Journey]:
        """Those that have not ended."""
        return iter([journey for journey in self.journeys if journey.stand not in {"completed", "aborted"}])

    def _go_on(self, journey: Journey, now: Millis) -> None:
        journey.turns += 1
        journey.messages += 1
        journey.stand, journey.deadline = "second", now + TEN_MINUTES

    def _be_late(self, journey: Journey) -> None:
        journey.turns += 1
        journey.messages += 1
        journey.told += 1
        self._end(journey, "completed")

    def _end(self, journey: Journey, stand: Stand) -> None:
        journey.stand = stand
        journey.told += 1
