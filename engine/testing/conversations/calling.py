"""Calls of a test's runs: answered from its stubs and noted as they would have left. Nothing is ever sent, and nobody waits."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence

import httpcore
import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from engine.model.effects import Visit
from engine.model.events import Returned
from engine.model.values import Json
from engine.runtime.outbound.answers import read_answer, read_headers
from engine.runtime.outbound.backoff import tries_again
from engine.runtime.outbound.port import BLOCKED, Answer, Outbound, OutboundRequest, Outcome, SendFailed
from engine.runtime.outbound.redirects import Hop, first_hop, written
from engine.runtime.performing import Call, Performer
from engine.runtime.turns.tasks import Verdict
from engine.testing.conversations.comparing import Mismatch, nearest
from engine.testing.conversations.stubs import Stub, StubFailure, Stubs

FlowOf = Callable[[str], Awaitable[str]]
"""The id of the flow where the run of that id stands."""

Over = Callable[[Outbound], Performer]
"""What makes calls over that way out."""


Unstubbed = Callable[[Call, Sequence[str]], Awaitable[Stub]]
"""What answers a try for which there is no stub, given the names of its node; raises Mismatch where it cannot."""


class Try(Struct, frozen=True):
    """One try of a request, as it would have left but for the credentials of its connection."""

    run_id: str
    names: tuple[str, ...]
    """What a test may call the node; the first is its whole name."""
    method: str
    url: str
    """With its query; of a request with a connection the path alone."""
    headers: dict[str, str]
    """By name in small letters."""
    json: Json = None
    body: str | None = None


class Calls:
    """Makes the calls of one performance, as far as its runs can tell."""

    def __init__(self, stubs: Stubs, flow_of: FlowOf, over: Over, unstubbed: Unstubbed | None = None) -> None:
        self.stubs = stubs
        self._unstubbed = unstubbed
        self.tries: list[Try] = []
        self._flow_of = flow_of
        self._over = over
        self._statuses: defaultdict[str, list[Json]] = defaultdict(list)
        self._asked: defaultdict[str, list[Json]] = defaultdict(list)
        self._fault: Mismatch | None = None

    async def __call__(self, call: Call) -> Returned:
        """As a server makes it, but for the network."""
        names = self.stubs.names(await self._flow_of(call.run_id), call.invoke.node)
        self._asked[call.run_id].append(msgspec.to_builtins(call.invoke.request))
        returned = await self._over(_Wire(self, call, names))(call)
        self._statuses[call.run_id].append((returned.result or {}).get("status"))
        return returned

    def tries_of(self, run_id: str) -> list[Try]:
        """What the run has sent, in order."""
        return [one for one in self.tries if one.run_id == run_id]

    def asked_by(self, run_id: str) -> list[Json]:
        """What the run has asked for, in order, with placeholders where the addresses of callbacks go."""
        return self._asked[run_id]

    def verdict(self, flow: str, node: str) -> Verdict | None:
        """What the next stub says of the node's task; None where there is no stub."""
        names = self.stubs.names(flow, node)
        stub = self.stubs.take(names)
        if stub is None:
            return None
        match stub.error:
            case _ if _is_of_a_call(stub):
                self._fault = self._fault or _no_verdict(names)
                return None
            case StubFailure(code, message):
                return Verdict(code=code, message=message)
            case _:
                return Verdict(result=stub.result)

    def with_statuses(self, run_id: str, visits: Sequence[Visit]) -> Iterator[Visit]:
        """The run's visits; the edge of a request that failed with a status names it: `error:http.status:404`."""
        statuses = iter(self._statuses[run_id])
        for visit in visits:
            status = next(statuses, None) if visit.type == "http" and visit.continued else None
            failed = status is not None and visit.edge.startswith("error:")
            yield replace(visit, edge=f"{visit.edge}:{status}") if failed else visit

    def demand_answered(self) -> None:
        """Raises Mismatch where a call had no stub, or one that is no answer to it."""
        if self._fault is not None:
            raise self._fault

    async def next_stub(self, call: Call, names: Sequence[str], hop: Hop) -> Stub | None:
        """The stub for the node's next try; without one the test has failed, whatever the run makes of it."""
        stub = self.stubs.take(names)
        if stub is None and self._unstubbed is not None and self._fault is None:
            try:
                return await self._unstubbed(call, names)
            except Mismatch as fault:
                self._fault = fault
                return None
        if stub is not None and _answers_requests(stub):
            return stub
        if self._fault is None:
            self._fault = _unanswered(self.stubs, names, hop) if stub is None else _unfit(names)
        return None


