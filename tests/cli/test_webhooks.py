"""`baton webhooks`: endpoints come and go, their secrets are shown once, and what they were told can be seen and sent again."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook

from engine.runtime.clock import SystemClock
from engine.runtime.store.port import Store
from engine.runtime.store.registry import WebhookRow
from engine.runtime.store.rows import DeliveryEnd
from engine.runtime.store.sqlite.open import open_registry, open_sqlite
from engine.runtime.vault import Vault
from engine.runtime.webhooks.endpoints import signing_secrets
from tests.cli.conftest import Baton
from tests.store.turns import start
from tests.webhooks.receiver import Receiver, receiving

KEY, NEW_KEY = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
URL = "https://shop.example/hooks"


@pytest.fixture
def keyed(folder: Path, tenant: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with a tenant, and a server's key."""
    monkeypatch.setenv("BATON_SECRET_KEY", KEY)
    return folder


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def added(baton: Baton, *options: str, url: str = URL) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(baton("webhooks", "add", url, *options, "--json").stdout)
    return made


def listed(baton: Baton, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(baton("webhooks", "list", "--json", *options).stdout)
    return found


def deliveries(baton: Baton, endpoint: str, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(baton("webhooks", "deliveries", endpoint, "--json", *options).stdout)
    return found


def stored(folder: Path) -> list[WebhookRow]:
    async def read() -> list[WebhookRow]:
        registry = await open_registry(folder / "baton.db")
        try:
            return [*(await registry.register()).webhooks]
        finally:
            await registry.close()

    return asyncio.run(read())


def in_store(folder: Path, work: Callable[[Store], Awaitable[None]]) -> None:
    """What a server does meanwhile."""

    async def do() -> None:
        store, registry = await open_sqlite(folder / "baton.db", SystemClock())
        await work(store)
        await store.close()
        await registry.close()

    asyncio.run(do())


def tell(folder: Path, tenant_id: str, endpoint: str, ended_as: DeliveryEnd) -> None:
    """A run that has told two things to the endpoint, the first of which has ended so."""

    async def work(store: Store) -> None:
        await start(store, tenant_id)
        await store.deliveries.spread(lambda _, __: [endpoint], 10)
        (one,) = await store.deliveries.due([(tenant_id, endpoint)], 10)
        tried = replace(one.row, due_at=None, tries=8, code="http.status", status=500, ended_at=store.now(), ended_as=ended_as)
        await store.deliveries.note(tried, 0)

    in_store(folder, work)


def test_a_new_endpoint_is_told_of_everything_and_its_secret_is_shown_once_and_sealed(baton: Baton, keyed: Path) -> None:
    made = added(baton)
    assert made["secret"].startswith("whsec_")
    told = baton("webhooks", "list")
    assert told.stdout.splitlines()[1].split()[:4] == [made["id"], "enabled", URL, "all"]
    assert made["secret"].removeprefix("whsec_") not in told.output + json.dumps(listed(baton))
    (row,) = stored(keyed)
    assert signing_secrets(Vault([KEY.encode()]), row, 0) == [made["secret"]]
    assert all(made["secret"].encode() not in file.read_bytes() for file in keyed.iterdir() if file.is_file())


def test_what_is_not_for_programs_tells_to_keep_the_secret(baton: Baton, keyed: Path) -> None:
    result = baton("webhooks", "add", URL)
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["ID", "Secret"]
    assert result.stderr == "Keep the secret: it is not shown again.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "ftp://shop.example"), "The URL cannot be used"),
        (("add", URL, "--event", "Order"), "no type of an event"),
        (("add", URL, "--event", "chat.run.started"), "There is no event 'chat.run.started'"),
        (("add",), "URL"),
        (("set", "ID"), "Say what to change"),
        (("set", "ID", "--event", "a", "--all-events"), "Name types, or say --all-events."),
        (("deliveries", "ID", "--state", "lost"), "lost"),
    ],
)
def test_what_cannot_work_is_wrong_use_and_changes_nothing(baton: Baton, keyed: Path, arguments: tuple[str, ...], told: str) -> None:
    result = baton("webhooks", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert listed(baton) == []


@pytest.mark.parametrize("command", [("set", "--disable"), ("rotate",), ("delete",), ("deliveries",), ("replay",), ("test",)])
def test_an_endpoint_that_is_not_there_is_a_finding(baton: Baton, keyed: Path, command: tuple[str, ...]) -> None:
    result = baton("webhooks", command[0], "nobody", *command[1:])
    assert result.exit_code == 1
    assert result.stderr == "Error: There is no endpoint 'nobody'; `baton webhooks list` shows their ids.\n"


def test_an_endpoint_is_changed_in_what_is_named_alone(baton: Baton, keyed: Path) -> None:
    endpoint = added(baton, "--event", "order.paid", "--event", "chat.execution.failed")["id"]
    result = baton("webhooks", "set", endpoint, "--disable")
    assert result.stdout == f"{endpoint} is changed: disabled, {URL}, order.paid, chat.execution.failed\n"
    baton("webhooks", "set", endpoint, "--url", "https://b.example/", "--enable", "--all-events")
    (found,) = listed(baton)
    assert (found["status"], found["url"], found["events"]) == ("enabled", "https://b.example/", [])


def test_a_secret_is_rotated_and_both_sign_for_a_day(baton: Baton, keyed: Path) -> None:
    first = added(baton)
    second = json.loads(baton("webhooks", "rotate", first["id"], "--json").stdout)
    assert second["old_secret_until"] == listed(baton)[0]["old_secret_until"] is not None
    (row,) = stored(keyed)
    assert signing_secrets(Vault([KEY.encode()]), row, row.modified_at) == [second["secret"], first["secret"]]


def test_reseal_seals_the_secrets_of_endpoints_as_well(baton: Baton, keyed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = added(baton)
    second = json.loads(baton("webhooks", "rotate", first["id"], "--json").stdout)
    monkeypatch.setenv("BATON_SECRET_KEY", NEW_KEY)
    assert baton("connections", "reseal", typed=KEY).stdout == "2 secrets sealed again.\n"
    (row,) = stored(keyed)
    assert signing_secrets(Vault([NEW_KEY.encode()]), row, row.modified_at) == [second["secret"], first["secret"]]


def test_a_deleted_endpoint_is_shown_no_more_and_its_secret_is_gone(baton: Baton, keyed: Path) -> None:
    endpoint = added(baton)["id"]
    assert baton("webhooks", "delete", endpoint).stdout == f"{endpoint} is deleted.\n"
    assert listed(baton) == []
    assert [(row.secret, row.old_secret) for row in stored(keyed)] == [(b"", None)]
    assert baton("webhooks", "delete", endpoint).exit_code == 1


def test_each_tenant_has_endpoints_of_its_own(baton: Baton, keyed: Path) -> None:
    endpoint = added(baton)["id"]
    baton("init", "--tenant", "other")
    assert listed(baton, "--tenant", "other") == []
    assert baton("webhooks", "delete", endpoint, "--tenant", "other").exit_code == 1
    assert baton("webhooks", "add", URL).exit_code == 2


def test_what_an_endpoint_was_told_is_listed_and_what_is_parked_is_sent_again(baton: Baton, keyed: Path, tenant: dict[str, Any]) -> None:
    endpoint = added(baton)["id"]
    tell(keyed, tenant["tenant_id"], endpoint, "parked")
    second, first = deliveries(baton, endpoint)
    assert (first["state"], first["tries"], first["status"], first["code"]) == ("parked", 8, 500, "http.status")
    assert (second["state"], second["tries"], second["next_at"] is not None) == ("pending", 0, True)
    assert deliveries(baton, endpoint, "--state", "parked") == [first]
    assert deliveries(baton, endpoint, "--limit", "1") == [second]
    assert baton("webhooks", "deliveries", endpoint).stdout.splitlines()[2].split()[3:6] == ["parked", "8", "500"]
    assert "payload" not in baton("webhooks", "deliveries", endpoint, "--json").stdout
    assert ("webhooks", "1 parked delivery") in doctored(baton)
    assert baton("webhooks", "replay", endpoint).stdout == "1 delivery to be sent again.\n"
    assert baton("webhooks", "replay", endpoint).stdout == "0 deliveries to be sent again.\n"
    assert {one["state"] for one in deliveries(baton, endpoint)} == {"pending"}


def doctored(baton: Baton) -> list[tuple[str, str]]:
    return [(check["name"], check["detail"]) for check in json.loads(baton("doctor", "--json").stdout)]


def test_one_event_is_sent_again_even_if_it_was_delivered(baton: Baton, keyed: Path, tenant: dict[str, Any]) -> None:
    endpoint = added(baton)["id"]
    tell(keyed, tenant["tenant_id"], endpoint, "delivered")
    second, first = deliveries(baton, endpoint)
    assert baton("webhooks", "replay", endpoint).stdout == "0 deliveries to be sent again.\n"
    assert baton("webhooks", "replay", endpoint, "--event", first["event_id"]).stdout == "1 delivery to be sent again.\n"
    for event in (second["event_id"], "nobody"):
        assert baton("webhooks", "replay", endpoint, "--event", event).exit_code == 1


def test_a_test_is_signed_and_tells_what_was_answered(
    baton: Baton, keyed: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = added(baton, url=receiver.url)
    blocked = baton("webhooks", "test", made["id"])
    told = "http.blocked: The address is not public, and BATON_ALLOWED_HOSTS_OUTBOUND does not open it.\n"
    assert (blocked.exit_code, blocked.stdout) == (1, told)
    assert receiver.received == []
    monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", "127.0.0.1")
    sent = baton("webhooks", "test", made["id"])
    assert (sent.exit_code, sent.stdout) == (0, "answered with 200\n")
    assert Webhook(made["secret"]).verify(receiver.received[0].body, receiver.received[0].headers)["type"] == "webhook.test"
    receiver.status = lambda _: 404
    refused = baton("webhooks", "test", made["id"])
    assert (refused.exit_code, refused.stdout) == (1, "answered with 404\n")


CLOSED = "is not public: it is reached only where BATON_ALLOWED_HOSTS_OUTBOUND of the server opens it.\n"


@pytest.mark.parametrize(
    ("url", "allowed", "noted"),
    [
        ("http://127.0.0.1:9407/hooks", "", True),
        ("http://localhost:9407/hooks", "", True),
        ("http://127.0.0.1:9407/hooks", "127.0.0.1:9407", False),
        (URL, "", False),
    ],
)
def test_an_address_that_only_a_setting_opens_is_noted_when_it_is_set(
    url: str, allowed: str, noted: bool, baton: Baton, keyed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", allowed)
    made = baton("webhooks", "add", url, "--json")
    changed = baton("webhooks", "set", json.loads(made.stdout)["id"], "--url", url)
    connected = baton("connections", "set", "shop", "--kind", "bearer", "--url", url, typed="secret")
    assert [CLOSED in call.stderr for call in (made, changed, connected)] == [noted] * 3


def test_an_endpoint_needs_the_servers_key(baton: Baton, folder: Path, tenant: dict[str, Any]) -> None:
    result = baton("webhooks", "add", URL)
    assert (result.exit_code, listed(baton)) == (2, [])
    assert "BATON_SECRET_KEY must be set" in result.stderr
