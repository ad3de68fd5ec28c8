"""The steps that do something: start a run, answer it, end it, let time go by; what comes from outside stands in `happening`."""

from typing import assert_never

from engine.errors import Refused, Unfit
from engine.model.problems import Problem
from engine.runtime.replies import TurnReply
from engine.testing.conversations.comparing import Mismatch, compact, demand_equal, drawn, opposed
from engine.testing.conversations.happening import call_back, end_task, happen
from engine.testing.conversations.performance import Performance, Watched
from engine.testing.conversations.script import (
    Act,
    Advance,
    Answer,
    CalledBack,
    Cancel,
    Happened,
    Rejected,
    TaskEnded,
    Trigger,
    TriggerRejected,
    User,
)


async def act(performance: Performance, action: Act) -> None:
    """Do it; raises Mismatch where it cannot be done, or is refused where it should not be, or the other way round."""
    match action:
        case Trigger(text):
            await _trigger(performance, text)
        case TriggerRejected(text, error):
            await _trigger_rejected(performance, text, error)
        case User(answer):
            await _answer(performance, answer)
        case Rejected():
            await _rejected(performance, action)
        case Advance(by, length):
            performance.note("time", f"+{by}")
            for reply in await performance.scene.pass_time(length):
                await performance.went_on(reply)
        case Cancel():
            await _cancel(performance)
        case Happened():
            await happen(performance, action)
        case TaskEnded():
            await end_task(performance, action)
        case CalledBack():
            await call_back(performance, action)
        case _:
            assert_never(action)
    await performance.catch_up()


async def _trigger(performance: Performance, text: str) -> None:
    performance.note("user", text)
    try:
        reply = await performance.scene.trigger(text)
    except Refused as refusal:
        raise Mismatch(f"the trigger was refused with {_reasons(refusal)}") from refusal
    await performance.catch_up()  # a trigger may end runs that were open before it
    await performance.began(reply)


async def _trigger_rejected(performance: Performance, text: str, error: str) -> None:
    performance.note("user", text)
    try:
        reply = await performance.scene.trigger(text)
    except Refused as refusal:
        performance.note("", f"refused with {_reasons(refusal)}")
        demand_equal(error, refusal.code, "the trigger was refused with another error")
    else:
        raise Mismatch("the trigger was taken, and should have been refused", _spoken(reply))


async def _answer(performance: Performance, answer: Answer) -> None:
    run = performance.run
    wait_id = _wait(run)
    performance.note("user", _said(answer))
    try:
        reply = await performance.scene.answer(run.id, wait_id, answer)
    except Refused as refusal:
        raise Mismatch(f"the answer was refused with {_reasons(refusal)}") from refusal
    await performance.went_on(reply)


async def _rejected(performance: Performance, action: Rejected) -> None:
    run, scene = performance.run, performance.scene
    wait_id = _wait(run)
    performance.note("user", _said(action.user))
    before = await scene.stored(run.id)
    try:
        reply = await scene.answer(run.id, wait_id, action.user)
    except Unfit as refusal:
        performance.note("", f"refused with {_reasons(refusal)}")
        _demand_problem(action, refusal.problems, run)
    except Refused as refusal:
        raise Mismatch(f"the answer was not even looked at: {refusal}") from refusal
    else:
        raise Mismatch("the answer was taken, and should have been refused", _spoken(reply))
    if await scene.stored(run.id) != before:
        raise Mismatch("the answer was refused, and something changed all the same")


async def _cancel(performance: Performance) -> None:
    run = performance.run
    performance.note("user", "(cancels)")
    reply = await performance.scene.cancel(run.id)
    if reply.turn_id != run.reply.turn_id:
        await performance.went_on(reply)


def _wait(run: Watched) -> str:
    """The wait that can be answered."""
    if run.reply.wait_id is None or not run.reply.answerable:
        raise Mismatch(f"nothing waits for an answer: the run is {run.reply.status}")
    return run.reply.wait_id


def _demand_problem(action: Rejected, problems: list[Problem], run: Watched) -> None:
    named = [problem for problem in problems if action.field is None or _concerns(problem, action.field, run)]
    if action.field is not None and not named:
        found = ", ".join(dict.fromkeys(problem.field.removeprefix("/values/") for problem in problems))
        raise Mismatch("the answer was refused for another field", opposed(action.field, found))
    if action.code is not None and all(problem.code != action.code for problem in named):
        codes = ", ".join(problem.code for problem in named)
        raise Mismatch("the answer was refused with another code", opposed(action.code, codes))


def _concerns(problem: Problem, field: str, run: Watched) -> bool:
    """Whether the problem lies in the field; what is wrong with a free text concerns the one field there is."""
    if problem.field == "/text":
        return run.answer_names() == [field]
    return f"{problem.field}/".startswith(f"/values/{field}/")


def _said(answer: Answer) -> str:
    return answer if isinstance(answer, str) else compact(answer)


def _spoken(reply: TurnReply) -> list[str]:
    return [f"+ {line}" for block in reply.blocks for line in drawn(block).splitlines() or [""]]


def _reasons(refusal: Refused) -> str:
    """The error's code, and what exactly was wrong."""
    if not isinstance(refusal, Unfit):
        return f"{refusal.code}: {refusal}"
    return f"{refusal.code}: " + "; ".join(f"{problem.field} {problem.code}: {problem.message}" for problem in refusal.problems)
