"""Test files as they are written: which keys may stand where, and what each may hold."""

from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType, field

from engine.model.inputs import ExpectationKind
from engine.model.run import EndReason, Status
from engine.model.values import Duration, Locale, Name, Scalar
from engine.testing.conversations.script import Answer, CalledBack, Happened, Rejected, TaskEnded, TriggerRejected
from engine.testing.conversations.stubs import Stub

LATER_STEPS: Final = frozenset({"approve", "reject", "agent", "release"})
"""Steps that the language has and this version has not."""


class WrittenBot(Struct, frozen=True, forbid_unknown_fields=True):
    """What a block must be, where its whole text does not say it: one of the first three keys, `payload` beside `block`."""

    contains: str | UnsetType = UNSET
    matches: str | UnsetType = UNSET
    block: str | UnsetType = UNSET
    payload: dict[str, Any] | UnsetType = UNSET


class WrittenExpectation(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run waits for; which of the keys are written decides what is compared."""

    kind: ExpectationKind | UnsetType = UNSET
    node: str | UnsetType = UNSET
    fields: list[str] | UnsetType = UNSET
    """The names that an answer may have, in order."""
    options: list[Scalar] | UnsetType = UNSET
    """Each option's value, or its label."""
    attempts_left: int | UnsetType | None = UNSET


class WrittenSent(Struct, frozen=True, forbid_unknown_fields=True):
    """One try of a request; which of the keys are written decides what is compared."""

    node: str | UnsetType = UNSET
    """Its id; of another flow's node as flow/node."""
    method: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    """With its query; of a request with a connection the path alone."""
    headers: dict[str, str | None] | UnsetType = UNSET
    """Only those named are compared; null: it is not there."""
    json: Any = UNSET
    body: str | UnsetType | None = UNSET


class WrittenEmitted(Struct, frozen=True, forbid_unknown_fields=True):
    """One event that was sent to webhooks."""

    event: str
    data: dict[str, Any] | UnsetType = UNSET


class WrittenStep(Struct, frozen=True, forbid_unknown_fields=True):
    """One step: a mapping with exactly one of these keys."""

    trigger: str | UnsetType = UNSET
    trigger_rejected: TriggerRejected | UnsetType = UNSET
    user: Answer | UnsetType = UNSET
    rejected: Rejected | UnsetType = UNSET
    advance: Duration | UnsetType = UNSET
    cancel: bool | UnsetType = UNSET
    event: Happened | UnsetType = UNSET
    task: TaskEnded | UnsetType = UNSET
    callback: CalledBack | UnsetType = UNSET
    run: int | UnsetType = UNSET
    bot: str | WrittenBot | UnsetType = UNSET
    expect: WrittenExpectation | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    code: str | UnsetType | None = UNSET
    end_reason: EndReason | UnsetType | None = UNSET
    vars: dict[str, Any] | UnsetType = UNSET
    conversation: dict[str, Any] | UnsetType = UNSET
    result: dict[str, Any] | UnsetType = UNSET
    path: list[str] | UnsetType = UNSET
    sent: list[WrittenSent] | UnsetType = UNSET
    emitted: list[WrittenEmitted] | UnsetType = UNSET


class WrittenGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """What is true before the first step."""

    variables: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    locale: Locale | None = None
    now: str | None = None
    seed: int | str | None = None


class WrittenTest(Struct, frozen=True, forbid_unknown_fields=True):
    """One test."""

    name: str
    steps: list[WrittenStep]
    given: WrittenGiven = field(default_factory=WrittenGiven)
    stubs: dict[str, list[Stub]] = field(default_factory=dict)


class WrittenFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file; which keys may stand in it, and what each may hold."""

    flow: Name
    tests: list[WrittenTest]
