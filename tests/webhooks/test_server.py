"""A real server: what happens in it is told within seconds, and an endpoint that hangs does not keep it from its end."""

import asyncio
import threading
import time
from pathlib import Path

import httpx
from standardwebhooks import Webhook

from engine.runtime.clock import SystemClock
from engine.runtime.invariants import check_invariants
from engine.runtime.store.sqlite.open import open_registry
from engine.runtime.vault import Vault
from engine.runtime.webhooks.endpoints import add_webhook
from tests.support.server import SECRET, running_server
from tests.webhooks.receiver import Receiver, receiving

FLOW = "flow: hello\nintent: {label: Hello}\nnodes: {hi: {type: message, text: Hi!, next: end}}\n"
SETTINGS = {"BATON_ALLOWED_HOSTS_OUTBOUND": "127.0.0.1"}
LONGEST_END = 5.0


async def listen_in(database: Path, *urls: str) -> list[str]:
    """Adds endpoints beside the server, as the terminal does; gives their secrets."""
    registry = await open_registry(database)
    (tenant,) = (await registry.register()).tenants
    secrets = [(await add_webhook(registry, Vault([SECRET.encode()]), tenant.id, url, [], SystemClock().wall()))[1] for url in urls]
    await registry.close()
    return secrets


async def run_until_heard(url: str, key: str, *receivers: Receiver) -> None:
    """Runs, one after the other, until the server has seen the endpoints and told them."""
    body, headers = {"intent_name": "hello", "text": "hi"}, {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client, asyncio.timeout(60):
        while not all(receiver.received for receiver in receivers):
            assert (await client.post("/api/v1/engine/triggers/chat", json=body)).status_code == httpx.codes.OK
            await asyncio.sleep(0.2)


async def test_a_run_is_told_by_the_server_and_a_hanging_endpoint_does_not_hold_up_its_end(tmp_path: Path, receiver: Receiver) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "hello.yaml").write_text(FLOW)
    hangs = threading.Event()
    with receiving() as hanging:
        hanging.status = lambda _: 200 if hangs.wait(30) else 500
        with running_server(tmp_path, "--dev", settings=SETTINGS) as server:
            _, key = server.read_keys()
            secret, _ = await listen_in(tmp_path / "baton.db", receiver.url, hanging.url)
            await run_until_heard(server.url, key, receiver, hanging)
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < LONGEST_END
        hangs.set()
    told = [Webhook(secret).verify(one.body, one.headers) for one in receiver.received]
    first = [one["type"] for one in told if one["execution_id"] == told[0]["execution_id"]]
    assert first == ["chat.execution.started", "chat.execution.completed"][: len(first)]
    assert check_invariants(tmp_path / "baton.db") == []
