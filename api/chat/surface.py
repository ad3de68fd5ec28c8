"""The routes of the chat surface. Each makes its checks in the order that the contract gives, one line a check."""

from api.addresses import client_address, counted_address
from api.asked import Asked, existing_id
from api.body import Shape, read_json
from api.chat.credentials import Guest, SessionDesk
from api.chat.messages import read_message
from api.chat.render import message_out, reply_out
from api.chat.sessions import SessionOpening
from api.chat.wire import EmptyBody, MessagesAnswer, RepliesAnswer, ReplyAnswer, ReplyOut
from api.errors import refusal_answer
from api.following import followed
from api.limits import Limiter, enforce
from api.origins import OriginRules
from api.parameters import demand_fit, preferred_wait, truth
from api.settings import Rate, Settings
from api.turnlog import TurnLog
from api.wire import Answer, json_answer, replayed, tagged_answer
from engine.errors import InvalidWaitToken, Unfit
from engine.model.problems import Problem
from engine.runtime.executor import PATIENCE, Taken
from engine.runtime.reading import tag
from engine.runtime.replies import TurnReply
from engine.runtime.requests import CancelRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.runtime.tokens import Session


class ChatSurface:
    """Serves browsers."""

    def __init__(self, runtime: Runtime, settings: Settings, origins: OriginRules) -> None:
        self._runtime = runtime
        self._settings = settings
        self._desk = SessionDesk(runtime, settings, origins)
        self._opening = SessionOpening(runtime, settings, self._desk)
        self._empty = Shape(EmptyBody)
        self._sessions = self._limiter(settings.rate_limit_sessions)
        self._messages = self._limiter(settings.rate_limit_messages)
        self._turns = TurnLog("chat")

    async def open_session(self, asked: Asked) -> Answer:
        """POST /sessions."""
        enforce(self._sessions, self._address(asked), asked.extra)
        raw = await read_json(asked)
        return await self._opening.open(asked, raw)

    async def post_message(self, asked: Asked) -> Answer:
        """POST /messages: a trigger, or the answer to a wait."""
        session = self._limited_session(asked)
        raw = await read_json(asked)
        guest = self._desk.admit(asked, session)
        patience = preferred_wait(asked, PATIENCE)
        request = read_message(asked, raw, guest)
        executor = self._runtime.executor
        try:
            if isinstance(request, TriggerRequest):
                taken = await executor.trigger(guest.caller, request, patience=patience)
            else:
                taken = await executor.resume(guest.caller, request, patience=patience)
        except InvalidWaitToken as refusal:
            return refusal_answer(refusal, more={"current": self._current(refusal, guest)})
        return self._taken(asked, guest, taken)

    async def cancel_execution(self, asked: Asked) -> Answer:
        """POST /executions/{id}/cancel."""
        raw = await read_json(asked)
        guest = self._desk.admit(asked, self._desk.session(asked))
        _, unfit = self._empty.read(raw or b"{}")
        run_id = asked.path_id("execution_id")
        key = asked.idempotency(f"chat:{guest.session.conversation_id}", raw)
        if unfit or asked.unfit:
            await self._runtime.reader.latest(guest.caller, run_id)
            raise Unfit([*unfit, *asked.unfit])
        return self._taken(asked, guest, await self._runtime.executor.cancel(guest.caller, CancelRequest(run_id=run_id, idempotency=key)))

    async def get_execution(self, asked: Asked) -> Answer:
        """GET /executions/{id}, which may wait for news."""
        guest = self._desk.admit(asked, self._desk.session(asked))
        reply = await followed(self._runtime.reader, guest.caller, asked)
        return tagged_answer(ReplyAnswer(reply=self._shown(reply, guest)), tag(reply), asked.header(b"if-none-match"))

    async def list_executions(self, asked: Asked) -> Answer:
        """GET /executions?conversationId=."""
        guest = self._desk.admit(asked, self._desk.session(asked))
        query = asked.query()
        replies = await self._runtime.reader.open_runs(guest.caller, _conversation_id(query))
        demand_fit(asked, query)
        return json_answer(RepliesAnswer(replies=[self._shown(reply, guest) for reply in replies]))

    async def list_messages(self, asked: Asked) -> Answer:
        """GET /messages?conversationId=&includeHistory=."""
        guest = self._desk.admit(asked, self._desk.session(asked))
        query = asked.query()
        truth(asked, query, "includeHistory")  # nothing is superseded yet, so both values show the same
        views = await self._runtime.reader.messages(guest.caller, _conversation_id(query))
        demand_fit(asked, query)
        return json_answer(MessagesAnswer(messages=[message_out(view, trace=guest.key.expose_trace) for view in views]))

    def _limiter(self, rate: Rate | None) -> Limiter | None:
        return None if rate is None else Limiter(rate, self._runtime.clock.monotonic)

    def _limited_session(self, asked: Asked) -> Session | None:
        """The request's session, after the request was counted for its conversation, or for the address where there is none.

        Not for the token: whoever has one gets as many as they like for the same conversation by renewing it.
        """
        session = self._desk.session(asked)
        enforce(self._messages, self._address(asked) if session is None else session.conversation_id, asked.extra)
        return session

    def _address(self, asked: Asked) -> str:
        return counted_address(client_address(asked.scope, self._settings.trusted_proxies))

    def _shown(self, reply: TurnReply, guest: Guest) -> ReplyOut:
        return reply_out(reply, self._runtime.keyring, guest.session.tenant_id, trace=guest.key.expose_trace)

    def _current(self, refusal: InvalidWaitToken, guest: Guest) -> ReplyOut | None:
        return self._shown(refusal.current, guest) if isinstance(refusal.current, TurnReply) else None

    def _taken(self, asked: Asked, guest: Guest, taken: Taken) -> Answer:
        self._turns.taken(asked, guest.session.tenant_id, taken)
        return json_answer(ReplyAnswer(reply=self._shown(taken.reply, guest)), headers=replayed(taken))


def _conversation_id(query: dict[str, str]) -> str:
    """The conversation that the query names; leaving it out is told before anything is looked up."""
    if "conversationId" not in query:
        raise Unfit([Problem("/conversationId", "required", "conversationId is required.")])
    return existing_id(query["conversationId"])
