"""Reads test files: YAML text in, tests and everything that is wrong with them out."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET

from engine.errors import ExpressionError
from engine.expressions.patterns import compile_pattern
from engine.loading import Source, Tree, Vocabulary, decode, read_yaml
from engine.loading.findings import Findings, clause, shown
from engine.loading.tree import Items, Pairs, Part, plain
from engine.model.problems import Diagnostic
from engine.model.values import Json, Millis, span
from engine.testing.conversations import script
from engine.testing.conversations.script import (
    START,
    CalledBack,
    ConversationTest,
    Given,
    Happened,
    Rejected,
    TaskEnded,
    TestFile,
    TriggerRejected,
)
from engine.testing.conversations.written import LATER_STEPS, WrittenBot, WrittenFile, WrittenGiven, WrittenStep, WrittenTest

ANYTHING: Final = "any"
"""What stands for the rest of a turn's blocks."""
_YEARS: Final = range(1971, 9000)
"""Far enough from the ends of time for any zone and any deadline."""
_WORDS: Final = Vocabulary(later_keys={WrittenStep: LATER_STEPS})


def load_tests(source: Source) -> tuple[TestFile | None, list[Diagnostic]]:
    """The file's tests, or None; and all that is wrong with it, in the order of the places."""
    tree = read_yaml(source)
    written, problems = decode(tree, WrittenFile, _WORDS)
    findings = Findings(tree.file, tree.lines)
    _check(tree, findings)
    found = sorted({*problems, *findings.sorted()}, key=lambda one: (one.line, one.column, one.code, one.message))
    if written is None or found:
        return None, found
    tests = tuple(_test(tree, number, test) for number, test in enumerate(written.tests))
    return TestFile(tree.file, written.flow, tree.place("flow")[0], tests), []


def _check(tree: Tree, findings: Findings) -> None:
    """What the types cannot say: how many keys a step has, moments, patterns, names that are taken, lists that are empty."""
    tests = tree.root.get("tests") if isinstance(tree.root, Pairs) else None
    if not isinstance(tests, Items):
        return
    if not tests.items:
        findings.add("value.wrong", tests.start, "there is no test here")
    taken: set[str] = set()
    for test in tests.items:
        if isinstance(test, Pairs):
            _check_name(test, taken, findings)
            _check_now(test, findings)
            _check_stubs(test, findings)
            _check_steps(test, findings)


def _check_name(test: Pairs, taken: set[str], findings: Findings) -> None:
    name = _written(test.get("name"))
    if not isinstance(name, str):
        return
    if name in taken:
        findings.add("value.wrong", test.entries["name"].start, f"another test is called {shown(name)} too")
    taken.add(name)


def _check_now(test: Pairs, findings: Findings) -> None:
    given = test.get("given")
    written = given.get("now") if isinstance(given, Pairs) else None
    now = _written(written)
    if written is not None and isinstance(now, str) and _moment(now) is None:
        findings.add("value.wrong", written.start, f"{shown(now)} is not a moment", "write it like 2026-01-05T09:00:00Z")


def _check_stubs(test: Pairs, findings: Findings) -> None:
    """A stub has one body, and a failure comes instead of an answer."""
    stubs = test.get("stubs")
    lists = [entry.value for entry in stubs.entries.values()] if isinstance(stubs, Pairs) else []
    for stub in [stub for part in lists if isinstance(part, Items) for stub in part.items if isinstance(stub, Pairs)]:
        keys = list(stub.entries)
        if "error" in keys and len(keys) > 1:
            findings.add("value.wrong", stub.entries["error"].start, "a call that fails has no answer: `error` stands alone")
        if "json" in keys and "text" in keys:
            findings.add("value.wrong", stub.entries[keys[-1]].start, "an answer has one body: `json` or `text`")


def _check_steps(test: Pairs, findings: Findings) -> None:
    steps = test.get("steps")
    if not isinstance(steps, Items):
        return
    if not steps.items:
        findings.add("value.wrong", test.entries["steps"].start, "a test has at least one step")
    for step in steps.items:
        if isinstance(step, Pairs):
            _check_step(step, findings)


