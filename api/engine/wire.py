"""The bodies and answers of the engine surface; these types are its JSON Schema as well."""

from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from api.errors import ErrorBody
from api.fitness import UsageIn, Variables
from api.shared import UsageOut
from api.wire import Id, Time
from engine.model.run import EndReason, Status
from engine.model.values import EventName, Name


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent to us; a tenant_id must be the key's own."""

    tenant_id: str | None = None


class ChatTrigger(Body, frozen=True, kw_only=True):
    """Starts the flow of an intent, in the named conversation, the customer's open one, or a new one."""

    intent_name: str
    text: Annotated[str, Meta(max_length=4000)] | None = None
    customer_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    conversation_id: str | None = None
    context: dict[str, Any] | None = None
    variables: Variables | None = None
    token_usage: UsageIn | None = None


class BulkItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One trigger of many; a repeat with the same key, in this or another call, is the same run for 24 h."""

    intent_name: str
    customer_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    text: Annotated[str, Meta(max_length=4000)] | None = None
    context: dict[str, Any] | None = None
    variables: Variables | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=255)] | None = None


class Bulk(Body, frozen=True, kw_only=True):
    """Many triggers; each is judged by itself."""

    items: Annotated[list[BulkItem], Meta(max_length=1_000)]


class BulkItems(Body, frozen=True, kw_only=True):
    """The same with items that nobody has looked at."""

    items: Annotated[list[Raw], Meta(max_length=1_000)]


class BulkResult(Struct, frozen=True, kw_only=True):
    """What came of the item at this place, counted from 0: a run, or an error as it would be the body of an answer."""

    index: int
    execution_id: Id | None
    error: ErrorBody | None


class BulkAnswer(Struct, frozen=True, kw_only=True):
    """One result for each item, in order."""

    results: list[BulkResult]


class AnswerIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of values and text."""

    values: dict[str, Any] | None = None
    text: Annotated[str, Meta(max_length=4000)] | None = None


class Resume(Body, frozen=True, kw_only=True):
    """Answers the open wait of a run; `context` is laid over that of its trigger."""

    wait_token: str
    input: AnswerIn
    context: dict[str, Any] | None = None
    variables: Variables | None = None
    token_usage: UsageIn | None = None


class Cancellation(Body, frozen=True, kw_only=True):
    """Nothing has to be said to end a run."""


class Event(Body, frozen=True, kw_only=True):
    """Something that has happened at the tenant's; an event with the key of an earlier one is that one."""

    event_name: EventName
    data: dict[str, Any] | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=255)] | None = None


class EventTaken(Struct, frozen=True, kw_only=True):
    """The event's id, and the runs that it has woken or started."""

    event_id: Id
    subscriptions_matched: int
    execution_ids: list[Id]


class CallbackTaken(Struct, frozen=True, kw_only=True):
    """Nothing of the run is told to who calls back."""

    received: bool


class Claim(Body, frozen=True, kw_only=True):
    """A worker wants work."""

    queue: Name
    limit: Annotated[int, Meta(ge=1, le=100)] = 1
    lease_seconds: Annotated[int, Meta(ge=1, le=3_600)] = 60


class ClaimedTask(Struct, frozen=True, kw_only=True):
    """A task and the claim that was made of it."""

    task_id: Id
    queue: str
    payload: dict[str, Any]
    attempt: int
    lease_token: str
    lease_expires_at: Time
    execution_id: Id


class Tasks(Struct, frozen=True, kw_only=True):
    """What was free."""

    tasks: list[ClaimedTask]


class Heartbeat(Body, frozen=True, kw_only=True):
    """The worker is still at it."""

    lease_token: str
    lease_seconds: Annotated[int, Meta(ge=1, le=3_600)] = 60


class TaskKept(Struct, frozen=True, kw_only=True):
    """Until when the claim lasts now."""

    task_id: Id
    lease_expires_at: Time


class Completion(Body, frozen=True, kw_only=True):
    """The task is done."""

    lease_token: str
    result: dict[str, Any] | None = None


class Failure(Body, frozen=True, kw_only=True):
    """The task could not be done; with `retry` another worker may try."""

    lease_token: str
    code: Annotated[str, Meta(min_length=1, max_length=100)] = "task.failed"
    message: Annotated[str, Meta(max_length=1_000)] = ""
    retry: bool = False


class TaskTaken(Struct, frozen=True, kw_only=True):
    """What the run has come to."""

    task_id: Id
    execution_id: Id
    status: Status


class Place(Struct, frozen=True, kw_only=True):
    """Where a block comes from."""

    flow: str
    node: str


class EngineBlock(Struct, frozen=True, kw_only=True):
    """One part of a reply."""

    type: str
    id: str
    payload: dict[str, Any]
    meta: Place


class Metadata(Struct, frozen=True, kw_only=True):
    """What a server may want to know of a turn beyond its blocks.

    Flow, version and step tell where the run stands; once it has ended, flow and version tell where it began.
    """

    wait_token: str | None
    wait_expires_at: Time | None
    turn_id: Id
    flow: str
    version: int
    step: str | None
    matched_rules: list[str]
    tools_called: list[str]
    tools_failed: list[str]
    progress: int
    latency_ms: int
    end_reason: EndReason | None
    code: str | None


class Envelope(Struct, frozen=True, kw_only=True):
    """What a turn answered, or what is true of a run now."""

    execution_id: Id
    status: Status
    blocks: list[EngineBlock]
    conversation_id: Id
    expected_input: dict[str, Any] | None
    metadata: Metadata
    token_usage: UsageOut | None


class Envelopes(Struct, frozen=True, kw_only=True):
    """Several runs, the newest first."""

    executions: list[Envelope]


class Trace(Struct, frozen=True, kw_only=True):
    """Every visit of a run, in order: node, edge, warnings, effects, time."""

    visits: list[dict[str, Any]]


class EngineIcon(Struct, frozen=True, kw_only=True):
    """What stands beside an intent's label."""

    kind: str
    value: str


class EngineIntent(Struct, frozen=True, kw_only=True):
    """A published intent, in its flow's own language."""

    name: str
    display_label: str
    subtitle: str | None
    description: str | None
    examples: list[str]
    required_entities: list[str]
    icon: EngineIcon | None
    accent_color: str | None
    style_variant: str | None
    is_pinned: bool
    priority: int
    flow: str


class Intents(Struct, frozen=True, kw_only=True):
    """All published intents, and how long they may be kept without asking."""

    intents: list[EngineIntent]
    etag: str
    cache_max_age_seconds: int
