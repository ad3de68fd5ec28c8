"""`baton runs` and `baton usage`, on a real database that conversations were held in."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.model.values import Millis
from engine.runtime.executor import Taken
from engine.runtime.requests import Caller, ResumeRequest, TokenUsage, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.testing.clock import ManualClock
from tests.cli.conftest import Baton
from tests.support.server import running_server

SHOP = """\
flow: shop
intent: {}
nodes:
  pay: {type: call, flow: till, inputs: {price: 7}, next: done}
  done: {type: message, text: Thanks., next: end}
"""
TILL = """\
flow: till
inputs: {price: {type: integer}}
nodes:
  rest: {type: wait, for: 1m, next: card}
  card:
    type: ask
    prompt: "{{ inputs.price }}: which card?"
    attempts: 2
    on_exhausted: told
    remind: [{after: 10m, text: Still there?}]
    timeout: {after: 1h, next: broken}
    next: end
  told: {type: emit, event: till.broken, next: broken}
  broken: {type: end, status: failed, code: till.broken}
"""
MONDAY: Millis = 1_767_603_600_000
MINUTE: Millis = 60_000


class Till:
    """Conversations with the shop, by a clock that is moved by hand."""

    def __init__(self, runtime: Runtime, clock: ManualClock, tenant_id: str) -> None:
        self.runtime = runtime
        self.clock = clock
        self._caller = Caller(tenant_id=tenant_id, surface="engine")

    async def begin(self, intent: str = "shop", usage: TokenUsage | None = None) -> Taken:
        return await self.runtime.executor.trigger(self._caller, TriggerRequest(intent=intent, text="hi", customer_id="ada", usage=usage))

    async def rest(self) -> None:
        self.clock.advance(MINUTE)
        await self.runtime.scheduler.sweep()

    async def say(self, run_id: str, text: str, usage: TokenUsage | None = None) -> Taken:
        now = await self.runtime.reader.latest(self._caller, run_id)
        token = self.runtime.keyring.wait_token(self._caller.tenant_id, now.wait_id or "")
        return await self.runtime.executor.resume(self._caller, ResumeRequest(run_id=run_id, wait_token=token, text=text, usage=usage))


@pytest.fixture
def hold(folder: Path, tenant: dict[str, Any], baton: Baton) -> Callable[[Callable[[Till], Awaitable[None]]], None]:
    """Holds conversations on the database of the folder."""
    (folder / "shop.yaml").write_text(SHOP)
    (folder / "till.yaml").write_text(TILL)
    assert baton("publish", "shop.yaml", "till.yaml").exit_code == 0

    def held(talk: Callable[[Till], Awaitable[None]]) -> None:
        async def work() -> None:
            clock = ManualClock(MONDAY)
            runtime = await Runtime.start(database_url="sqlite:///baton.db", secret=bytes(32), clock=clock, serving=False)
            await talk(Till(runtime, clock, tenant["tenant_id"]))
            await runtime.stop()

        asyncio.run(work())

    return held


Hold = Callable[[Callable[[Till], Awaitable[None]]], None]


@pytest.fixture
def three(hold: Hold) -> list[str]:
    """Three runs: one that waits for a minute, one that asks, and one that has failed; in this order of age."""
    ids: list[str] = []

    async def talk(till: Till) -> None:
        ids.append((await till.begin()).reply.execution_id)
        till.clock.advance(1)  # ids sort by the time they were made
        ids.append((await till.begin()).reply.execution_id)
        await till.rest()
        for _ in range(2):
            await till.say(ids[0], " ")
        ids.append((await till.begin()).reply.execution_id)

    hold(talk)
    failed, asks, waits = ids
    return [waits, asks, failed]


def listed(baton: Baton, *options: str) -> list[str]:
    return [row["id"] for row in json.loads(baton("runs", "list", "--json", *options).stdout)]


def test_runs_are_listed_newest_first_and_by_what_is_asked_for(baton: Baton, three: list[str]) -> None:
    waits, asks, failed = three
    assert listed(baton) == three
    assert listed(baton, "--limit", "1") == [waits]
    assert listed(baton, "--open") == [waits, asks]
    assert listed(baton, "--status", "failed") == [failed]
    assert listed(baton, "--intent", "other") == []
    assert listed(baton, "--intent", "shop", "--status", "waiting_input") == [asks]


def test_a_list_says_of_each_run_where_it_stands_or_how_it_ended(baton: Baton, three: list[str]) -> None:
    heading, *rows = baton("runs", "list").stdout.splitlines()
    assert heading.split()[:4] == ["RUN", "INTENT", "STATUS", "STARTED"]
    assert [row.split(maxsplit=4)[4] for row in rows] == ["till version 1 at rest", "till version 1 at card", "failed: till.broken"]
    assert [row.split()[:3] for row in rows] == [
        [run_id, "shop", status] for run_id, status in zip(three, ("waiting_time", "waiting_input", "failed"), strict=True)
    ]


def test_an_open_run_is_shown_with_its_frames_variables_and_what_it_waits_for(baton: Baton, three: list[str]) -> None:
    told = json.loads(baton("runs", "show", three[1], "--json").stdout)
    assert (told["status"], told["place"]) == ("waiting_input", {"flow": "till", "version": 1, "node": "card"})
    assert (told["customer_id"], told["started_at"], told["ended_at"]) == ("ada", "2026-01-05T09:00:00.001Z", None)
    assert [(frame["flow"], frame["node"], frame["inputs"]) for frame in told["frames"]] == [
        ("shop", "pay", {}),
        ("till", "card", {"price": 7}),
    ]
    assert told["frames"][1]["variables"]["card"] is None
    assert told["wait"] == {
        "kind": "text",
        "node": "card",
        "deadline": "2026-01-05T10:01:00.001Z",
        "then": "timeout",
        "attempts_left": 2,
        "reminders": [{"at": "2026-01-05T09:11:00.001Z", "text": "Still there?"}],
    }
    lines = baton("runs", "show", three[1]).stdout.splitlines()
    assert "stands in     till version 1 at card" in lines
    assert "waits for     text at card, until 2026-01-05T10:01:00.001Z (timeout), attempts left: 2" in lines
    assert '  reminder at 2026-01-05T09:11:00.001Z: "Still there?"' in lines
    assert "  input price = 7" in lines


def test_of_a_run_that_has_ended_it_is_shown_how(baton: Baton, three: list[str]) -> None:
    told = json.loads(baton("runs", "show", three[2], "--json").stdout)
    assert (told["place"], told["wait"], told["end_reason"], told["end_code"]) == (None, None, "failed", "till.broken")
    assert "ended         failed: till.broken, 2026-01-05T09:01:00.001Z" in baton("runs", "show", three[2]).stdout.splitlines()


def test_no_token_is_shown(baton: Baton, three: list[str]) -> None:
    told = [baton("runs", what, three[1], *more) for what in ("show", "trace") for more in ([], ["--json"])]
    assert [result.exit_code for result in told] == [0, 0, 0, 0]
    assert all(re.search(r"\b(wt|st|lt|cb)_|token", result.stdout) is None for result in told)


def test_a_trace_tells_every_visit_turn_by_turn(baton: Baton, three: list[str]) -> None:
    assert baton("runs", "trace", three[2]).stdout.splitlines() == [
        "turn 1  started  2026-01-05T09:00:00Z",
        "  shop/pay (call): calls",
        "  till/rest (wait): waits",
        "turn 2  timed_out  2026-01-05T09:01:00.001Z",
        "  till/rest (wait, continued): next -> card",
        "  till/card (ask): waits",
        "turn 3  answered  2026-01-05T09:01:00.001Z",
        "  till/card (ask, continued): invalid",
        "turn 4  answered  2026-01-05T09:01:00.001Z",
        "  till/card (ask, continued): exhausted -> told",
        "  till/told (emit): next -> broken",
        "    emitted till.broken",
        "  till/broken (end): ends",
        "  shop/pay (call, continued): error:till.broken",
    ]
    visits = json.loads(baton("runs", "trace", three[2], "--json").stdout)
    assert [(visit["event"], visit["at"], visit["edge"]) for visit in visits][-1] == (
        "answered",
        "2026-01-05T09:01:00.001Z",
        "error:till.broken",
    )


def test_a_cancelled_run_waits_for_nothing_any_more_and_is_cancelled_once(baton: Baton, three: list[str]) -> None:
    waits, asks, failed = three
    assert baton("runs", "cancel", waits).stdout == f"{waits} is aborted.\n"
    assert baton("runs", "cancel", waits).stdout == f"{waits} was already aborted.\n"
    told = json.loads(baton("runs", "show", waits, "--json").stdout)
    assert (told["status"], told["end_reason"], told["wait"]) == ("aborted", "cancelled", None)
    assert listed(baton, "--open") == [asks]
    assert "cancelled" in baton("runs", "trace", waits).stdout.splitlines()[-2]
    ended = json.loads(baton("runs", "cancel", failed, "--json").stdout)
    assert ended == {"id": failed, "status": "failed", "end_reason": "failed", "changed": False}


@pytest.mark.parametrize("what", ["show", "trace", "cancel"])
def test_a_run_that_is_not_there_or_another_tenants_is_a_finding(what: str, baton: Baton, three: list[str]) -> None:
    baton("init", "--tenant", "other")
    for call in ([what, "nothing", "--tenant", "default"], [what, three[1], "--tenant", "other"]):
        result = baton("runs", *call)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "There is no run" in result.stderr
    assert json.loads(baton("runs", "list", "--json", "--tenant", "other").stdout) == []
    assert baton("runs", "list").exit_code == 2


def test_beside_a_running_server_runs_can_be_seen_and_to_cancel_them_is_for_its_api(folder: Path, baton: Baton) -> None:
    (folder / "flows").mkdir()
    (folder / "flows" / "ask.yaml").write_text("flow: ask\nintent: {}\nnodes:\n  ask: {type: ask, prompt: Well?, next: end}\n")
    with running_server(folder, "--dev") as server:
        _, key = server.read_keys()
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=f"{server.url}/api/v1/engine", headers=headers) as client:
            run_id = client.post("/triggers/chat", json={"intent_name": "ask", "text": "hi"}).json()["execution_id"]
            assert listed(baton) == [run_id]
            assert "stands in     ask version 1 at ask" in baton("runs", "show", run_id).stdout
            refused = baton("runs", "cancel", run_id)
            assert (refused.exit_code, refused.stdout) == (1, "")
            assert f"POST /api/v1/engine/executions/{run_id}/cancel" in refused.stderr
            assert client.get(f"/executions/{run_id}").json()["status"] == "waiting_input"
    assert baton("runs", "cancel", run_id).exit_code == 0


def spent(model: str, prompt: int, completion: int) -> TokenUsage:
    return TokenUsage(model=model, prompt_tokens=prompt, completion_tokens=completion)


@pytest.fixture
def usage(hold: Hold, baton: Baton) -> None:
    """Tokens of two models, one without a price, on two days in UTC."""
    baton("prices", "set", "dear", "--input", "2.50", "--output", "10", "--effective-from", "2026-01-01")

    async def talk(till: Till) -> None:
        till.clock.advance(15 * 60 * MINUTE - 1)  # the last millisecond of the day
        run_id = (await till.begin(usage=spent("dear", 1000, 200))).reply.execution_id
        await till.rest()
        await till.say(run_id, "visa", spent("free", 30, 12))

    hold(talk)


def test_usage_is_told_by_day_model_or_flow_as_the_contract_says(baton: Baton, usage: None) -> None:
    def told(*options: str) -> list[list[Any]]:
        rows: list[dict[str, Any]] = json.loads(baton("usage", "--json", *options).stdout)
        names = ["key", "prompt_tokens", "completion_tokens", "total_tokens", "cost_micros", "unpriced_tokens"]
        assert [[*row] for row in rows] == [names] * len(rows)
        return [[*row.values()] for row in rows]

    assert told() == told("--by", "day") == [["2026-01-05", 1000, 200, 1200, 4500, 0], ["2026-01-06", 30, 12, 42, 0, 42]]
    assert told("--by", "model") == [["dear", 1000, 200, 1200, 4500, 0], ["free", 30, 12, 42, 0, 42]]
    assert told("--by", "flow") == [["shop", 1030, 212, 1242, 4500, 42]]


def test_a_table_of_usage_ends_with_the_total_and_says_what_has_no_price(baton: Baton, usage: None) -> None:
    result = baton("usage", "--by", "model")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["MODEL", "PROMPT", "COMPLETION", "TOTAL", "COST", "UNPRICED"],
        ["dear", "1,000", "200", "1,200", "0.004500", "0"],
        ["free", "30", "12", "42", "0.000000", "42"],
        ["total", "1,030", "212", "1,242", "0.004500", "42"],
    ]
    assert "Unpriced tokens are in no cost" in result.stderr


def test_of_a_tenant_that_has_spent_nothing_there_are_no_rows(baton: Baton, tenant: dict[str, Any]) -> None:
    assert json.loads(baton("usage", "--json").stdout) == []
    assert baton("usage").stdout.splitlines()[-1].split() == ["total", "0", "0", "0", "0.000000", "0"]
