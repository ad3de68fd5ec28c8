"""The bodies and answers of the chat surface; these types are its JSON Schema as well."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from api.fitness import UsageIn, Variables
from api.shared import UsageOut
from api.wire import Id, Time
from engine.model.run import EndReason, Status
from engine.model.values import Locale

PUBLIC_KEY = "^pk_(live|test)_[a-f0-9]{32}$"


class Body(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What is sent to us."""


class SessionBody(Body, frozen=True, kw_only=True):
    """Opens a session, or continues that of an earlier token."""

    public_key: Annotated[str, Meta(pattern=PUBLIC_KEY)]
    session_token: str | None = None
    customer_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    customer_signature: str | None = None
    locale: Locale | None = None
    variables: Variables | None = None


class TriggerBody(Body, frozen=True, kw_only=True):
    """Starts the flow of an intent."""

    text: Annotated[str, Meta(min_length=1, max_length=4000)]
    intent_name: str
    conversation_id: str | None = None
    context: dict[str, Any] | None = None
    variables: Variables | None = None
    token_usage: UsageIn | None = None


class ResumeBody(Body, frozen=True, kw_only=True):
    """Answers the open wait of a run, with exactly one of `values` and `text`."""

    wait_token: str
    execution_id: str
    values: dict[str, Any] | None = None
    text: Annotated[str, Meta(max_length=4000)] | None = None
    variables: Variables | None = None
    token_usage: UsageIn | None = None


class EmptyBody(Body, frozen=True, kw_only=True):
    """Nothing but an object without keys, or no body at all."""


class Shown(Struct, frozen=True, kw_only=True, rename="camel"):
    """What we answer with."""


class Origin(Shown, frozen=True, kw_only=True):
    """Where a block comes from; told only to keys that may see traces."""

    flow: str
    node: str


class BlockOut(Shown, frozen=True, kw_only=True):
    """One part of a reply."""

    type: str
    id: str
    payload: dict[str, Any]
    meta: Origin | None


class Scenario(Shown, frozen=True, kw_only=True):
    """The flow where the run stands."""

    id: str
    version: int
    step: str | None


class ReplyOut(Shown, frozen=True, kw_only=True):
    """What a turn answered, or what is true of a run now."""

    execution_id: Id
    conversation_id: Id
    turn_id: Id
    status: Status
    blocks: list[BlockOut]
    expected_input: dict[str, Any] | None
    wait_token: str | None
    wait_expires_at: Time | None
    token_usage: UsageOut | None
    scenario: Scenario | None
    progress: int
    latency_ms: int
    end_reason: EndReason | None
    end_code: str | None


class ReplyAnswer(Shown, frozen=True, kw_only=True):
    """One reply."""

    reply: ReplyOut


class RepliesAnswer(Shown, frozen=True, kw_only=True):
    """Several replies, the newest first."""

    replies: list[ReplyOut]


class IconOut(Shown, frozen=True, kw_only=True):
    """What stands beside an intent's label."""

    kind: str
    value: str


class IntentOut(Struct, frozen=True, kw_only=True):
    """An intent as a client offers it; texts in the session's language."""

    name: str
    displayLabel: str  # noqa: N815 - the contract mixes both spellings in this one object
    subtitle: str | None
    description: str | None
    examples: list[str]
    required_entities: list[str]
    icon: IconOut | None
    accentColor: str | None  # noqa: N815 - the same
    styleVariant: str | None  # noqa: N815 - the same
    isPinned: bool  # noqa: N815 - the same
    priority: int


class QuickQuestion(Shown, frozen=True, kw_only=True):
    """An example of an intent, ready to be asked; `pageType` null: on every page."""

    question: str
    page_type: str | None
    flow_id: str
    intent_name: str | None


class Widget(Shown, frozen=True, kw_only=True):
    """How the key's owner wants the chat to look."""

    label: str | None
    accent_color: str | None


class SessionAnswer(Shown, frozen=True, kw_only=True):
    """An open session."""

    session_token: str
    conversation_id: Id
    expires_at: Time
    widget: Widget
    intents: list[IntentOut]
    quick_questions: list[QuickQuestion]
    open_executions: list[ReplyOut]


class MessageOut(Shown, frozen=True, kw_only=True):
    """One message of a conversation."""

    id: Id
    role: Literal["user", "assistant"]
    blocks: list[BlockOut]
    text: str | None
    values: dict[str, Any] | None
    sequence_index: int
    replaces: Id | None
    turn_id: Id
    created_at: Time
    token_usage: UsageOut | None
    feedback: dict[str, Any] | None


class MessagesAnswer(Shown, frozen=True, kw_only=True):
    """The messages of a conversation, in sequence."""

    messages: list[MessageOut]
