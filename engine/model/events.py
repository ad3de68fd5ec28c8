"""What can happen to a run. Each event brings the moment and the conversation's variables as they are then."""

from typing import Literal

from msgspec import Struct, field

from engine.model.values import Json, Millis


class Happening(Struct, frozen=True, kw_only=True, tag_field="event"):
    """What every event carries."""

    at: Millis
    conversation: dict[str, Json] = field(default_factory=dict)


class Started(Happening, frozen=True, kw_only=True, tag="started"):
    """The run begins in the given version of a flow; `inputs` are checked and complete."""

    flow: str
    version: int
    inputs: dict[str, Json] = field(default_factory=dict)


class Answered(Happening, frozen=True, kw_only=True, tag="answered"):
    """The customer answered the open wait: with `values`, or with free `text` when values is None."""

    values: dict[str, Json] | None = None
    text: str | None = None
    context: dict[str, Json] = field(default_factory=dict)
    """Laid over `trigger.context` from now on."""


class TimedOut(Happening, frozen=True, kw_only=True, tag="timed_out"):
    """The open wait's deadline has passed."""


class Reminded(Happening, frozen=True, kw_only=True, tag="reminded"):
    """The moment of the open wait's next reminder has come."""


class Returned(Happening, frozen=True, kw_only=True, tag="returned"):
    """The pending call came back: with a result, or with the code and message of its failure."""

    step: int
    result: dict[str, Json] | None = None
    code: str | None = None
    message: str = ""


class Signalled(Happening, frozen=True, kw_only=True, tag="signalled"):
    """An event or a callback came that the open wait listens for."""

    id: str
    listening: int
    """Its place in the wait's `listens`."""
    data: Json = None


class Delivered(Happening, frozen=True, kw_only=True, tag="delivered"):
    """The task that the run waits for was done, or has failed with a code."""

    result: Json = None
    code: str | None = None
    message: str = ""


class GivenUp(Happening, frozen=True, kw_only=True, tag="given_up"):
    """The shell cannot take the run on: it fails with this code, whatever its nodes say."""

    code: str


class Cancelled(Happening, frozen=True, kw_only=True, tag="cancelled"):
    """Somebody ended the run from outside."""

    reason: Literal["cancelled", "replaced"] = "cancelled"


Event = Started | Answered | TimedOut | Reminded | Returned | Signalled | Delivered | GivenUp | Cancelled
"""Every event there is."""
