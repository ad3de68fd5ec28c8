"""Without HTTP: the pure core alone, and an executor on SQLite whose conversations are tasks of this process."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from api.cli.running import spare_collector
from engine.interpreter import CompiledFlow, advance, compile_flow, decode_run
from engine.loading import Source, load_flow
from engine.model.events import Answered, Started
from engine.model.run import FlowRef, Run, Trigger
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.testing.shelf import Shelf
from scripts.benchmarks.results import Direct, Visits, percentiles
from scripts.benchmarks.subject import FLOW, MOST_TURNS, SECRET, SOURCE, prepare, words


def visit(rounds: int, seconds: float) -> Visits:
    """How many nodes a second the core visits in the same flow that the turns over HTTP take."""
    loaded = load_flow(Source(f"{FLOW}.yaml", SOURCE))
    if loaded.flow is None:
        raise AssertionError(loaded.diagnostics)
    script = compile_flow(FlowRef(FLOW, 1), loaded.flow)
    measured = [_visit(script, seconds) for _ in range(rounds)]
    turns, visits = median(turns for turns, _ in measured), median(visits for _, visits in measured)
    return Visits(visits_per_turn=visits / turns, turns_per_second=turns, visits_per_second=visits)


def _visit(script: CompiledFlow, seconds: float) -> tuple[float, float]:
    """Turns and visits for each second of CPU time. A node that goes on after its wait was visited before, and counts once."""
    turns = visits = 0
    began = process_time()
    while (used := process_time() - began) < seconds:
        step = advance(Shelf(script), Run(id="run", locale="en", seed="run", trigger=Trigger(FLOW)), Started(at=0, flow=FLOW, version=1))
        for _, word in zip(range(1, MOST_TURNS), words(), strict=False):
            step = advance(Shelf(script), decode_run(step.state), Answered(at=0, values={"word": word}))
            turns += 1
            visits += sum(not passage.continued for passage in step.trace)
    return turns / used, visits / used


async def converse(folder: Path, conversations: Sequence[int], rounds: int, seconds: float) -> list[Direct]:
    """Durable turns a second at each number of conversations that go on at the same time."""
    runtime = await Runtime.start(database_url=f"sqlite:///{folder / 'direct.db'}", secret=SECRET)
    try:
        tenant = await prepare(runtime)
        spare_collector()  # as a server does
        return [await _converse(runtime, tenant.tenant_id, count, rounds, seconds) for count in conversations]
    finally:
        await runtime.stop()


async def _converse(runtime: Runtime, tenant_id: str, count: int, rounds: int, seconds: float) -> Direct:
    talks = [await DirectTalk.begin(runtime, tenant_id) for _ in range(count)]
    measured = [await _round(talks, seconds) for _ in range(rounds)]
    rates, halves, tails, used = zip(*measured, strict=True)
    return Direct(conversations=count, per_second=median(rates), p50_ms=median(halves), p99_ms=median(tails), cpu_us=median(used))


async def _round(talks: Sequence["DirectTalk"], seconds: float) -> tuple[float, float, float, float]:
    began, used_before = perf_counter(), process_time()
    latencies = [latency for its in await asyncio.gather(*(talk.go_on(began + seconds) for talk in talks)) for latency in its]
    took, used = perf_counter() - began, process_time() - used_before
    return len(latencies) / took, *percentiles(latencies), used / len(latencies) * 1_000_000


class DirectTalk:
    """One customer of the executor, in a conversation of its own."""

    def __init__(self, runtime: Runtime, caller: Caller) -> None:
        self._runtime = runtime
        self._caller = caller
        self._words = words()
        self._reply: TurnReply | None = None

    @classmethod
    async def begin(cls, runtime: Runtime, tenant_id: str) -> "DirectTalk":
        """A talk whose conversation is open."""
        opened = await runtime.executor.open(tenant_id, OpenRequest(public_key_id="bench"))
        return cls(runtime, Caller(tenant_id=tenant_id, conversation_id=opened.conversation_id))

    async def go_on(self, until: "float | asyncio.Task[int]") -> list[float]:
        """Take turns until the moment, by perf_counter, or until the task is done; the seconds that each took."""
        latencies: list[float] = []
        while not _is_over(until, began := perf_counter()) or not latencies:
            self._reply = await self._turn(self._reply)
            latencies.append(perf_counter() - began)
        return latencies

    async def take(self, turns: int) -> None:
        """Take so many turns."""
        for _ in range(turns):
            self._reply = await self._turn(self._reply)

    async def _turn(self, before: TurnReply | None) -> TurnReply:
        executor = self._runtime.executor
        if before is None or before.wait_id is None or before.rev >= MOST_TURNS:
            return (await executor.trigger(self._caller, TriggerRequest(intent=FLOW))).reply
        token = self._runtime.keyring.wait_token(self._caller.tenant_id, before.wait_id)
        request = ResumeRequest(run_id=before.execution_id, wait_token=token, values={"word": next(self._words)})
        return (await executor.resume(self._caller, request)).reply


def _is_over(until: "float | asyncio.Task[int]", now: float) -> bool:
    return until.done() if isinstance(until, asyncio.Task) else now >= until
