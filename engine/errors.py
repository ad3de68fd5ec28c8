"""Every error that Baton raises on purpose for a caller to see, in one tree. Those in brackets stand beside what raises them.

    BatonError
    ├── Refused                 a request that changed nothing; `code` is what clients branch on
    │   ├── Malformed           invalid_input: not JSON, wrong types, a missing key
    │   ├── Unfit               validation_failed: well-formed, but not acceptable
    │   │   └── AnswerRefused   the same, for the answer to a wait
    │   ├── InvalidSessionToken, InvalidApiKey
    │   ├── WidgetDisabled, OriginNotAllowed, IntentNotAllowed, InvalidSignature, InsufficientScope
    │   ├── NotFound            not_found
    │   │   └── IntentNotMatched, ExecutionNotFound, ConversationNotFound
    │   ├── MethodNotAllowed
    │   ├── InvalidWaitToken    with the reason: expired, used, superseded or mismatched
    │   ├── IdempotencyConflict, TurnInProgress, ExecutionInProgress, ConversationArchived
    │   ├── ExecutionAborted
    │   ├── PayloadTooLarge, UnsupportedMediaType
    │   ├── RateLimited
    │   └── Unavailable
    ├── EventRefused            the run cannot take this event now; it is as it was
    ├── ExpressionError         a template that does not compile, or fails when it is evaluated
    ├── FlowRefused             a flow with errors was to be published or run
    ├── TenantExists            `init` for a tenant that is there already
    ├── SettingsError           a setting with a wrong value; the start stops
    ├── StoreError              the database cannot be used as it is
    ├── [StaleRecord]           what a decision rests on is not true any more: the store takes the turn again
    ├── [KeyRevoked], [BadConnection], [BadWebhook], [TableRefused]     what an operator asked for cannot be done
    └── [SealBroken]            a stored secret that the server's keys do not open

Exceptions outside the tree are control flow and never leave their room: a node that fails (`NodeFailed`), a flow version that must first be
fetched (`MissingVersion`), a try at a request that ended (`SendFailed`), YAML that cannot be read on, a conversation test that fails.

The HTTP status of each stands in one table, `api.errors`; the codes of a flow that fails are data, in `engine.model`.
"""

from typing import Any, ClassVar

from engine.model.problems import Diagnostic, Problem


class BatonError(Exception):
    """Something went wrong that Baton knows by name."""


class Refused(BatonError):
    """The request was refused and changed nothing."""

    code: ClassVar[str]
    text: ClassVar[str]

    def __init__(self, message: str | None = None, *, details: dict[str, Any] | None = None, retry_after: int | None = None) -> None:
        super().__init__(message or self.text)
        self.details: dict[str, Any] = details or {}
        self.retry_after = retry_after
        """Seconds after which trying again may help."""


class Malformed(Refused):
    """The request is not JSON, has wrong types, or lacks a required key."""

    code = "invalid_input"
    text = "The request cannot be read."

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(details={"errors": [problem.as_dict() for problem in problems]})
        self.problems = problems


class Unfit(Refused):
    """The request can be read, but something in it is not acceptable; all of it is listed."""

    code = "validation_failed"
    text = "Some of what was sent is not acceptable."

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(details={"errors": [problem.as_dict() for problem in problems]})
        self.problems = problems


class AnswerRefused(Unfit):
    """The answer does not fit the open wait; `counts` tells whether it may cost an attempt."""

    def __init__(self, problems: list[Problem], *, counts: bool = True) -> None:
        super().__init__(problems)
        self.counts = counts


class InvalidSessionToken(Refused):
    """The session token is absent, expired, tampered with or revoked."""

    code = "invalid_session_token"
    text = "The session token is not valid. Open a new session."


class InvalidApiKey(Refused):
    """The API key is absent, unknown or revoked."""

    code = "invalid_api_key"
    text = "The API key is not valid."


class WidgetDisabled(Refused):
    """The public key is unknown, paused or revoked."""

    code = "widget_disabled"
    text = "This chat is not available."


