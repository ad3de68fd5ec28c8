"""Where the time of one answered turn goes: each step by itself, again and again on one processor, and all of them together in batches.

A step by itself finds its code and data in the processor's caches; in a server it does not, and takes up to twice as long.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any, Final

from msgspec import Struct

from api.chat.render import reply_out
from api.chat.wire import ReplyAnswer
from api.wire import json_answer
from engine.interpreter import advance, decode_run
from engine.model.events import Answered
from engine.model.values import Limits
from engine.runtime.ids import FreshIds
from engine.runtime.requests import Caller, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.runtime.store.port import Order, Record
from engine.runtime.store.sqlite import load
from engine.runtime.store.sqlite.connect import connect_writer
from engine.runtime.store.sqlite.recent import Left, Recent
from engine.runtime.store.sqlite.save import write, writes
from engine.runtime.turns.deciding import Decider, occasion_of
from engine.runtime.turns.drafting import draft
from engine.runtime.turns.memory import StoredRuns
from engine.runtime.turns.occasion import Input
from scripts.benchmarks.in_process import DirectTalk
from scripts.benchmarks.results import Budget, Cost
from scripts.benchmarks.subject import FLOW, SECRET, prepare

_REPEATS: Final = 150
_AT_ONCE: Final = 60
_CONVERSATIONS: Final = 32
_ROUNDS: Final = 20
_ROUND_SECONDS: Final = 0.15


class _Scene(Struct, frozen=True):
    """A run that waits, and what answers it."""

    runtime: Runtime
    caller: Caller
    asked: ResumeRequest
    wait_id: str
    connection: sqlite3.Connection


async def spend(folder: Path) -> Budget:
    """The budget of a turn of the bench's flow."""
    path = folder / "budget.db"
    # Without the scheduler: the loop is held up here for longer than it bears.
    runtime = await Runtime.start(database_url=f"sqlite:///{path}", secret=SECRET, serving=False)
    try:
        tenant = await prepare(runtime)
        steps = [*_steps(await _scene(runtime, tenant.tenant_id, path))]
        talks = [await DirectTalk.begin(runtime, tenant.tenant_id) for _ in range(_CONVERSATIONS)]
        together = [await _round(talks) for _ in range(_ROUNDS)]
        return Budget(steps=steps, loop_us=min(loop for loop, _ in together), beside_us=min(beside for _, beside in together))
    finally:
        await runtime.stop()


async def _scene(runtime: Runtime, tenant_id: str, path: Path) -> _Scene:
    opened = await runtime.executor.open(tenant_id, OpenRequest(public_key_id="bench"))
    caller = Caller(tenant_id=tenant_id, conversation_id=opened.conversation_id)
    reply = (await runtime.executor.trigger(caller, TriggerRequest(intent=FLOW))).reply
    if reply.wait_id is None:
        raise AssertionError(reply)
    token = runtime.keyring.wait_token(tenant_id, reply.wait_id)
    asked = ResumeRequest(run_id=reply.execution_id, wait_token=token, values={"word": "left"})
    return _Scene(runtime, caller, asked, reply.wait_id, connect_writer(path, "full"))


def _steps(scene: _Scene) -> Iterator[Cost]:
    caller, asked, keyring = scene.caller, scene.asked, scene.runtime.keyring
    new_id, now = FreshIds(), scene.runtime.store.now()
    decider = Decider(scene.runtime.catalog, Limits(), new_id, StoredRuns())
    cursor = scene.connection.cursor()
    order = Order(tenant_id=caller.tenant_id, run_id=asked.run_id, wait_id=scene.wait_id)
    snapshot = load.snapshot(cursor, order, now)
    row, wait, conversation = snapshot.run, snapshot.wait, snapshot.conversation
    drafted = decider.resume(caller, asked, scene.wait_id, lambda: 0, snapshot)
    if row is None or wait is None or conversation is None or isinstance(drafted, bytes):
        raise AssertionError(snapshot)
    run, book = decode_run(row.state), scene.runtime.catalog.book(caller.tenant_id)
    event = Answered(at=now, values=asked.values)
    step = advance(book, run, event)
    occasion = occasion_of(row, conversation, snapshot, "answered", taken=Input(values=asked.values), closed="answered")

    yield _cost("the wait token is read", lambda: keyring.wait_id(caller.tenant_id, asked.wait_token))
    yield _cost("run, wait and conversation are loaded", lambda: load.snapshot(cursor, order, now))
    recent = Recent()
    recent.note(Left(opened=[(row, wait)], conversations=[conversation]))
    yield _cost("(or they are remembered)", lambda: load.snapshot(cursor, order, now, recent.standing(order)))
    yield _cost("the state is decoded, where the run is not remembered", lambda: decode_run(row.state))
    yield _cost("the run advances, and its state is encoded", lambda: advance(book, run, event))
    yield _cost(
        "rows and reply are drafted, reply and trace encoded", lambda: draft(occasion, step, scene.runtime.catalog, new_id, lambda: 0)
    )
    yield _cost("(all of the decision)", lambda: decider.resume(caller, asked, scene.wait_id, lambda: 0, snapshot))
    yield _cost("statements and values are gathered", lambda: writes(snapshot, drafted.record).asked)
    yield _written(scene.connection, drafted.record, lambda: writes(snapshot, drafted.record).asked)
    yield _cost(
        "the answer is made, with its token, and encoded",
        lambda: json_answer(ReplyAnswer(reply=reply_out(drafted.reply, keyring, caller.tenant_id, trace=False))),
    )
    scene.connection.close()


def _written(connection: sqlite3.Connection, record: Record, gather: Callable[[], Any]) -> Cost:
    """The statements of one turn, run and taken back, less what taking back costs when there is nothing to take back."""
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    asked = gather()

    def take_back() -> None:
        cursor.execute("SAVEPOINT once")
        cursor.execute("ROLLBACK TO once")
        cursor.execute("RELEASE once")

    def save() -> None:
        cursor.execute("SAVEPOINT once")
        write(cursor, asked)
        cursor.execute("ROLLBACK TO once")
        cursor.execute("RELEASE once")

    empty, whole = _cost("", take_back), _cost("", save)
    cursor.execute("ROLLBACK")
    return Cost(f"SQLite runs {len(asked)} statements for {record.turn.event}", whole.us - empty.us)


def _cost(name: str, step: Callable[[], Any]) -> Cost:
    """The least that one of many repeats has taken: whatever else runs on the machine can only add to it."""
    taken: list[float] = []
    for _ in range(_REPEATS):
        began = thread_time()
        for _ in range(_AT_ONCE):
            step()
        taken.append((thread_time() - began) / _AT_ONCE)
    return Cost(name, min(taken) * 1_000_000)


async def _round(talks: list[DirectTalk]) -> tuple[float, float]:
    """CPU time of a turn in microseconds: on the event loop, and on all other threads."""
    all_before, loop_before = process_time(), thread_time()
    until = perf_counter() + _ROUND_SECONDS
    taken = sum(map(len, await asyncio.gather(*(talk.go_on(until) for talk in talks))))
    on_loop, in_all = thread_time() - loop_before, process_time() - all_before
    return on_loop / taken * 1_000_000, (in_all - on_loop) / taken * 1_000_000
