"""What a run asks of the world in one step, and what it says about the way it took."""

from typing import Literal

from msgspec import Struct, field

from engine.model.run import Block, Ended, EndReason, Invoke, Pause, Run
from engine.model.values import Json


class Emit(Struct, frozen=True, tag="emit"):
    """Show this block to the customer."""

    block: Block


class Await(Struct, frozen=True, tag="await"):
    """Open a wait: a new row, a new token."""

    pause: Pause


class Enqueue(Struct, frozen=True, tag="enqueue"):
    """Put a task into a queue; the wait that the same step opens is for its result."""

    queue: str
    payload: dict[str, Json]


class Notify(Struct, frozen=True, tag="notify"):
    """Send an event to the tenant's webhooks."""

    event: str
    data: dict[str, Json]
    node: str
    flow: str


class Finish(Struct, frozen=True, tag="finish"):
    """The run has ended."""

    status: Ended
    reason: EndReason
    code: str | None = None


Effect = Emit | Await | Invoke | Enqueue | Notify | Finish
"""Every effect there is."""


class Warned(Struct, frozen=True, omit_defaults=True):
    """Something the author should look at that did not stop the run."""

    code: str
    message: str


class Reached(Struct, frozen=True, omit_defaults=True):
    """What a visit did outside the run, or what came of it there; nothing of what was sent or came back."""

    kind: Literal["asked", "answered", "queued", "emitted"]
    what: str
    """The method of what was asked, the status of the answer, the queue, or the name of the event."""
    retries: int = 0


class Visit(Struct, frozen=True, omit_defaults=True):
    """One passage through a node and the edge it left by.

    Edges: `next`, `case:N`, `else`, `branch:N`, `option:VALUE`, `route:VALUE`, `command:WORD`, `invalid`, `exhausted`, `timeout`,
    `reminded`, `expired`, `error:CODE`, `waits`, `calls`, `jumps`, `ends`, `cancelled`. A visit that waits or calls shows up again,
    `continued` and with the same number, when it is left, or says something meanwhile.
    """

    flow: str
    node: str
    type: str
    number: int
    edge: str
    target: str | None = None
    continued: bool = False
    warnings: tuple[Warned, ...] = ()
    effects: tuple[Reached, ...] = ()


class Step(Struct, frozen=True):
    """What came of one event: the run as it is now, what it asks of the world, and the way it took.

    `state` is the run encoded as it is to be stored; `remembered` holds the conversation variables that the step wrote, by name.
    """

    run: Run
    state: bytes
    effects: tuple[Effect, ...]
    trace: tuple[Visit, ...]
    remembered: dict[str, Json] = field(default_factory=dict)

    @property
    def closing(self) -> Effect | None:
        """The last effect: the Await, Invoke or Finish that ends the step, or, where a wait goes on, what was said meanwhile."""
        return self.effects[-1] if self.effects else None
