"""Burr: one action for each turn, the application built anew from what its persister holds, as a web server does it.

An application that is kept in memory between turns would save the load, and could run in one process only.
"""

from collections.abc import Callable
from typing import Any, Final

from burr.core import ApplicationBuilder, State, action, when
from burr.core.graph import GraphBuilder

from scripts.benchmarks.peers.conversation import ASK_NAME, PARTY, ask_day, ask_guests, told

Act = Callable[[State[Any], Any], State[Any]]


def _greet(state: State[Any], _said: None) -> State[Any]:
    return state.update(reply=ASK_NAME)


def _take_name(state: State[Any], said: str) -> State[Any]:
    return state.update(name=said, reply=ask_guests(said))


def _take_guests(state: State[Any], said: int) -> State[Any]:
    return state.update(guests=said, party=said > PARTY, reply=ask_day(said))


def _take_day(state: State[Any], said: str) -> State[Any]:
    return state.update(day=said, reply=told(state["name"], state["guests"], said))


def _plain(act: Act) -> Any:
    def acting(state: State[Any], said: Any) -> State[Any]:
        return act(state, said)

    return acting


def _coroutine(act: Act) -> Any:
    """An asynchronous application hands its persister the state from before the action where that is no coroutine."""

    async def acting(state: State[Any], said: Any) -> State[Any]:
        return act(state, said)

    return acting


def _graph(form: Callable[[Act], Any]) -> Any:
    return (
        GraphBuilder()
        .with_actions(
            greet=action(reads=[], writes=["reply"])(form(_greet)),
            take_name=action(reads=[], writes=["name", "reply"])(form(_take_name)),
            take_guests=action(reads=[], writes=["guests", "party", "reply"])(form(_take_guests)),
            take_party_day=action(reads=["name", "guests"], writes=["day", "reply"])(form(_take_day)),
            take_table_day=action(reads=["name", "guests"], writes=["day", "reply"])(form(_take_day)),
        )
        .with_transitions(
            ("greet", "take_name"),
            ("take_name", "take_guests"),
            ("take_guests", "take_party_day", when(party=True)),
            ("take_guests", "take_table_day", when(party=False)),
        )
        .build()
    )


PLAIN: Final = _graph(_plain)
COROUTINES: Final = _graph(_coroutine)
_EVERY: Final = ["greet", "take_name", "take_guests", "take_party_day", "take_table_day"]


def builder(graph: Any, persister: Any, conversation: str) -> Any:
    """An application that goes on where the conversation stands; it is still to be built."""
    return (
        ApplicationBuilder()
        .with_graph(graph)
        .with_identifiers(app_id=conversation)
        .initialize_from(persister, resume_at_next_action=True, default_state={}, default_entrypoint="greet")
        .with_state_persister(persister)
    )


def given(said: str | int | None) -> dict[str, Any]:
    """One action, with what the customer said."""
    return {"halt_after": _EVERY, "inputs": {"said": said}}
