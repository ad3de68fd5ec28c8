"""Runs test files: each test straight through, and once more with its runs stored and loaded between turns."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from time import perf_counter
from typing import assert_never

import msgspec
from msgspec import Struct

from engine.errors import Refused
from engine.model.effects import Visit
from engine.model.flow import Flow, called_by
from engine.runtime.replies import TurnReply
from engine.runtime.turns.memory import RunMemory
from engine.testing.conversations.acting import act
from engine.testing.conversations.backstage import Calm, SetUp
from engine.testing.conversations.calling import Try
from engine.testing.conversations.chaos import Chaos, disturbed
from engine.testing.conversations.comparing import Mismatch, differing, nearest
from engine.testing.conversations.looking import hear, look
from engine.testing.conversations.memories import LivingRuns, SeededRuns
from engine.testing.conversations.performance import Performance
from engine.testing.conversations.results import Failed, Line, Outcome, Passed, TestResult
from engine.testing.conversations.scene import Scene, Stage
from engine.testing.conversations.script import (
    Action,
    Advance,
    Bot,
    CalledBack,
    Cancel,
    ConversationTest,
    Emitted,
    Expect,
    Happened,
    Holds,
    Is,
    OnRun,
    Path,
    Rejected,
    Sent,
    Step,
    TaskEnded,
    TestFile,
    Trigger,
    TriggerRejected,
    User,
)
from engine.testing.conversations.stubs import Stubs

Modes = tuple[Callable[[str | None], RunMemory], Callable[[str | None], RunMemory]]
"""How runs live between turns, given the test's seed: in the first performance, and in the second."""

_Part = TurnReply | Visit | Outcome | Try

STRAIGHT_AND_STORED: Modes = (LivingRuns, SeededRuns)


class _Performed(Struct, frozen=True):
    """What can be seen of one performance; both performances of a test must show the same."""

    outcome: Outcome
    turns: tuple[TurnReply, ...]
    visits: tuple[Visit, ...]
    tries: tuple[Try, ...]
    transcript: tuple[Line, ...]

    def parts(self) -> Iterator[Struct]:
        """Everything that was said, done and sent, in order."""
        return chain(self.turns, self.visits, self.tries, self.transcript)


Flows = Mapping[str, Flow | None]
"""Flow id to flow; None for one that has errors."""


def run_tests(test_file: TestFile, flows: Flows, *, only: str | None = None) -> list[TestResult]:
    """The results of the file's tests, in order; `only` leaves those whose name holds the word, in whatever case."""
    return asyncio.run(perform_tests(test_file, flows, only=only))


async def perform_tests(
    test_file: TestFile,
    flows: Flows,
    *,
    only: str | None = None,
    modes: Modes = STRAIGHT_AND_STORED,
    chaos: Chaos | None = None,
) -> list[TestResult]:
    """The same for a caller that has an event loop; under `chaos` each test that passes is disturbed as well."""
    chosen = [test for test in test_file.tests if only is None or only.casefold() in test.name.casefold()]
    flow = flows.get(test_file.flow)
    if flow is None:
        return [_result(test_file, test, Failed(_unplayable(test_file.flow, flows), test_file.line)) for test in chosen]
    stage = await Stage.of(flow, called_by(flow, {name: known for name, known in flows.items() if known is not None}))
    return [await _tested(stage, test_file, flow, test, modes, chaos) for test in chosen]


def _unplayable(name: str, flows: Flows) -> str:
    return f"the flow `{name}` has errors" if name in flows else f"there is no flow `{name}`{nearest(name, list(flows))}"


