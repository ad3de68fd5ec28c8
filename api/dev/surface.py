"""The routes of the dev page."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from api.asked import Asked
from api.chat.credentials import Guest, SessionDesk
from api.dev.wire import Passage, Standing, Way
from api.origins import OriginRules
from api.settings import Settings
from api.wire import Answer, Headers, json_answer, matches
from engine.errors import ExecutionNotFound, NotFound
from engine.interpreter import decode_run
from engine.loading.drawing import STYLE, draw_svg
from engine.model.effects import Warned
from engine.model.run import FlowRef, Run
from engine.runtime.moments import moment
from engine.runtime.runtime import Runtime

_NOT_KEPT: Final = (b"cache-control", b"no-store")
_ASK_AGAIN: Final = (b"cache-control", b"private, no-cache")
_CLOSED: Final = (b"content-security-policy", b"default-src 'none'")


class DevSurface:
    """Shows a session its own conversation's runs from inside."""

    def __init__(self, runtime: Runtime, settings: Settings, origins: OriginRules) -> None:
        self._runtime = runtime
        self._desk = SessionDesk(runtime, settings, origins)

    async def get_way(self, asked: Asked) -> Answer:
        """GET /dev/executions/{id}/way."""
        guest = self._guest(asked)
        run_id = asked.path_id("execution_id")
        trace = await self._runtime.reader.trace(guest.caller, run_id)
        view = await self._runtime.store.run(guest.caller.tenant_id, run_id)
        if view is None:
            raise ExecutionNotFound
        run = decode_run(view.run.state)
        return json_answer(self._way(guest, run, trace), headers=[_NOT_KEPT])

    async def get_graph(self, asked: Asked) -> Answer:
        """GET /dev/flows/{flow}/{version}/graph.svg."""
        guest = self._guest(asked)
        named = asked.scope["path_params"]
        compiled = await self._runtime.catalog.fetch(guest.caller.tenant_id, FlowRef(str(named["flow"]), int(named["version"])))
        if compiled is None:
            raise NotFound
        drawn = await asyncio.to_thread(draw_svg, compiled.flow, styled=False)
        return _tagged(drawn.encode(), asked, [(b"content-type", b"image/svg+xml"), _CLOSED])

    async def get_style(self, asked: Asked) -> Answer:
        """GET /dev/graph.css: what the graphs look like is no secret, and the page links it before it has a session."""
        return _tagged(STYLE.encode(), asked, [(b"content-type", b"text/css; charset=utf-8")])

    def _guest(self, asked: Asked) -> Guest:
        return self._desk.admit(asked, self._desk.session(asked))

    def _way(self, guest: Guest, run: Run, trace: Sequence[Mapping[str, object]]) -> Way:
        stack = [Standing(frame.ref.flow, frame.ref.version, frame.node) for frame in run.frames]
        visits = [_passage(cast("Mapping[str, Any]", visit)) for visit in trace if "node" in visit]
        elsewhere = dict.fromkeys(visit.flow for visit in visits if visit.flow not in {standing.flow for standing in stack})
        newest = (self._runtime.catalog.newest(guest.caller.tenant_id, flow) for flow in elsewhere)
        left = [Standing(compiled.ref.flow, compiled.ref.version, None) for compiled in newest if compiled is not None]
        here = stack[-1]
        return Way(run.status, here.flow, here.version, run.frame.node, stack, left, visits)


def _passage(visit: Mapping[str, Any]) -> Passage:
    return Passage(
        at=moment(visit["at"]),
        flow=visit["flow"],
        node=visit["node"],
        type=visit["type"],
        edge=visit["edge"],
        target=visit.get("target"),
        continued=visit.get("continued", False),
        warnings=msgspec.convert(visit.get("warnings", []), list[Warned]),
    )


def _tagged(body: bytes, asked: Asked, headers: Headers) -> Answer:
    """The bytes; 304 for who has them already: a version may have been drawn otherwise by an earlier Baton, or on another database."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    kept = [(b"etag", tag.encode()), _ASK_AGAIN]
    known = asked.header(b"if-none-match")
    if known is not None and matches(tag, known):
        return Answer(304, b"", kept)
    return Answer(200, body, [*headers, *kept])
