"""The steps that look: at what was said, what is expected next, and what the run has come to."""

from typing import assert_never

from engine.model.values import Json
from engine.testing.conversations.comparing import (
    Mismatch,
    demand_block,
    demand_equal,
    demand_path,
    demand_values,
    same,
    wanted_text,
)
from engine.testing.conversations.performance import Performance, Watched
from engine.testing.conversations.script import Anything, Expect, Holds, Is, Path, Wanted

Look = Expect | Is | Holds | Path


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
            demand_values(action.values, await scene.variables(), "the conversation's variables are different")
        case "result":
            result = (await scene.run(run.id)).result
            if result is None:
                raise Mismatch(f"the run has no result: it is {run.reply.status}")
            demand_values(action.values, result, "the result is different")


def _demand_expected(run: Watched, wanted: dict[str, Json]) -> None:
    told = run.reply.expected_input
    if told is None:
        raise Mismatch(f"nothing is expected: the run is {run.reply.status}")
    found = {**told, "fields": run.answer_names(), "options": _offered(told.get("options", []), wanted.get("options"))}
    demand_values(wanted, found, "something else is expected")


def _offered(options: list[dict[str, Json]], wanted: Json) -> list[Json]:
    """Each option's label, or its value where the test names that."""
    named = wanted if isinstance(wanted, list) and len(wanted) == len(options) else [None] * len(options)
    return [option["value"] if same(name, option["value"]) else option["label"] for option, name in zip(options, named, strict=True)]
