"""One HTTP call for a run, as a port: what is asked, and what came of it."""

from collections.abc import Mapping
from typing import Final, Protocol

from msgspec import UNSET, Struct, UnsetType, field

from engine.model.values import Json, Millis

MOST_BYTES: Final = 262_144
"""Of a body, each way; of an answer's after it was unpacked."""
MOST_HEAD_BYTES: Final = 65_536
"""Of a request's address and headers together."""
MOST_ANSWER_HEADER_BYTES: Final = 32_768
"""Of an answer's headers together."""
MOST_REDIRECTS: Final = 3
MOST_RETRIES: Final = 3
LONGEST_TIMEOUT: Final[Millis] = 60_000

TIMEOUT: Final = "http.timeout"
"""No whole answer came in time."""
REFUSED: Final = "http.refused"
"""No connection, or one that broke, or an answer that cannot be read."""
DNS: Final = "http.dns"
"""The name has no address."""
BLOCKED: Final = "http.blocked"
"""The request may not be sent; nothing of it was."""
REQUEST_SIZE: Final = "http.request_size"
RESPONSE_SIZE: Final = "http.response_size"


class Credentials(Struct, frozen=True):
    """What proves to one origin who asks: sent there and nowhere else, and not shown by `repr`."""

    origin: str
    """Scheme, host and port, such as `https://api.example` or `http://10.0.0.5:8080`; a path behind it does not matter."""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Credentials(...)"


class OutboundRequest(Struct, frozen=True, kw_only=True):
    """What to ask of whom. Only its method is shown by `repr`, since all the rest may hold secrets."""

    method: str
    url: str
    """Absolute, with http or https; what came from expressions is percent-encoded already."""
    query: Mapping[str, Json] = field(default_factory=dict)
    """Added to the address: texts, numbers, booleans, or lists of them (the name is repeated); null is left out."""
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Json | UnsetType = UNSET
    """Sent as JSON where it is set; null is a value. It goes before `body`."""
    body: str | bytes | None = None
    timeout: Millis = 10_000
    """For one try, from the look-up of the name to the last byte, redirects included; at most 60,000."""
    retries: int = 0
    """How many more tries there may be, 0 to 3; none unless the request is repeatable."""
    repeatable: bool = False
    idempotency_key: str | None = None
    """Sent as the header `Idempotency-Key`, the same with every try."""
    credentials: Credentials | None = None
    owner: str | None = None
    """Whose it is: nobody holds all places for requests and look-ups under way."""
    status_only: bool = False
    """Whether the status is all that is wanted: a redirect is an answer then, and no body is read."""

    def __repr__(self) -> str:
        return f"OutboundRequest(method={self.method!r}, ...)"


class Answer(Struct, frozen=True, kw_only=True):
    """The last answer that came, whatever its status. `repr` shows the status alone."""

    status: int
    headers: dict[str, str]
    """By name in small letters; several of one name are joined with commas. Cookies are left out."""
    json: Json = None
    """The body where it is JSON that a run can keep, else null."""
    text: str | None = None
    """The body by its charset, with U+FFFD for what is broken; null where it was too large to be read."""

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, ...)"


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a request: an answer, a failure's code, or both where the answer's body was too large."""

    answer: Answer | None = None
    code: str | None = None
    """One of this module's codes. `http.status` is not among them: the status is for the caller to judge."""
    message: str = ""
    """For the flow's author; holds nothing of the request or the answer."""
    retries: int = 0
    """Tries made after the first."""

    def saved(self) -> dict[str, Json] | None:
        """What a node's `save` gets; None when no answer came."""
        if self.answer is None:
            return None
        answer = self.answer
        return {"status": answer.status, "headers": answer.headers, "json": answer.json, "text": answer.text, "retries": self.retries}


class Outbound(Protocol):
    """Whoever makes requests for runs; tests give one that answers from a script."""

    async def send(self, request: OutboundRequest) -> Outcome:
        """Make the request, with its retries. Failures are outcomes, never exceptions; being cancelled closes the connection."""
        ...


class SendFailed(Exception):
    """A try ended without a whole answer; it never leaves the client."""

    def __init__(self, code: str, message: str, *, passing: bool = False, answer: Answer | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.passing = passing
        """Whether another try may fare better."""
        self.answer = answer


def blocked(message: str) -> SendFailed:
    """The failure of a request that may not be sent."""
    return SendFailed(BLOCKED, message)
