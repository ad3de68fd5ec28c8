"""The chat surface as a table of endpoints."""

from typing import Final

from api.chat.surface import ChatSurface
from api.chat.wire import EmptyBody, MessagesAnswer, RepliesAnswer, ReplyAnswer, ResumeBody, SessionAnswer, SessionBody, TriggerBody
from api.endpoints import EXECUTION_ID, IDEMPOTENCY_KEY, IF_NONE_MATCH, PREFER, Endpoint, Parameter
from api.following import WAIT
from engine.errors import (
    ConversationArchived,
    ConversationNotFound,
    ExecutionAborted,
    ExecutionInProgress,
    ExecutionNotFound,
    IntentNotAllowed,
    IntentNotMatched,
    InvalidSessionToken,
    InvalidSignature,
    InvalidWaitToken,
    OriginNotAllowed,
    Unfit,
    WidgetDisabled,
)

PREFIX: Final = "/api/public/v1/chat"
_CONVERSATION: Final = Parameter("conversationId", "query", {"type": "string"}, "The conversation's id.", required=True)
_HISTORY: Final = Parameter("includeHistory", "query", {"type": "boolean", "default": False}, "Also messages that were replaced.")


def chat_endpoints(surface: ChatSurface) -> list[Endpoint]:
    """Every endpoint of the chat surface."""
    return [*_posts(surface), *_gets(surface)]


def _posts(surface: ChatSurface) -> list[Endpoint]:
    """One row for each POST: its 50 lines are a table that reads best whole."""
    return [
        Endpoint(
            method="POST",
            path=f"{PREFIX}/sessions",
            act=surface.open_session,
            name="openSession",
            summary="Open a session, or continue an earlier one",
            body=(SessionBody,),
            answer=SessionAnswer,
            parameters=(IDEMPOTENCY_KEY,),
            refusals=(InvalidSessionToken, WidgetDisabled, OriginNotAllowed, InvalidSignature, ConversationNotFound),
            limited=True,
        ),
        Endpoint(
            method="POST",
            path=f"{PREFIX}/messages",
            act=surface.post_message,
            name="postMessage",
            summary="Trigger an intent, or answer the open wait of an execution",
            credential="session",
            body=(TriggerBody, ResumeBody),
            answer=ReplyAnswer,
            parameters=(IDEMPOTENCY_KEY, PREFER),
            refusals=(
                IntentNotAllowed,
                IntentNotMatched,
                ConversationNotFound,
                ExecutionNotFound,
                ExecutionAborted,
                InvalidWaitToken,
                ExecutionInProgress,
                ConversationArchived,
            ),
            limited=True,
        ),
        Endpoint(
            method="POST",
            path=f"{PREFIX}/executions/{{execution_id:str}}/cancel",
            act=surface.cancel_execution,
            name="cancelExecution",
            summary="End an execution",
            credential="session",
            body=(EmptyBody,),
            body_required=False,
            answer=ReplyAnswer,
            parameters=(EXECUTION_ID, IDEMPOTENCY_KEY),
            refusals=(ExecutionNotFound,),
        ),
    ]


def _gets(surface: ChatSurface) -> list[Endpoint]:
    return [
        Endpoint(
            method="GET",
            path=f"{PREFIX}/executions/{{execution_id:str}}",
            act=surface.get_execution,
            name="getExecution",
            summary="The execution as it is now, with the blocks since the customer's last input",
            credential="session",
            answer=ReplyAnswer,
            parameters=(EXECUTION_ID, WAIT, IF_NONE_MATCH),
            refusals=(ExecutionNotFound, Unfit),
            tagged=True,
        ),
        Endpoint(
            method="GET",
            path=f"{PREFIX}/executions",
            act=surface.list_executions,
            name="listExecutions",
            summary="The open executions of a conversation",
            credential="session",
            answer=RepliesAnswer,
            parameters=(_CONVERSATION,),
            refusals=(ConversationNotFound, Unfit),
        ),
        Endpoint(
            method="GET",
            path=f"{PREFIX}/messages",
            act=surface.list_messages,
            name="listMessages",
            summary="The messages of a conversation",
            credential="session",
            answer=MessagesAnswer,
            parameters=(_CONVERSATION, _HISTORY),
            refusals=(ConversationNotFound, Unfit),
        ),
    ]
