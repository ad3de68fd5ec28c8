"""Who may do what: the checks of a request against what is true, in the order in which the contract tells their refusals."""

from engine.errors import (
    ConversationArchived,
    ConversationNotFound,
    ExecutionAborted,
    ExecutionInProgress,
    ExecutionNotFound,
    IdempotencyConflict,
    IntentNotAllowed,
    IntentNotMatched,
    InvalidWaitToken,
    TurnInProgress,
    Unfit,
)
from engine.interpreter import CompiledFlow
from engine.model.effects import Warned
from engine.model.problems import Problem
from engine.model.values import Json
from engine.runtime.catalog import Catalog
from engine.runtime.requests import Caller, Idempotency
from engine.runtime.store.port import Snapshot
from engine.runtime.store.rows import ConversationRow, RunRow, StoredReply, WaitRow
from engine.runtime.turns.bounds import json_size

IDEMPOTENCY_LIFE = 24 * 3_600_000
"""Milliseconds for which a key's reply is kept."""


def stored_reply(asked: Idempotency | None, snapshot: Snapshot) -> bytes | None:
    """The reply that was given under the key before; refuses another body, and a request that is still being worked on."""
    stored = snapshot.stored
    if asked is None or stored is None or _forgotten(stored, snapshot):
        return None
    if stored.digest != asked.digest:
        raise IdempotencyConflict
    if not stored.done or stored.reply is None:
        raise TurnInProgress(retry_after=1)
    return stored.reply


def admitted_flow(caller: Caller, intent: str, catalog: Catalog) -> CompiledFlow:
    """The flow of the intent, if the caller may trigger it and somebody has published it."""
    published = catalog.intents(caller.tenant_id)
    if caller.intents is not None and intent not in caller.intents:
        raise IntentNotAllowed(details={"allowed_intents": sorted(caller.intents & published.keys())})
    flow = catalog.triggered(caller.tenant_id, intent)
    if flow is None:
        raise IntentNotMatched
    return flow


def owned_conversation(caller: Caller, conversation: ConversationRow | None, customer_id: str | None = None) -> ConversationRow:
    """The conversation, if it is the caller's, and that of the customer named, and takes messages."""
    if conversation is None or not reaches(caller, conversation.id, conversation.customer_id):
        raise ConversationNotFound
    if customer_id not in {None, conversation.customer_id}:
        raise ConversationNotFound
    demand_open(conversation)
    return conversation


def demand_open(conversation: ConversationRow) -> None:
    """An archived conversation takes no new messages."""
    if conversation.archived_at is not None:
        raise ConversationArchived


def demand_running(snapshot: Snapshot) -> None:
    """A callback needs a run that has not ended."""
    if snapshot.run is None:
        raise ExecutionNotFound
    if snapshot.run.ended_at is not None:
        raise ExecutionAborted(details={"reason": snapshot.run.end_reason})


def demand_alone(script: CompiledFlow, snapshot: Snapshot) -> None:
    """A flow that says so takes no new trigger while a run of it is open in the conversation."""
    if script.flow.on_trigger == "reject" and snapshot.open_runs:
        raise ExecutionInProgress


def reaches(caller: Caller, conversation_id: str, customer_id: str | None) -> bool:
    """Whether the caller may see a conversation of its tenant: its session's one, or one of its signed customer."""
    if caller.trusted or conversation_id == caller.conversation_id:
        return True
    return customer_id is not None and customer_id == caller.customer_id


def owned_run(caller: Caller, snapshot: Snapshot) -> tuple[RunRow, ConversationRow]:
    """The run and its conversation, if they are the caller's."""
    run, conversation = snapshot.run, snapshot.conversation
    if run is None or conversation is None or not reaches(caller, conversation.id, conversation.customer_id):
        raise ExecutionNotFound
    return run, conversation


def open_wait(run: RunRow, snapshot: Snapshot, wait_id: str | None) -> WaitRow:
    """The wait that the token opens, if it is still open by the store's clock."""
    if run.status == "aborted":
        raise ExecutionAborted(details={"reason": run.end_reason})
    wait = snapshot.wait
    if wait_id is None or wait is None or wait.id != wait_id or wait.run_id != run.id:
        raise InvalidWaitToken("mismatched")
    if wait.ended_by == "answered" or run.status in {"completed", "failed"}:
        raise InvalidWaitToken("used")
    if wait.ended_by is not None or wait.deadline <= snapshot.now:
        raise InvalidWaitToken("expired")
    return wait


def accepted_variables(
    caller: Caller, conversation: ConversationRow, variables: dict[str, Json], bound: int
) -> tuple[dict[str, Json], tuple[Warned, ...], tuple[Problem, ...]]:
    """What of the request's variables may be written, notes on what was dropped, and what is wrong with the rest."""
    taken = set() if caller.trusted else set(conversation.owned)
    kept = {name: value for name, value in variables.items() if name not in taken}
    dropped = tuple(
        Warned("variable.owned", f"{name} belongs to the tenant; the value sent for it was dropped") for name in variables if name in taken
    )
    if kept and json_size({**conversation.variables, **kept}) > bound:
        return (
            {},
            dropped,
            (Problem("/variables", "limit.conversation", f"The conversation's variables would take more than {bound} bytes."),),
        )
    return kept, dropped, ()


def demand_fit(*problems: Problem) -> None:
    """Tell all that is not acceptable in the request."""
    if problems:
        raise Unfit(list(problems))


def _forgotten(stored: StoredReply, snapshot: Snapshot) -> bool:
    return stored.at < snapshot.now - IDEMPOTENCY_LIFE
