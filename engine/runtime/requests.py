"""What the doors hand to the executor: who asks, and for what."""

from msgspec import Struct, field

from engine.model.problems import Problem
from engine.model.values import Json


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks, as the door proved it. On the chat surface `conversation_id` is the session's, and `customer_id` a signed one."""

    tenant_id: str
    surface: str = "chat"
    conversation_id: str | None = None
    customer_id: str | None = None
    public_key_id: str | None = None
    intents: frozenset[str] | None = None
    """Intents that the caller may trigger; None: all."""
    locale: str | None = None

    @property
    def trusted(self) -> bool:
        """Whether the tenant's own server speaks: it reaches every conversation, and its variables belong to the tenant."""
        return self.surface == "engine"


class Idempotency(Struct, frozen=True):
    """The request's Idempotency-Key in its scope, and the digest of what was asked."""

    scope: str
    key: str
    digest: bytes


class TokenUsage(Struct, frozen=True, kw_only=True):
    """Tokens that the client's own model spent; the counts are checked."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_prompt_tokens: int | None = None


class TriggerRequest(Struct, frozen=True, kw_only=True):
    """Start the flow of an intent. `unfit` is what the door found not acceptable: told last, when everything else is in order."""

    intent: str
    text: str = ""
    conversation_id: str | None = None
    """None: the session's on the chat surface; on the engine surface the customer's open one, else a new one."""
    customer_id: str | None = None
    context: dict[str, Json] = field(default_factory=dict)
    variables: dict[str, Json] = field(default_factory=dict)
    usage: TokenUsage | None = None
    idempotency: Idempotency | None = None
    unfit: tuple[Problem, ...] = ()


class ResumeRequest(Struct, frozen=True, kw_only=True):
    """Answer a run's open wait, with `values` or with free `text`."""

    run_id: str
    wait_token: str
    values: dict[str, Json] | None = None
    text: str | None = None
    context: dict[str, Json] = field(default_factory=dict)
    """Laid over what the trigger brought."""
    variables: dict[str, Json] = field(default_factory=dict)
    usage: TokenUsage | None = None
    idempotency: Idempotency | None = None
    unfit: tuple[Problem, ...] = ()


class SignalRequest(Struct, frozen=True, kw_only=True):
    """An event from outside, or the call of a callback, which belongs to one run."""

    name: str
    data: Json = None
    run_id: str | None = None
    idempotency: Idempotency | None = None


class CancelRequest(Struct, frozen=True, kw_only=True):
    """End a run from outside."""

    run_id: str
    idempotency: Idempotency | None = None


class OpenRequest(Struct, frozen=True, kw_only=True):
    """Open or continue a conversation for a session."""

    public_key_id: str
    continued: str | None = None
    """The conversation of an earlier session token."""
    customer_id: str | None = None
    locale: str | None = None
    variables: dict[str, Json] = field(default_factory=dict)
    idempotency: Idempotency | None = None
    unfit: tuple[Problem, ...] = ()
