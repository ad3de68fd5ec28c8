"""What a test file says, read and checked: tests as frozen values, their steps as one closed union."""

from typing import ClassVar, Final, Literal

from msgspec import Struct, field

from engine.model.run import EndReason, Status
from engine.model.values import EventName, Json, Millis
from engine.testing.conversations.stubs import Stub, StubFailure

START: Final[Millis] = 1_767_603_600_000
"""When a test begins unless it says otherwise: 2026-01-05T09:00:00Z, a Monday."""

Answer = str | dict[str, Json]
"""What a person answers: free text, or values."""


class Trigger(Struct, frozen=True):
    """Start a run of the tested flow."""

    text: str


class TriggerRejected(Struct, frozen=True, forbid_unknown_fields=True):
    """Starting a run must be refused with this error code."""

    text: str
    error: str


class User(Struct, frozen=True):
    """Answer the run's open wait."""

    answer: Answer


class Rejected(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer must be refused and change nothing; `field` and `code` name one of the problems that are told."""

    user: Answer
    field: str | None = None
    code: str | None = None


class Advance(Struct, frozen=True):
    """Let time go by; everything due fires, each at its own moment."""

    by: str
    """As written, such as 10m."""
    length: Millis


class Cancel(Struct, frozen=True):
    """End the run from outside."""


class Happened(Struct, frozen=True, forbid_unknown_fields=True):
    """An event comes from outside; it ends waits and starts runs of the flows that it starts, or does nothing."""

    name: EventName
    data: dict[str, Json] = field(default_factory=dict)


class TaskEnded(Struct, frozen=True, forbid_unknown_fields=True):
    """A worker gives the result of the node's newest task, or says that it failed; one that is over already stays as it is."""

    node: str
    """Its id; of another flow's node as flow/node."""
    result: Json = None
    error: StubFailure | None = None


class CalledBack(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever was given the newest address of the node's callback calls it; what was called before does nothing."""

    node: str
    body: Json = field(default_factory=dict)


class OnRun(Struct, frozen=True):
    """The steps that follow concern the test's run of this number, counted from 1."""

    number: int


class Said(Struct, frozen=True):
    """A `message` whose whole text, or a `form` whose title, is this."""

    text: str


class Containing(Struct, frozen=True):
    """A `message` whose text, or a `form` whose title, holds this."""

    part: str


class Matching(Struct, frozen=True):
    """A `message` in whose text, or a `form` in whose title, the pattern matches somewhere."""

    pattern: str


class Shown(Struct, frozen=True):
    """A block of this kind whose payload has these values under these keys, whatever else it has."""

    block: str
    payload: dict[str, Json]


class Anything(Struct, frozen=True):
    """Whatever the turn says from here on."""


Wanted = Said | Containing | Matching | Shown | Anything


class Bot(Struct, frozen=True):
    """The next block that the run says."""

    wanted: Wanted


class Expect(Struct, frozen=True):
    """What the run waits for, compared in the keys named."""

    wanted: dict[str, Json]


class Is(Struct, frozen=True):
    """One fact about the run: its status, the code it failed with, or why it ended."""

    what: Literal["status", "code", "end_reason"]
    value: Status | EndReason | str | None


class Holds(Struct, frozen=True):
    """Variables of the tested flow, of the conversation, or the run's result: compared in the keys named."""

    what: Literal["vars", "conversation", "result"]
    values: dict[str, Json]


class Path(Struct, frozen=True):
    """The nodes visited since the last `path`."""

    nodes: list[str]


class Sent(Struct, frozen=True):
    """The requests of the run since the last `sent`, one for each try, compared in the keys named."""

    requests: list[dict[str, Json]]


class Emitted(Struct, frozen=True):
    """The events that the run's nodes have sent to webhooks since the last `emitted`, compared in the keys named."""

    events: list[dict[str, Json]]


Act = Trigger | TriggerRejected | User | Rejected | Advance | Cancel | Happened | TaskEnded | CalledBack
"""The steps that do something."""

Look = Expect | Is | Holds | Path | Sent | Emitted
"""The steps that look at what a run has come to."""

Action = Act | OnRun | Bot | Look
"""Every step there is. Votes and agents take their places here."""


class Step(Struct, frozen=True):
    """One step and the line it stands on."""

    action: Action
    line: int
    key: str
    """The key it is written with."""


class Given(Struct, frozen=True):
    """What is true before the first step."""

    variables: dict[str, Json] = field(default_factory=dict)
    """The conversation's."""
    context: dict[str, Json] = field(default_factory=dict)
    """Sent with every trigger."""
    locale: str | None = None
    """The session's language."""
    now: Millis = START
    seed: str | None = None
    """None: each run's id is its seed, as on a server."""


class ConversationTest(Struct, frozen=True):
    """One conversation, as it must go."""

    name: str
    line: int
    given: Given
    stubs: dict[str, list[Stub]]
    steps: tuple[Step, ...]


class TestFile(Struct, frozen=True):
    """The tests of one file, all of one flow."""

    __test__: ClassVar[bool] = False  # pytest collects classes of this name
    file: str
    flow: str
    line: int
    """Where the flow is named."""
    tests: tuple[ConversationTest, ...]
