"""The engine surface as a table of endpoints."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, get_args

from api.endpoints import EXECUTION_ID, IDEMPOTENCY_KEY, IF_NONE_MATCH, PREFER, Endpoint, Parameter
from api.engine.signals import SignalSurface
from api.engine.surface import EngineSurface
from api.engine.tasks import TaskSurface
from api.engine.wire import (
    Bulk,
    BulkAnswer,
    CallbackTaken,
    Cancellation,
    ChatTrigger,
    Claim,
    Completion,
    Envelope,
    Envelopes,
    Event,
    EventTaken,
    Failure,
    Heartbeat,
    Intents,
    Resume,
    TaskKept,
    Tasks,
    TaskTaken,
    Trace,
)
from api.following import WAIT
from engine.errors import (
    ConversationArchived,
    ConversationNotFound,
    ExecutionAborted,
    ExecutionInProgress,
    ExecutionNotFound,
    IdempotencyConflict,
    IntentNotMatched,
    InvalidWaitToken,
    NotFound,
    Unfit,
)
from engine.model.run import Status
from engine.runtime.callbacks import PATH as CALLBACKS

PREFIX: Final = "/api/v1/engine"
_EXECUTION: Final = f"{PREFIX}/executions/{{execution_id:str}}"
_TENANT: Final = Parameter("tenant_id", "query", {"type": "string"}, "Must be the key's own tenant.")
_FILTERS: Final = (
    Parameter("status", "query", {"type": "string", "enum": [*get_args(Status)]}, "Only those with this status."),
    Parameter("intent", "query", {"type": "string"}, "Only those that this intent triggered."),
    Parameter("conversation_id", "query", {"type": "string"}, "Only those of this conversation."),
    Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "At most so many."),
)
_TASK: Final = Parameter("task_id", "path", {"type": "string"}, "The task's id.", required=True)
_TOKEN: Final = Parameter("token", "path", {"type": "string"}, "What the address that was given away ends with.", required=True)
_Make = Callable[..., Endpoint]


def engine_endpoints(surface: EngineSurface) -> list[Endpoint]:
    """Every endpoint of the engine surface."""
    common: dict[str, Any] = {"surface": "engine", "credential": "api_key"}
    post, get = partial(Endpoint, method="POST", **common), partial(Endpoint, method="GET", **common)
    return [*_posts(surface, post), *_signals(surface.signals, post), *_tasks(surface.tasks, post), *_gets(surface, get)]


def _posts(surface: EngineSurface, post: _Make) -> list[Endpoint]:
    turn = (ConversationNotFound, ConversationArchived, ExecutionInProgress)
    return [
        post(
            path=f"{PREFIX}/triggers/chat",
            act=surface.trigger_chat,
            name="engineTriggerChat",
            summary="Trigger an intent",
            body=(ChatTrigger,),
            answer=Envelope,
            parameters=(IDEMPOTENCY_KEY, PREFER, _TENANT),
            refusals=(IntentNotMatched, *turn),
        ),
        post(
            path=f"{_EXECUTION}/resume",
            act=surface.resume,
            name="engineResumeExecution",
            summary="Answer the open wait of an execution",
            body=(Resume,),
            answer=Envelope,
            parameters=(EXECUTION_ID, IDEMPOTENCY_KEY, PREFER, _TENANT),
            refusals=(ExecutionNotFound, ExecutionAborted, InvalidWaitToken, *turn),
        ),
        post(
            path=f"{PREFIX}/executions/bulk",
            act=surface.bulk.trigger_all,
            name="engineTriggerMany",
            summary="Trigger intents for many; a body of up to 1,048,576 bytes, and a result for each item, whose runs go on by themselves",
            body=(Bulk,),
            answer=BulkAnswer,
            parameters=(IDEMPOTENCY_KEY, _TENANT),
        ),
        post(
            path=f"{_EXECUTION}/cancel",
            act=surface.cancel_execution,
            name="engineCancelExecution",
            summary="End an execution",
            body=(Cancellation,),
            body_required=False,
            answer=Envelope,
            parameters=(EXECUTION_ID, IDEMPOTENCY_KEY, _TENANT),
            refusals=(ExecutionNotFound,),
        ),
    ]


def _signals(signals: SignalSurface, post: _Make) -> list[Endpoint]:
    return [
        post(
            path=f"{PREFIX}/events",
            act=signals.take_event,
            name="engineTakeEvent",
            summary="Tell of an event: it ends the waits and starts the flows that listen to it",
            body=(Event,),
            answer=EventTaken,
            parameters=(IDEMPOTENCY_KEY, _TENANT),
        ),
        post(
            path=f"{CALLBACKS}{{token:str}}",
            act=signals.take_callback,
            name="engineTakeCallback",
            summary="Call a run back, once",
            credential="none",
            free_body=True,
            body_required=False,
            answer=CallbackTaken,
            parameters=(_TOKEN,),
            refusals=(NotFound, IdempotencyConflict, ExecutionAborted),
        ),
    ]


def _tasks(tasks: TaskSurface, post: _Make) -> list[Endpoint]:
    held = {"parameters": (_TASK, IDEMPOTENCY_KEY, _TENANT), "refusals": (NotFound, InvalidWaitToken)}
    task = f"{PREFIX}/tasks/{{task_id:str}}"
    return [
        post(
            path=f"{PREFIX}/tasks/claim",
            act=tasks.claim,
            name="engineClaimTasks",
            summary="Claim free tasks of a queue for a while",
            body=(Claim,),
            answer=Tasks,
            parameters=(IDEMPOTENCY_KEY, _TENANT),
        ),
        post(
            path=f"{task}/heartbeat",
            act=tasks.heartbeat,
            name="engineKeepTask",
            summary="Keep a claim for longer",
            body=(Heartbeat,),
            answer=TaskKept,
            **held,
        ),
        post(
            path=f"{task}/complete",
            act=tasks.complete,
            name="engineCompleteTask",
            summary="Give the result of a task; its execution goes on",
            body=(Completion,),
            answer=TaskTaken,
            **held,
        ),
        post(
            path=f"{task}/fail",
            act=tasks.fail,
            name="engineFailTask",
            summary="Say that a task could not be done, or give it back",
            body=(Failure,),
            answer=TaskTaken,
            **held,
        ),
    ]


def _gets(surface: EngineSurface, get: _Make) -> list[Endpoint]:
    return [
        get(
            path=_EXECUTION,
            act=surface.get_execution,
            name="engineGetExecution",
            summary="The execution as it is now, with the blocks since the customer's last input",
            answer=Envelope,
            parameters=(EXECUTION_ID, WAIT, IF_NONE_MATCH, _TENANT),
            refusals=(ExecutionNotFound, Unfit),
            tagged=True,
        ),
        get(
            path=f"{_EXECUTION}/trace",
            act=surface.get_trace,
            name="engineTraceExecution",
            summary="Every visit of the execution: node, edge, warnings, time",
            answer=Trace,
            parameters=(EXECUTION_ID, _TENANT),
            refusals=(ExecutionNotFound,),
        ),
        get(
            path=f"{PREFIX}/executions",
            act=surface.list_executions,
            name="engineListExecutions",
            summary="Executions, the newest first",
            answer=Envelopes,
            parameters=(*_FILTERS, _TENANT),
            refusals=(ConversationNotFound, Unfit),
        ),
        get(
            path=f"{PREFIX}/intents",
            act=surface.list_intents,
            name="engineListIntents",
            summary="The published intents",
            answer=Intents,
            parameters=(IF_NONE_MATCH, _TENANT),
            tagged=True,
        ),
    ]
