"""What a run of the flow `watching` must come to: states, and what each happening makes of them. It knows nothing of the engine."""

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

LASTS: Final = 10_000
"""Milliseconds that each of the two waits lasts at most."""
WATCHING: Final = """
flow: watching
intent: {}
nodes:
  ask: {type: ask, prompt: Begin?, next: first}
  first:
    type: wait
    any:
      - {name: mine, event: order.paid, match: {run: "{{ run.id }}", order: A}}
      - {name: other, event: order.paid, match: {run: "{{ run.id }}", order: B}}
      - {name: failed, event: order.failed, match: {run: "{{ run.id }}"}}
    save: one
    timeout: {after: 10s, next: late}
    next: second
  second: {type: wait, event: order.paid, match: {run: "{{ run.id }}"}, save: two, timeout: {after: 10s, next: late}, next: both}
  both: {type: message, text: "{{ vars.one.data.n }} {{ vars.two.data.n }}", next: end}
  late: {type: message, text: "{{ vars.one.data.n }} late", next: end}
"""

Kind = Literal["A", "B", "C", "failed", "first called", "second called"]
"""An `order.paid` for the order A, B or C, an `order.failed`, or the callback of one of the waits."""
HEARD: Final[dict[str, frozenset[str]]] = {
    "first": frozenset({"A", "B", "failed", "first called"}),
    "second": frozenset({"A", "B", "C", "second called"}),
}


class Arrives(Struct, frozen=True):
    """An event comes in; `seen` False: whoever took it dies before anything comes of it. `lag` counts the commits that go before."""

    kind: Kind
    n: int
    seen: bool = True
    lag: int = 0


class Begins(Struct, frozen=True):
    """The customer answers, and the first wait begins; `seen` as for events."""

    seen: bool = True


class Cancels(Struct, frozen=True):
    """Somebody ends the run."""


class Passes(Struct, frozen=True):
    """Time goes by, and then, if somebody is awake, all that is due acts."""

    time: int
    awake: bool


Happening = Arrives | Begins | Cancels


class State(Struct, frozen=True):
    """A run as the model has it."""

    at: str = "ask"
    """The node where it waits; or how it has ended: both, late, cancelled."""
    until: int = 0
    kept: tuple[tuple[int, str, int], ...] = ()
    """Events that have come and were not taken: (moment, kind, n), the oldest first."""
    taken: tuple[int, ...] = ()
    called: frozenset[str] = frozenset()
    """Callbacks that have been called: each is once."""

    @property
    def text(self) -> str:
        """What the run has said."""
        match self.at:
            case "both":
                return f"{self.taken[0]} {self.taken[1]}"
            case "late":
                return f"{self.taken[0] if self.taken else ''} late"
            case _:
                return ""


def after(state: State, happening: Happening, now: int) -> tuple[State, bool]:
    """The state when it has happened, and whether somebody will look after the run."""
    match happening:
        case Arrives(kind, _, _, _) if kind in state.called:
            return state, False
        case Arrives(kind, n, seen, _):
            called = state.called | {kind} if kind.endswith(" called") else state.called
            state = replace(state, called=called)
            return replace(state, kept=(*state.kept, (now, kind, n))), seen and kind in HEARD.get(state.at, ())
        case Begins(seen):
            return (replace(state, at="first", until=now + LASTS), seen) if state.at == "ask" else (state, False)
        case Cancels():
            return (replace(state, at="cancelled") if state.at in {"ask", *HEARD} else state), False


def look(state: State, now: int) -> tuple[State, bool]:
    """The state when somebody has looked after the run at this moment, and whether another wait has begun, to be looked after too."""
    if state.at not in HEARD:
        return state, False
    came = next((event for event in state.kept if event[1] in HEARD[state.at] and event[0] < state.until), None)
    if came is None:
        return (replace(state, at="late") if now >= state.until else state), False
    rest, taken = tuple(event for event in state.kept if event is not came), (*state.taken, came[2])
    if state.at == "first":
        return replace(state, at="second", until=now + LASTS, kept=rest, taken=taken), True
    return replace(state, at="both", kept=rest, taken=taken), False


def looked(state: State, now: int) -> State:
    """The state when it has been looked after until nothing comes of it any more."""
    state, again = look(state, now)
    return looked(state, now) if again else state


def outcomes(states: frozenset[State], happenings: tuple[Happening, ...], now: int) -> frozenset[State]:
    """Every state that there may be when these have happened at the same moment, in whatever order, looks between them."""
    return frozenset(ended for state in states for ended in _in_any_order(state, happenings, 0, now))


def _in_any_order(state: State, happenings: tuple[Happening, ...], looks: int, now: int) -> Iterator[State]:
    if not happenings and not looks:
        yield state
    if looks:
        following, again = look(state, now)
        yield from _in_any_order(following, happenings, looks - 1 + again, now)
    for place, happening in enumerate(happenings):
        following, woken = after(state, happening, now)
        yield from _in_any_order(following, (*happenings[:place], *happenings[place + 1 :]), looks + woken, now)
