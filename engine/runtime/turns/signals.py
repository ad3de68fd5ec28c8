"""Which event ends which wait: by its name, by what stands in its data, and once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from engine.model.run import Listening, Run
from engine.model.values import Json, Millis
from engine.runtime.store.rows import ListeningRow, SignalRow, WaitRow

SIGNAL_LIFE: Final[Millis] = 24 * 3_600_000
"""How long an event is kept for waits that begin later; a callback is kept as long as its run goes on."""


def callback_name(run_id: str, callback: str) -> str:
    """The name under which a callback is kept; no event is called so, for names have no colon."""
    return f"callback:{run_id}/{callback}"


def listening_rows(run: Run, wait: WaitRow) -> tuple[ListeningRow, ...]:
    """What the run's open wait listens to: each event once, with all that it may match, and its own callback."""
    listens = () if run.pause is None else run.pause.listens
    if not listens:
        return ()
    names: defaultdict[str, list[dict[str, Json]]] = defaultdict(list)
    for one in listens:
        names[one.event].append(one.match)
        if one.callback is not None:
            names[callback_name(run.id, one.callback)] = [{}]
    return tuple(ListeningRow(tenant_id=wait.tenant_id, name=name, wait_id=wait.id, match=match) for name, match in names.items())


def heard(run: Run, wait: WaitRow, signals: Iterable[SignalRow]) -> tuple[SignalRow, int] | None:
    """The oldest signal that ends the wait, with the place of what listens to it.

    None that this run has taken, that came too late, or that was no longer kept when the wait began, forgotten yet or not.
    """
    listens = () if run.pause is None else run.pause.listens
    for signal in signals:
        if signal.id in run.taken or signal.at >= wait.deadline:
            continue
        for place, listening in enumerate(listens):
            if _answers(run, wait, signal, listening):
                return signal, place
    return None


def matches(match: Mapping[str, Json], data: Json) -> bool:
    """Whether each path leads to exactly the value."""
    return all(same(_found(data, path), value) for path, value in match.items())


_DIGITS: Final = 9
"""Of a place in a list; Python does not even read a number of many thousands."""


class _Nothing:
    """What stands where no path leads."""


_NOTHING: Final = _Nothing()


def _answers(run: Run, wait: WaitRow, signal: SignalRow, listening: Listening) -> bool:
    if listening.callback is not None and signal.name == callback_name(run.id, listening.callback):
        return True
    kept = signal.at >= wait.opened_at - SIGNAL_LIFE
    return kept and signal.name == listening.event and matches(listening.match, signal.data)


def _found(data: Json, path: str) -> Json | _Nothing:
    for key in path.split("."):
        match data:
            case dict() if key in data:
                data = data[key]
            case list() if len(key) <= _DIGITS and key.isdecimal() and int(key) < len(data):
                data = data[int(key)]
            case _:
                return _NOTHING
    return data


def same(found: Json | _Nothing, wanted: Json) -> bool:
    """Whether they are equal as JSON: 1 is 1.0, and true is neither."""
    match found, wanted:
        case dict(), dict():
            return found.keys() == wanted.keys() and all(same(value, wanted[key]) for key, value in found.items())
        case list(), list():
            return len(found) == len(wanted) and all(map(same, found, wanted))
        case _:
            return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)
