"""The steps that look: at what was said, what is expected next, and what the run has come to."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import TypeVar, assert_never

from engine.model.values import Json
from engine.testing.conversations.calling import Try
from engine.testing.conversations.comparing import (
    Mismatch,
    demand_block,
    demand_each,
    demand_equal,
    demand_path,
    demand_values,
    same,
    wanted_text,
)
from engine.testing.conversations.performance import Performance, Watched
from engine.testing.conversations.script import Anything, Emitted, Expect, Holds, Is, Look, Path, Sent, Wanted

T = TypeVar("T")


async def look(performance: Performance, action: Look) -> None:
    """Compare; raises Mismatch where it is otherwise."""
    run = performance.run
    match action:
        case Expect(wanted):
            _demand_expected(run, wanted)
        case Is(what, value):
            facts = {"status": run.reply.status, "code": run.reply.end_code, "end_reason": run.reply.end_reason}
            demand_equal(value, facts[what], f"the run has another {what}")
        case Holds():
            await _demand_held(performance, action)
        case Path(nodes):
            visits = await performance.scene.visits(run.id)
            demand_path(nodes, visits[run.walked :], performance.flow)
            run.walked = len(visits)
        case Sent(requests):
            _demand_sent(performance, requests)
        case Emitted(events):
            told = performance.scene.emitted(run.id)
            found = [{key: one[key] for key in wanted or one} for one, wanted in _beside(told[run.emitted :], events)]
            demand_each(events, found, "other events were sent to webhooks")
            run.emitted = len(told)
        case _:
            assert_never(action)


def hear(run: Watched, wanted: Wanted) -> None:
    """The next block that nobody has named must be what is wanted."""
    if isinstance(wanted, Anything):
        run.skip_turn()
        return
    block = run.next_block()
    if block is None:
        raise Mismatch("nothing more was said", [f"- {line}" for line in wanted_text(wanted).splitlines() or [""]])
    demand_block(wanted, block)
    run.name_block()


async def _demand_held(performance: Performance, action: Holds) -> None:
    run, scene = performance.run, performance.scene
    match action.what:
        case "vars":
            stored = await scene.run(run.id)
            own = (frame for frame in stored.frames if frame.ref.flow == performance.flow)
            # A jump leaves the tested flow behind, and with it its variables.
            demand_values(action.values, next(own, stored.frame).variables, "the flow's variables are different")
        case "conversation":
            demand_values(action.values, await scene.variables(run.id), "the conversation's variables are different")
        case "result":
            result = (await scene.run(run.id)).result
            if result is None:
                raise Mismatch(f"the run has no result: it is {run.reply.status}")
            demand_values(action.values, result, "the result is different")


def _demand_sent(performance: Performance, wanted: list[dict[str, Json]]) -> None:
    run = performance.run
    tries = performance.scene.calls.tries_of(run.id)
    found = [_named(one, keys) for one, keys in _beside(tries[run.sent :], wanted)]
    expected = [_small(one) for one in wanted]
    demand_each(expected, found, "other requests were sent")
    run.sent = len(tries)


def _named(one: Try, wanted: dict[str, Json] | None) -> dict[str, Json]:
    """The try in the keys that the test names; what tells it from others where it was not expected."""
    if wanted is None:
        return {"node": one.names[0], "method": one.method, "url": one.url}
    names = {name.lower() for name in wanted.get("headers", ())}
    facts: dict[str, Json] = {
        "node": wanted["node"] if wanted.get("node") in one.names else one.names[0],
        "method": one.method,
        "url": one.url,
        "headers": {name: one.headers.get(name) for name in sorted(names)},
        "json": one.json,
        "body": one.body,
    }
    return {key: facts[key] for key in wanted}


def _small(wanted: dict[str, Json]) -> dict[str, Json]:
    """The names of headers in small letters."""
    if "headers" not in wanted:
        return wanted
    return wanted | {"headers": dict(sorted((name.lower(), value) for name, value in wanted["headers"].items()))}


def _beside(found: Sequence[T], wanted: Sequence[dict[str, Json]]) -> list[tuple[T, dict[str, Json] | None]]:
    """Each thing found, beside what the test says of it; None where it was not expected."""
    return [(one, wanted[number] if number < len(wanted) else None) for number, one in enumerate(found)]


def _demand_expected(run: Watched, wanted: dict[str, Json]) -> None:
    told = run.reply.expected_input
    if told is None:
        raise Mismatch(f"nothing is expected: the run is {run.reply.status}")
    found = {**told, "fields": run.answer_names(), "options": _offered(told.get("options", []), wanted.get("options"))}
    demand_values(wanted, found, "something else is expected")


def _offered(options: list[dict[str, Json]], wanted: Json) -> list[Json]:
    """Each option's value, or its label where the test names that; what the test names as neither is told as its other options are."""
    named = wanted if isinstance(wanted, list) else []
    by_label = any(_is_label(name, options) for name in named)
    return [_told(option, name, by_label=by_label) for option, name in zip_longest(options, named[: len(options)])]


def _is_label(name: Json, options: list[dict[str, Json]]) -> bool:
    return any(name == option["label"] for option in options) and not any(same(name, option["value"]) for option in options)


def _told(option: dict[str, Json], name: Json, *, by_label: bool) -> Json:
    if same(name, option["value"]):
        return option["value"]
    return option["label"] if by_label or name == option["label"] else option["value"]
