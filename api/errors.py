"""Which HTTP status each refusal has, and the one shape of every error body: {error, message, details}.

`STATUSES` is the only place where a status is given to a class; what no class stands for is `INTERNAL`.
A 422 is `validation_failed` to the chat surface's clients, `invalid_input` to the engine's.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from api.wire import Answer, Headers, json_answer
from engine.errors import (
    ConversationArchived,
    ConversationNotFound,
    ExecutionAborted,
    ExecutionInProgress,
    ExecutionNotFound,
    IdempotencyConflict,
    InsufficientScope,
    IntentNotAllowed,
    IntentNotMatched,
    InvalidApiKey,
    InvalidLease,
    InvalidSessionToken,
    InvalidSignature,
    InvalidWaitToken,
    Malformed,
    MethodNotAllowed,
    NotFound,
    OriginNotAllowed,
    PayloadTooLarge,
    RateLimited,
    Refused,
    TurnInProgress,
    Unavailable,
    Unfit,
    UnsupportedMediaType,
    WidgetDisabled,
)

SurfaceName = Literal["chat", "engine"]

STATUSES: Final[Mapping[type[Refused], int]] = {
    Malformed: 400,
    InvalidSessionToken: 401,
    InvalidApiKey: 401,
    WidgetDisabled: 403,
    OriginNotAllowed: 403,
    IntentNotAllowed: 403,
    InvalidSignature: 403,
    InsufficientScope: 403,
    NotFound: 404,
    IntentNotMatched: 404,
    ExecutionNotFound: 404,
    ConversationNotFound: 404,
    MethodNotAllowed: 405,
    InvalidWaitToken: 409,
    InvalidLease: 409,
    IdempotencyConflict: 409,
    TurnInProgress: 409,
    ExecutionInProgress: 409,
    ConversationArchived: 409,
    ExecutionAborted: 410,
    PayloadTooLarge: 413,
    UnsupportedMediaType: 415,
    Unfit: 422,
    RateLimited: 429,
    Unavailable: 503,
}
INTERNAL: Final = 500
"""The status of what is no refusal: nobody expected it."""
INTERNAL_ERROR: Final = "internal_error"
_INTERNAL_TEXT: Final = "Something went wrong on our side."
_AGAIN: Final = 1
"""Seconds that a client waits before it tries again when the refusal names no time of its own."""


class ErrorBody(Struct, frozen=True):
    """The body of every answer that is not a success; clients branch on `error`."""

    error: str
    message: str
    details: dict[str, Any]


def status_of(refusal: Refused | type[Refused]) -> int:
    """The HTTP status of a refusal; of its nearest ancestor in the table where its own class is not there."""
    kind = refusal if isinstance(refusal, type) else type(refusal)
    return next(STATUSES[ancestor] for ancestor in kind.__mro__ if ancestor in STATUSES)


def code_of(refusal: Refused | type[Refused], surface: SurfaceName) -> str:
    """What clients of that surface find under `error`."""
    kind = refusal if isinstance(refusal, type) else type(refusal)
    return Malformed.code if surface == "engine" and issubclass(kind, Unfit) else refusal.code


def documented_codes() -> list[tuple[int, str]]:
    """Every status with every code that it may have, in order; the README repeats them."""
    rows = {(status, kind.code) for kind, status in STATUSES.items()}
    return sorted(rows | {(STATUSES[Unfit], Malformed.code), (INTERNAL, INTERNAL_ERROR)})


def refusal_answer(refusal: Refused, surface: SurfaceName = "chat", *, more: Mapping[str, Any] | None = None) -> Answer:
    """The answer that tells a refusal; `more` is laid over its details."""
    return json_answer(refusal_body(refusal, surface, more=more), status_of(refusal), _headers(refusal))


def refusal_body(refusal: Refused, surface: SurfaceName = "chat", *, more: Mapping[str, Any] | None = None) -> ErrorBody:
    """The refusal as the body that tells it."""
    return ErrorBody(code_of(refusal, surface), str(refusal), {**refusal.details, **(more or {})})


def internal_answer() -> Answer:
    """The answer to an error that nobody expected: nothing of its cause."""
    return json_answer(internal_body(), INTERNAL)


def internal_body() -> ErrorBody:
    """What is told of it."""
    return ErrorBody(INTERNAL_ERROR, _INTERNAL_TEXT, {})


def header_of(kind: type[Refused]) -> Literal["WWW-Authenticate", "Retry-After"] | None:
    """The header that an answer with such a refusal has beside those of every answer."""
    if issubclass(kind, InvalidSessionToken | InvalidApiKey):
        return "WWW-Authenticate"
    return "Retry-After" if issubclass(kind, RateLimited | Unavailable) else None


def _headers(refusal: Refused) -> Headers:
    match header_of(type(refusal)):
        case "WWW-Authenticate":
            return [(b"www-authenticate", b"Bearer")]
        case "Retry-After":
            return [(b"retry-after", b"%d" % max(refusal.retry_after or 0, _AGAIN))]
        case None:
            return []