async def _tested(stage: Stage, test_file: TestFile, flow: Flow, test: ConversationTest, modes: Modes, chaos: Chaos | None) -> TestResult:
    began = perf_counter()
    try:
        straight, stored = [await _performed(stage, flow, test, memory(test.given.seed)) for memory in modes]
        outcome = straight.outcome if straight == stored else _disagreement(test, straight, stored)
        if chaos is not None and isinstance(outcome, Passed):
            outcome = await disturbed(test, partial(_performed, stage, flow, test, SeededRuns(test.given.seed)), chaos)
    except Exception as error:  # noqa: BLE001 - what breaks on one conversation must not keep the others from being played
        return _result(test_file, test, Failed(f"the engine broke: {type(error).__name__}: {error}", test.line), perf_counter() - began)
    return _result(test_file, test, outcome, perf_counter() - began, straight.visits)


def _result(
    test_file: TestFile, test: ConversationTest, outcome: Outcome, seconds: float = 0.0, visits: tuple[Visit, ...] = ()
) -> TestResult:
    return TestResult(test_file.file, test_file.flow, test.name, test.line, outcome, seconds, visits)


async def _performed(stage: Stage, flow: Flow, test: ConversationTest, memory: RunMemory, behind: SetUp = Calm) -> _Performed:
    scene = Scene(stage, test.given, memory, test.stubs, behind=behind)
    performance = Performance(scene, flow.flow)
    outcome = await play(performance, test)
    visits = [visit for run in performance.runs for visit in scene.calls.with_statuses(run.id, await scene.visits(run.id))]
    return _Performed(outcome, tuple(performance.turns), tuple(visits), tuple(scene.calls.tries), tuple(performance.transcript))


async def play(performance: Performance, test: ConversationTest) -> Outcome:
    """Go through the steps of the test, up to the first that goes otherwise."""
    try:
        await performance.scene.open()
    except Refused as refusal:
        return Failed(f"the conversation could not be opened: {refusal}", test.line)
    for number, step in enumerate(test.steps, 1):
        try:
            await _take(performance, step.action)
            if number == len(test.steps):
                performance.demand_all_named()
        except Mismatch as mismatch:
            return _failure(mismatch, performance, step, number)
    return _stubs_used(performance.scene.calls.stubs, test)


async def _take(performance: Performance, action: Action) -> None:
    """One step; raises Mismatch where it goes otherwise. Whatever comes after a turn's blocks, they must have been named."""
    match action:
        case Bot(wanted):
            hear(performance.run, wanted)
        case OnRun(number):
            performance.run.demand_named()
            performance.choose(number)
        case Trigger() | TriggerRejected() | User() | Rejected() | Advance() | Cancel() | Happened() | TaskEnded() | CalledBack():
            performance.demand_all_named()
            await act(performance, action)
        case Expect() | Is() | Holds() | Path() | Sent() | Emitted():
            performance.run.demand_named()
            await look(performance, action)
        case _:
            assert_never(action)


def _failure(mismatch: Mismatch, performance: Performance, step: Step, number: int) -> Failed:
    return Failed(str(mismatch), step.line, number, step.key, mismatch.difference, tuple(performance.transcript))


def _stubs_used(stubs: Stubs, test: ConversationTest) -> Outcome:
    left = stubs.left()
    if left is None:
        return Passed()
    (node, count), known = left, stubs.known_names()
    hint = "" if node in known else f": the flow has no such node{nearest(node, known)}"
    return Failed(f"{count} stub{'' if count == 1 else 's'} for `{node}` left over{hint}", test.line)


def _disagreement(test: ConversationTest, straight: _Performed, stored: _Performed) -> Failed:
    """Something was lost or changed while the run was stored."""
    pairs: list[tuple[_Part, _Part]] = [
        *zip(straight.turns, stored.turns, strict=False),
        (straight.outcome, stored.outcome),
        *zip(straight.visits, stored.visits, strict=False),
        *zip(straight.tries, stored.tries, strict=False),
    ]
    one, other = next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])
    return Failed(
        "the conversation goes another way when its runs are stored and loaded between turns",
        test.line,
        difference=tuple(differing(_shown(one), _shown(other))),
        transcript=straight.transcript,
    )


def _shown(part: _Part) -> str:
    return msgspec.json.format(msgspec.json.encode(part)).decode()
