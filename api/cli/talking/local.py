"""A flow in this very process: a database of its own that is gone afterwards, in real time; requests are really made."""

import json
import secrets
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import click

from api.body import Shape
from api.chat.wire import ResumeBody, TriggerBody
from api.cli.reaching import reach
from api.cli.talking.intents import Examples, beginning
from api.cli.talking.partner import Answer, AnswerWrong, MovedOn, Said, ShownBlock, Wrong, field_of
from engine.errors import ExecutionAborted, ExecutionNotFound, InvalidWaitToken, Unfit
from engine.interpreter import decode_run
from engine.loading import Source, load_flows
from engine.model.problems import Problem
from engine.model.values import Json, Millis
from engine.runtime.administration import KeyTerms, checked_drafts, create_tenant, publish
from engine.runtime.connections import put_connection
from engine.runtime.reading import tag
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.runtime.vault import Vault

_POLL = 25.0
_TRIGGERS = Shape(TriggerBody)
_ANSWERS = Shape(ResumeBody)
Body = TypeVar("Body", TriggerBody, ResumeBody)


class LocalPartner:
    """Talks to the executor as the chat surface does, whose bounds its requests keep, but for the size of a body."""

    def __init__(self, runtime: Runtime, caller: Caller, examples: Examples) -> None:
        self._runtime = runtime
        self._caller = caller
        self._examples = examples

    async def trigger(self, intent: str, text: str | None, context: dict[str, Json]) -> tuple[str, Said]:
        """See Partner."""
        begin = beginning(intent, text, self._examples)
        body, unfit = _read(_TRIGGERS, {"text": begin.text, "intentName": begin.intent, "context": context})
        asked = TriggerRequest(intent=body.intent_name, text=body.text, context=body.context or {}, unfit=unfit)
        try:
            taken = await self._runtime.executor.trigger(self._caller, asked)
        except Unfit as refusal:
            raise click.ClickException("; ".join(f"{problem.field}: {problem.message}" for problem in refusal.problems)) from refusal
        return begin.text, await self._said(taken.reply)

    async def answer(self, said: Said, answer: Answer) -> Said:
        """See Partner."""
        given = {"values" if isinstance(answer, dict) else "text": answer}
        body, unfit = _read(_ANSWERS, {"waitToken": said.token or "", "executionId": said.run_id, **given})
        request = ResumeRequest(run_id=body.execution_id, wait_token=body.wait_token, values=body.values, text=body.text, unfit=unfit)
        try:
            taken = await self._runtime.executor.resume(self._caller, request)
        except Unfit as refusal:
            raise AnswerWrong([Wrong(field_of(problem.field), problem.message) for problem in refusal.problems]) from refusal
        except (InvalidWaitToken, ExecutionAborted) as refusal:
            raise MovedOn(await self._said(await self._runtime.reader.latest(self._caller, said.run_id))) from refusal
        return await self._said(taken.reply)

    async def changed(self, said: Said) -> Said:
        """See Partner."""
        reader = self._runtime.reader
        reply = await reader.latest(self._caller, said.run_id)
        while reply.turn_id == said.turn_id and reply.status == said.status:
            reply = await reader.follow(self._caller, said.run_id, tag(reply), _POLL)
        return await self._said(reply)

    async def _said(self, reply: TurnReply) -> Said:
        open_wait = reply.wait_id if reply.answerable else None
        view = await self._runtime.store.run(self._caller.tenant_id, reply.execution_id)
        if view is None:
            raise ExecutionNotFound
        run = decode_run(view.run.state)
        return Said(
            run_id=reply.execution_id,
            flow=reply.started[0],
            turn_id=reply.turn_id,
            status=reply.status,
            blocks=tuple(ShownBlock(block.id, block.type, block.payload) for block in reply.blocks),
            expected=reply.expected_input if reply.answerable else None,
            token=None if open_wait is None else self._runtime.keyring.wait_token(self._caller.tenant_id, open_wait),
            deadline=reply.wait_expires_at,
            end_reason=reply.end_reason,
            locale=run.locale,
            failure=run.failure,
        )


@asynccontextmanager
async def local_partner(sources: Sequence[Source], locale: str | None, tenant: str | None = None) -> AsyncIterator[LocalPartner]:
    """A partner with these flows published; FlowRefused, before anything is begun, when one has an error.

    They reach what the flows of the database's tenant reach.
    """
    loaded = load_flows(sources)
    checked_drafts(loaded)
    reached = await reach([one.flow for one in loaded if one.flow is not None], tenant)
    with tempfile.TemporaryDirectory(prefix="baton-chat-") as folder:
        url = f"sqlite:///{Path(folder) / 'chat.db'}"
        secret = secrets.token_bytes(32)
        runtime = await Runtime.start(database_url=url, secret=secret, synchronous="normal", allowed_hosts=reached.allowed_hosts)
        try:
            tenant_id = await _published(runtime, sources)
            for name, terms in reached.connections.items():
                await put_connection(runtime.registry, Vault([secret]), tenant_id, name, terms, runtime.store.now())
            yield await _partner(runtime, tenant_id, locale)
        finally:
            await runtime.stop()


def _read(shape: Shape[Body], body: dict[str, Json]) -> tuple[Body, tuple[Problem, ...]]:
    return shape.read(json.dumps(body).encode())


async def _published(runtime: Runtime, sources: Sequence[Source]) -> str:
    """A tenant with the flows; a connection that is not there is no reason not to talk to those that need none."""
    at: Millis = runtime.store.now()
    made = await create_tenant(runtime.registry, "chat", KeyTerms(), at)
    await publish(runtime.registry, made.tenant_id, sources, at, unconnected=True)
    return made.tenant_id


async def _partner(runtime: Runtime, tenant_id: str, locale: str | None) -> LocalPartner:
    await runtime.catalog.refresh()
    opened = await runtime.executor.open(tenant_id, OpenRequest(public_key_id="chat", locale=locale))
    caller = Caller(tenant_id=tenant_id, conversation_id=opened.conversation_id, locale=locale)
    return LocalPartner(runtime, caller, _examples(runtime, tenant_id))


def _examples(runtime: Runtime, tenant_id: str) -> Examples:
    found: dict[str, list[str]] = {}
    for name in runtime.catalog.intents(tenant_id):
        compiled = runtime.catalog.triggered(tenant_id, name)
        intent = None if compiled is None else compiled.flow.intent
        found[name] = [] if intent is None else intent.examples
    return found