def _check_step(step: Pairs, findings: Findings) -> None:
    for key in list(step.entries)[1:]:
        findings.add("value.wrong", step.entries[key].start, f"{shown(key)} is a second key in one step", "put a dash before it")
    if not step.entries:
        findings.add("value.wrong", step.start, "a step has one key, and this one has none")
    for key, entry in step.entries.items():
        match key, entry.value:
            case "bot", Pairs() as bot:
                _check_bot(bot, findings)
            case "expect", Pairs() as told if not told.entries:
                findings.add("value.wrong", told.start, "this says nothing that could be compared")
            case "cancel", part if _written(part) is False:
                findings.add("value.wrong", part.start, "write `cancel: true`, or leave the step out")
            case "task", Pairs() as done if {"result", "error"} <= done.entries.keys():
                findings.add("value.wrong", done.entries["error"].start, "a task that has failed has no result: write one of them")
            case "run", part if isinstance(number := _written(part), int) and number < 1:
                findings.add("value.wrong", part.start, "runs count from 1")


def _check_bot(bot: Pairs, findings: Findings) -> None:
    kinds = [key for key in ("contains", "matches", "block") if key in bot.entries]
    if len(kinds) != 1:
        findings.add("value.wrong", bot.start, "a block is told by one of `contains`, `matches` and `block`")
    if "payload" in bot.entries and "block" not in bot.entries:
        findings.add("value.wrong", bot.entries["payload"].start, "`payload` goes with `block`")
    pattern = _written(bot.get("matches"))
    if not isinstance(pattern, str):
        return
    try:
        compile_pattern(pattern)
    except ExpressionError as problem:
        findings.add("pattern.bad", bot.entries["matches"].value.start, clause(str(problem)))


def _written(part: Part | None) -> Json:
    return None if part is None else plain(part)


def _test(tree: Tree, number: int, test: WrittenTest) -> ConversationTest:
    place = ("tests", number)
    steps = tuple(_step(step, tree.place(*place, "steps", at)[0]) for at, step in enumerate(test.steps))
    return ConversationTest(test.name, tree.place(*place)[0], _given(test.given), test.stubs, steps)


def _given(given: WrittenGiven) -> Given:
    now = None if given.now is None else _moment(given.now)
    seed = None if given.seed is None else str(given.seed)
    return Given(given.variables, given.context, given.locale, START if now is None else now, seed)


def _moment(text: str) -> Millis | None:
    """Milliseconds since 1970 of an ISO 8601 date-time, in UTC where it names no zone; None when it is none, or far from our time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year not in _YEARS:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _step(step: WrittenStep, line: int) -> script.Step:
    key, value = next((name, value) for name, value in msgspec.structs.asdict(step).items() if value is not UNSET)
    return script.Step(_action(key, value), line, key)


def _action(key: str, value: Any) -> script.Action:
    match key:
        case "trigger":
            return script.Trigger(value)
        case "user":
            return script.User(value)
        case "trigger_rejected" | "rejected" | "event" | "task" | "callback":
            taken: TriggerRejected | Rejected | Happened | TaskEnded | CalledBack = value
            return taken
        case "advance":
            return script.Advance(value, span(value) or 0)
        case "cancel":
            return script.Cancel()
        case "run":
            return script.OnRun(value)
        case "bot":
            return script.Bot(_wanted(value))
        case "expect":
            return script.Expect(msgspec.to_builtins(value))
        case "status" | "code" | "end_reason":
            return script.Is(key, value)
        case "vars" | "conversation" | "result":
            return script.Holds(key, value)
        case "path":
            return script.Path(value)
        case "sent":
            return script.Sent(msgspec.to_builtins(value))
        case "emitted":
            return script.Emitted(msgspec.to_builtins(value))
        case _:
            raise AssertionError(key)


def _wanted(written: str | WrittenBot) -> script.Wanted:
    match written:
        case str():
            return script.Anything() if written == ANYTHING else script.Said(written)
        case WrittenBot(contains=str(part)):
            return script.Containing(part)
        case WrittenBot(matches=str(pattern)):
            return script.Matching(pattern)
        case WrittenBot(block=str(block), payload=payload):
            return script.Shown(block, payload if isinstance(payload, dict) else {})
        case _:
            raise AssertionError(written)