class OriginNotAllowed(Refused):
    """The page that sent the request is not one of the key's origins."""

    code = "origin_not_allowed"
    text = "This page may not open the chat."


class IntentNotAllowed(Refused):
    """The public key does not allow this intent."""

    code = "intent_not_allowed"
    text = "This chat does not offer that intent."


class InvalidSignature(Refused):
    """The customer's id was not signed with the key's identity secret."""

    code = "invalid_signature"
    text = "The customer's signature does not fit."


class InsufficientScope(Refused):
    """The API key lacks the scope that the request needs."""

    code = "insufficient_scope"
    text = "The API key lacks the scope for this."


class NotFound(Refused):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"
    text = "There is nothing here."


class IntentNotMatched(NotFound):
    """No published flow has the intent."""

    code = "intent_not_matched"
    text = "No published flow has that intent."


class ExecutionNotFound(NotFound):
    """No such run for whoever asks."""

    code = "execution_not_found"
    text = "There is no such execution."


class ConversationNotFound(NotFound):
    """No such conversation for whoever asks."""

    code = "conversation_not_found"
    text = "There is no such conversation."


class MethodNotAllowed(Refused):
    """The route exists, but not with this method."""

    code = "method_not_allowed"
    text = "This route does not take that method."


class InvalidWaitToken(Refused):
    """The wait token does not open the run's wait; details say why, and what is true now."""

    code = "invalid_wait_token"
    text = "The wait token is not valid any more."

    def __init__(self, reason: str) -> None:
        super().__init__(details={"reason": reason})
        self.reason = reason
        self.current: object | None = None
        """The run's reply now, for the door to show in its own shape."""


class IdempotencyConflict(Refused):
    """The idempotency key was used before, with another body."""

    code = "idempotency_conflict"
    text = "This Idempotency-Key was used with another request."


class TurnInProgress(Refused):
    """The same request, or another turn of the run, is still being worked on."""

    code = "turn_in_progress"
    text = "A turn is still in progress."


class ExecutionInProgress(Refused):
    """The flow takes no second run while one is open in the conversation."""

    code = "execution_in_progress"
    text = "An execution is already in progress."


class ConversationArchived(Refused):
    """The conversation is archived and takes no new messages."""

    code = "conversation_archived"
    text = "The conversation is archived."


class ExecutionAborted(Refused):
    """The run was cancelled, replaced or timed out."""

    code = "execution_aborted"
    text = "The execution was ended."


class PayloadTooLarge(Refused):
    """The body is larger than the route takes."""

    code = "payload_too_large"
    text = "The request body is too large."


class UnsupportedMediaType(Refused):
    """The body is not JSON."""

    code = "unsupported_media_type"
    text = "The request body must be application/json."


class RateLimited(Refused):
    """Too many requests; `retry_after` says when to try again."""

    code = "rate_limited"
    text = "Too many requests. Try again later."


class Unavailable(Refused):
    """The service cannot take the request now and lost nothing of it."""

    code = "unavailable"
    text = "The service is not available at the moment."


class EventRefused(BatonError):
    """The run cannot take this event now, and is as it was."""


class ExpressionError(BatonError):
    """A template does not compile, or failed when it was evaluated.

    Codes: `expression.syntax`, `expression.forbidden`, `expression.unknown` (at load);
    `expression.undefined`, `expression.type`, `expression.budget`, `expression.value` (when evaluated).
    `offset` counts characters from the start of the template to the place, where that is known.
    """

    def __init__(self, code: str, message: str, *, offset: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.offset = offset


class FlowRefused(BatonError):
    """A flow has errors; `diagnostics` holds them all."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("\n".join(str(diagnostic) for diagnostic in diagnostics))
        self.diagnostics = diagnostics


class TenantExists(BatonError):
    """A tenant of that name is there already."""


class SettingsError(BatonError):
    """A setting has a wrong value; the message is one clear line."""


class StoreError(BatonError):
    """The database cannot be used as it is; the message says what to do."""