class _Wire:
    """Stands in the place of the network for one request of one node."""

    def __init__(self, calls: Calls, call: Call, names: tuple[str, ...]) -> None:
        self._calls = calls
        self._call = call
        self._names = names

    async def send(self, request: OutboundRequest) -> Outcome:
        """Every try is checked as a real one, and takes a stub."""
        try:
            hop = first_hop(request)
            written(hop)
        except SendFailed as failure:
            return Outcome(code=failure.code, message=failure.message)
        retries = 0
        while True:
            stub = await self._calls.next_stub(self._call, self._names, hop)
            if stub is None:
                return Outcome(code=BLOCKED, message="The test has no stub for it.", retries=retries)
            self._calls.tries.append(self._noted(request, hop))
            outcome, passing = await _outcome(stub, retries)
            if not tries_again(request, outcome, passing=passing):
                return outcome
            retries += 1

    def _noted(self, request: OutboundRequest, hop: Hop) -> Try:
        body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else request.body
        return Try(
            run_id=self._call.run_id,
            names=self._names,
            method=hop.method,
            url=_shown(hop),
            headers=dict(hop.headers),
            json=None if request.json is UNSET else request.json,
            body=None if request.json is not UNSET else body,
        )


async def _outcome(stub: Stub, retries: int) -> tuple[Outcome, bool]:
    """What comes of a try, and whether a failure may pass."""
    if stub.error is not None:
        return Outcome(code=f"http.{stub.error}", message="The test says so.", retries=retries), stub.error != "blocked"
    try:
        return Outcome(answer=await _answer(stub), retries=retries), False
    except SendFailed as failure:
        return Outcome(answer=failure.answer, code=failure.code, message=failure.message, retries=retries), failure.passing


async def _answer(stub: Stub) -> Answer:
    """The answer, read like one that came over the network; its text is as the test writes it, whatever its headers say."""
    content = (stub.text or "").encode() if stub.json is UNSET else msgspec.json.encode(stub.json)
    raw = [(name.encode(), value.encode()) for name, value in stub.headers.items()]
    response = httpcore.Response(stub.status or 200, headers=raw, content=content)
    headers = read_headers(response)
    return replace(await read_answer(response, {}), headers=headers)


def _answers_requests(stub: Stub) -> bool:
    return stub.usage is None and stub.result is None and (stub.error is None or isinstance(stub.error, str))


def _is_of_a_call(stub: Stub) -> bool:
    asked = (stub.status, stub.text, stub.usage, stub.headers, stub.json) != (None, None, None, {}, UNSET)
    return asked or isinstance(stub.error, str)


def _unanswered(stubs: Stubs, names: Sequence[str], hop: Hop) -> Mismatch:
    taken = stubs.taken(names)
    hint = "" if taken else nearest(names[0], stubs.written_names())
    what = f"there is no stub for it{hint}" if not taken else f"its stubs are used up, {taken} of {taken}"
    return Mismatch(f"`{names[0]}` sends a request, and {what}", [f"+ {hop.method} {_shown(hop)}"])


def _no_verdict(names: Sequence[str]) -> Mismatch:
    return Mismatch(f"a stub for `{names[0]}` is no end of a task: write `result`, or an `error` with `code` and `message`")


def _unfit(names: Sequence[str]) -> Mismatch:
    return Mismatch(f"a stub for `{names[0]}` is no answer to a request: write `status`, `headers`, and `json` or `text`, or an `error`")


def _shown(hop: Hop) -> str:
    return hop.target.path if hop.credentials is not None else hop.target.url
