"""What is contended for: the open wait of a run, and the call of a run whose worker was believed dead."""

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from engine.errors import ExecutionAborted, InvalidWaitToken, Refused
from engine.loading import Source, load_flow
from engine.model.events import Returned
from engine.model.values import Limits, Millis
from engine.runtime.catalog import Catalog, encode_flow
from engine.runtime.invariants import check_invariants
from engine.runtime.requests import Caller, CancelRequest, Idempotency, ResumeRequest, TriggerRequest
from engine.runtime.store.migrate import migrate
from engine.runtime.store.port import Order
from engine.runtime.store.registry import Draft
from engine.runtime.store.sqlite import load
from engine.runtime.store.sqlite.save import write, writes
from engine.runtime.store.sqlite.save_statements import END_WAIT, INSERT, UPDATE_RUN
from engine.runtime.tokens import Keyring
from engine.runtime.turns.deciding import Decider
from engine.runtime.turns.leases import Claim, TakenOver
from engine.runtime.turns.memory import StoredRuns
from engine.runtime.turns.occasion import Drafted
from engine.testing.conversations.backstage import Ids
from engine.testing.memory import MemoryRegistry
from tests.races.exploring import Board, Contender, Done, Exploration, board

TENANT: Final = "t"
BEGIN: Final[Millis] = 1_767_603_600_000
MINUTE: Final[Millis] = 60_000
FLOWS: Final = (
    """
flow: asking
intent: {}
nodes:
  ask: {type: ask, prompt: Well?, timeout: {after: 1m, next: late}, next: thanks}
  thanks: {type: message, text: Thanks., next: end}
  late: {type: message, text: Too late., next: end}
""",
    """
flow: calling
intent: {}
nodes:
  look: {type: http, method: GET, url: "https://shop.invalid/", save: it, on_error: end, next: end}
""",
)
CALLER: Final = Caller(tenant_id=TENANT, surface="engine")
_TOKENS: Final = Keyring([bytes(32)])


class Scene:
    """A database in memory with one run, and a decider for those who contend for it."""

    def __init__(self, intent: str) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.deserialize(_empty())
        self.connection.execute("BEGIN")
        self.ids = Ids()
        self.decider = Decider(_catalog(), Limits(), self.ids, StoredRuns())
        self.drafted = self._begun(intent)
        self._seen: dict[object, str | None] = {}
        self.run_id = self.drafted.reply.execution_id

    def _begun(self, intent: str) -> Drafted:
        cursor = self.connection.cursor()
        snapshot = load.snapshot(cursor, Order(tenant_id=TENANT), BEGIN)
        drafted = self.decider.trigger(CALLER, TriggerRequest(intent=intent), _at_once, snapshot)
        assert isinstance(drafted, Drafted)
        write(cursor, writes(snapshot, drafted.record).asked)
        return drafted

    def order(self, *, wait: bool = False, key: str | None = None, signals: bool = False) -> Order:
        """For the run; with its wait, and a key."""
        wait_id = self.drafted.reply.wait_id if wait else None
        kept = None if key is None else ("s", key)
        return Order(tenant_id=TENANT, run_id=self.run_id, wait_id=wait_id, signals=signals, idempotency=kept)

    def answer(self, name: str) -> Contender:
        """A customer who answers the wait."""
        wait_id = self.drafted.reply.wait_id
        assert wait_id is not None
        asked = ResumeRequest(
            run_id=self.run_id,
            wait_token=_TOKENS.wait_token(TENANT, wait_id),
            text="yes",
            idempotency=Idempotency("s", name, name.encode()),
        )
        return Contender(name, self.order(wait=True, key=name), partial(self.decider.resume, CALLER, asked, wait_id, _at_once))

    def deadline(self) -> Contender:
        """A sweep that has found the wait."""
        return Contender("deadline", self.order(wait=True, signals=True), self.decider.expire)

    def cancel(self) -> Contender:
        """Somebody who ends the run."""
        asked = CancelRequest(run_id=self.run_id, idempotency=Idempotency("s", "cancel", b"cancel"))
        return Contender("cancel", self.order(key="cancel"), partial(self.decider.cancel, CALLER, asked, _at_once))

    def worker(self) -> Contender:
        """The worker that began the call, and comes back with its result, however late."""
        return self._returning("worker", self._claim())

    def takeover(self) -> Contender:
        """Another one, that finds the lease run out, takes over, and comes back with a result as well."""

        def then(taken: TakenOver) -> Contender:
            return self._returning("second worker", taken.claim)

        return Contender("takeover", self.order(), partial(self.decider.claim, self._claim().begun), then)

    def explore(self, *names: str, crashes: int = 0, careless: Mapping[str, str] | None = None) -> Exploration:
        """Every order of those contenders, from the beginning to past the deadline and the lease; raises Broken."""
        walk = Exploration(self.connection, self._judge)
        contenders = [self._contender(name) for name in names]
        if careless is not None:
            walk.use(Careless(self.connection.cursor(), careless))
        walk.explore(board(contenders, BEGIN, BEGIN + MINUTE, crashes))
        return walk

    def _contender(self, name: str) -> Contender:
        match name:
            case "deadline":
                return self.deadline()
            case "cancel":
                return self.cancel()
            case "worker":
                return self.worker()
            case "takeover":
                return self.takeover()
            case _:
                return self.answer(name)

    def _claim(self) -> Claim:
        assert self.drafted.invoke is not None
        return Claim.of(self.drafted, self.drafted.invoke)

    def _returning(self, name: str, claim: Claim) -> Contender:
        result = Returned(at=0, step=claim.invoke.step, result={"status": 200, "by": name})
        return Contender(name, self.order(), partial(self.decider.returned, result, claim.begun, claim.epoch, _at_once))

    def _judge(self, ended: Board, connection: sqlite3.Connection) -> str | None:
        """What is wrong with an end."""
        found = connection.execute("SELECT ended_by FROM wait").fetchone()
        ended_by = found and found[0]
        events = [event for (event,) in connection.execute("SELECT event FROM turn ORDER BY rev")]
        told = {
            contender.name: phase.told for contender, phase in zip(ended.contenders, ended.phases, strict=True) if isinstance(phase, Done)
        }
        if len(ended.turns) > 1:
            return f"{' and '.join(ended.turns)} have both had their turn"
        for name, answer in told.items():
            won = isinstance(answer, Drafted | bytes)
            if won and ended.turns != (name,):
                return f"{name} was told that it has won, and {ended.turns or 'nobody'} has"
            if not won and ended.turns == (name,) and name in _KEYED:
                return f"{name} has won, and was told {answer!r}"
            if isinstance(answer, Refused) and not isinstance(answer, InvalidWaitToken | ExecutionAborted):
                return f"{name} was refused with {answer}"
        facts = (ended_by, tuple(events), ended.turns)
        if facts not in self._seen:
            self._seen[facts] = _broken(connection)
        return self._seen[facts]


