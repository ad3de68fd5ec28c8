"""Runs and conversations as their callers may see them: nothing is changed here."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from engine.errors import ConversationNotFound, ExecutionNotFound
from engine.model.run import ENDED
from engine.runtime.bulletin import Bulletin
from engine.runtime.clock import Clock
from engine.runtime.replies import TurnReply, decode_reply
from engine.runtime.requests import Caller
from engine.runtime.store.port import MessageView, RunFilter, RunView, Store
from engine.runtime.store.rows import ConversationRow
from engine.runtime.traces import shown_trace
from engine.runtime.turns.admission import reaches

_log = structlog.get_logger()


def tag(reply: TurnReply) -> str:
    """A text that changes whenever the reply does."""
    return f"{reply.rev}-{reply.status}-{len(reply.blocks)}-{reply.turn_id}"


class Reader:
    """Shows what the store holds; another caller's runs and conversations are not found."""

    def __init__(self, store: Store, bulletin: Bulletin, clock: Clock) -> None:
        self._store = store
        self._bulletin = bulletin
        self._clock = clock

    async def latest(self, caller: Caller, run_id: str) -> TurnReply:
        """The run as it is now, with the blocks since the customer's last input."""
        view = await self._store.run(caller.tenant_id, run_id)
        if view is None or not reaches(caller, view.run.conversation_id, view.customer_id):
            raise ExecutionNotFound
        return latest_reply(view)

    async def follow(self, caller: Caller, run_id: str, seen: str | None, seconds: float) -> TurnReply:
        """The reply once its tag differs from the one seen (None: from what it is now), once the run has ended, or after the time."""
        until = self._clock.monotonic() + seconds
        while True:
            news = self._bulletin.listen(run_id)
            try:
                reply = await self.latest(caller, run_id)
                seen = seen or tag(reply)
                left = until - self._clock.monotonic()
                if tag(reply) != seen or reply.status in ENDED or left <= 0 or self._bulletin.closed:
                    return reply
                await asyncio.wait({news}, timeout=left)
            finally:
                self._bulletin.leave(run_id, news)

    async def open_runs(self, caller: Caller, conversation_id: str, limit: int | None = None) -> list[TurnReply]:
        """The conversation's open runs, newest first: all of them, or the newest up to the limit."""
        await self.conversation(caller, conversation_id)
        return await self.runs(caller, RunFilter(conversation_id=conversation_id, open_only=True, limit=limit))

    async def runs(self, caller: Caller, chosen: RunFilter) -> list[TurnReply]:
        """The tenant's runs that the filter lets through; which of them a customer may see is for the filter to say.

        One whose stored reply cannot be read is left out: it must not hide the others.
        """
        return [reply for view in await self._store.runs(caller.tenant_id, chosen) if (reply := _readable(view)) is not None]

    async def conversation(self, caller: Caller, conversation_id: str) -> ConversationRow:
        """The conversation, if it is the caller's."""
        row = await self._store.conversation(caller.tenant_id, conversation_id)
        if row is None or not reaches(caller, row.id, row.customer_id):
            raise ConversationNotFound
        return row

    async def messages(self, caller: Caller, conversation_id: str) -> Sequence[MessageView]:
        """The conversation's messages in sequence."""
        await self.conversation(caller, conversation_id)
        return await self._store.messages(caller.tenant_id, conversation_id)

    async def trace(self, caller: Caller, run_id: str) -> list[dict[str, object]]:
        """Every node, edge, warning, effect and time of the run."""
        await self.latest(caller, run_id)
        return shown_trace(await self._store.turns(caller.tenant_id, run_id))


def latest_reply(view: RunView) -> TurnReply:
    """The newest turn's reply with the blocks of all turns since the customer's last input."""
    replies = [decode_reply(turn.reply) for turn in view.turns]
    blocks = tuple(block for reply in replies for block in reply.blocks)
    return msgspec.structs.replace(replies[-1], blocks=blocks)


def _readable(view: RunView) -> TurnReply | None:
    try:
        return latest_reply(view)
    except msgspec.DecodeError as error:
        _log.error("reply_unreadable", execution=view.run.id, error=type(error).__name__)
        return None