class Careless:
    """A cursor that leaves conditions out of statements."""

    def __init__(self, cursor: sqlite3.Cursor, instead: Mapping[str, str]) -> None:
        self._cursor = cursor
        self._instead = instead

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def executemany(self, text: str, values: Any) -> sqlite3.Cursor:
        return self._cursor.executemany(self._instead.get(text, text), values)


def without(text: str, *conditions: str) -> dict[str, str]:
    """The statement, and what is run in its place; each condition is there, and holds always."""
    changed = text
    for condition in conditions:
        assert condition in changed, text
        changed = changed.replace(condition, "? IS NOT NULL" if "?" in condition else "TRUE")
    return {text: changed}


ANY_NEWS: Final = {INSERT["outbox"]: INSERT["outbox"].replace("INSERT", "REPLACE", 1)}
"""Two turns of one rev may tell of themselves."""
NO_EPOCH: Final = {**without(UPDATE_RUN, "run.epoch = ?"), **ANY_NEWS}
NO_REV: Final = without(UPDATE_RUN, "run.rev = ?", "run.epoch = ?")
ANY_WAIT: Final = {
    **without(END_WAIT["answered"], "wait.ended_at IS NULL", "wait.deadline > ?"),
    **without(END_WAIT["expired"], "wait.ended_at IS NULL", "wait.deadline <= ?"),
    **without(END_WAIT["cancelled"], "wait.ended_at IS NULL"),
}
CHECK_THEN_ACT: Final = {**NO_REV, **ANY_WAIT, **ANY_NEWS}
"""What was checked when it was loaded is believed when it is saved."""
_KEYED: Final = frozenset({"answer", "second answer", "cancel"})
"""Those that ask again with a key, and so hear of what they have won even after a crash."""


def _broken(connection: sqlite3.Connection) -> str | None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        copy.deserialize(connection.serialize())
        return "; ".join(check_invariants(copy)) or None


def _at_once() -> Millis:
    return 0


@cache
def _catalog() -> Catalog:
    registry = MemoryRegistry()
    catalog = Catalog(registry)

    async def publish() -> None:
        for text in FLOWS:
            flow = load_flow(Source("flow.yaml", text)).flow
            assert flow is not None
            draft = Draft(flow=flow.flow, digest=flow.flow, intent=flow.intent_name, source="", document=encode_flow(flow))
            await registry.publish(TENANT, [draft], BEGIN)
        await catalog.refresh()

    asyncio.run(publish())
    return catalog


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrate(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # a database in memory knows no log
        return file.read_bytes()
