"""What a registry promises: small changes, each whole, each seen by a look at one number."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.errors import StoreError, TenantExists
from engine.runtime.clock import SystemClock
from engine.runtime.store.registry import ApiKeyRow, Draft, FlowHead, FlowVersionRow, PriceRow, PublicKeyRow, Registry, TenantRow
from engine.runtime.store.sqlite.open import open_registry, open_sqlite
from tests.store.turns import start

ROOT = Path(__file__).resolve().parents[2]
TENANT = TenantRow(id="t", name="acme", created_at=1)
PUBLIC_KEY = PublicKeyRow(
    tenant_id="t",
    id="p",
    key="pk_test_0",
    created_at=2,
    identity_secret="s",
    label="Shop",
    intents=["order"],
    origins=["https://shop.example"],
    native=True,
)
API_KEY = ApiKeyRow(tenant_id="t", id="a", digest=b"\x00\xff", hint="bk_1", created_at=3, scopes=["trigger", "read"])
DRAFT = Draft(flow="order", digest="d1", intent="order", source="flow: order", document=b"\x01")
PRICE = PriceRow(tenant_id="t", id="1", model="m", input="0.15", output="0.60", cached_input=None, effective_from=5)


async def test_an_empty_registry_holds_nothing(registry: Registry) -> None:
    register = await registry.register()
    assert (register.tenants, register.public_keys, register.api_keys, register.flows, register.prices) == ((), (), (), (), ())
    assert register.revision == await registry.revision() == 0


async def test_a_tenant_comes_with_its_keys_as_they_were_given(registry: Registry) -> None:
    await registry.add_tenant(TENANT, PUBLIC_KEY, API_KEY)
    register = await registry.register()
    assert (register.tenants, register.public_keys, register.api_keys) == ((TENANT,), (PUBLIC_KEY,), (API_KEY,))
    assert register.revision == 1


async def test_a_second_tenant_of_the_same_name_is_refused_and_changes_nothing(registry: Registry) -> None:
    await registry.add_tenant(TENANT, PUBLIC_KEY, API_KEY)
    before = await registry.register()
    other = replace(PUBLIC_KEY, tenant_id="u", id="q", key="pk_test_1")
    with pytest.raises(TenantExists):
        await registry.add_tenant(replace(TENANT, id="u"), other, replace(API_KEY, tenant_id="u", digest=b"u"))
    assert await registry.register() == before


async def test_a_key_is_added_and_then_replaced_and_the_revision_rises_each_time(registry: Registry) -> None:
    await registry.put_public_key(PUBLIC_KEY)
    await registry.put_api_key(API_KEY)
    paused = replace(PUBLIC_KEY, status="paused", intents=None)
    await registry.put_public_key(paused)
    revoked = replace(API_KEY, status="revoked")
    await registry.put_api_key(revoked)
    register = await registry.register()
    assert (register.public_keys, register.api_keys, register.revision) == ((paused,), (revoked,), 4)


async def test_publishing_adds_a_version_for_each_flow_that_changed(registry: Registry) -> None:
    other = replace(DRAFT, flow="return", digest="r1", intent=None)
    first = await registry.publish("t", [DRAFT, other], 10)
    assert [(row.flow, row.version, row.published_at) for row in first] == [("order", 1, 10), ("return", 1, 10)]
    second = await registry.publish("t", [replace(DRAFT, digest="d2"), other], 20)
    assert [(row.flow, row.version, row.digest) for row in second] == [("order", 2, "d2")]
    register = await registry.register()
    assert register.flows == (
        FlowHead(tenant_id="t", flow="order", version=2, digest="d2", intent="order"),
        FlowHead(tenant_id="t", flow="return", version=1, digest="r1", intent=None),
    )
    assert register.revision == 2


async def test_publishing_what_is_active_changes_nothing(registry: Registry) -> None:
    await registry.publish("t", [DRAFT], 10)
    assert list(await registry.publish("t", [DRAFT], 20)) == []
    assert await registry.revision() == 1


async def test_going_back_to_an_older_text_is_a_new_version(registry: Registry) -> None:
    for digest in ("d1", "d2", "d1"):
        await registry.publish("t", [replace(DRAFT, digest=digest)], 10)
    assert [head.version for head in (await registry.register()).flows] == [3]


async def test_an_old_version_stays_whole(registry: Registry) -> None:
    await registry.publish("t", [DRAFT], 10)
    await registry.publish("t", [replace(DRAFT, digest="d2", source="new")], 20)
    assert await registry.version("t", "order", 1) == FlowVersionRow(
        tenant_id="t", flow="order", version=1, digest="d1", intent="order", source="flow: order", document=b"\x01", published_at=10
    )
    assert await registry.version("t", "order", 3) is None
    assert await registry.version("other", "order", 1) is None
    assert await registry.version("t", "order", 2**63) is None


async def test_a_tenants_flows_count_for_themselves(registry: Registry) -> None:
    await registry.publish("t", [DRAFT], 10)
    (row,) = await registry.publish("u", [DRAFT], 20)
    assert (row.tenant_id, row.version) == ("u", 1)


async def test_a_price_of_the_same_moment_takes_the_others_place(registry: Registry) -> None:
    later = replace(PRICE, id="2", effective_from=6, cached_input="0.075")
    await registry.put_prices([later, PRICE])
    cheaper = replace(PRICE, id="3", input="0.10")
    await registry.put_prices([cheaper])
    await registry.put_prices([])
    register = await registry.register()
    assert (register.prices, register.revision) == ((cheaper, later), 2)


async def test_two_tenants_cannot_share_a_public_key(tmp_path: Path) -> None:
    registry = await open_registry(tmp_path / "baton.db")
    await registry.put_public_key(PUBLIC_KEY)
    with pytest.raises(StoreError, match=r"^Nothing was changed"):
        await registry.put_public_key(replace(PUBLIC_KEY, tenant_id="u"))
    assert await registry.revision() == 1
    await registry.close()


async def test_changes_at_once_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "baton.db"
    one, other = await open_registry(path), await open_registry(path)
    keys = [replace(API_KEY, id=str(number), digest=bytes([number])) for number in range(20)]
    await asyncio.gather(*[(one, other)[number % 2].put_api_key(key) for number, key in enumerate(keys)])
    register = await one.register()
    assert (len(register.api_keys), register.revision) == (20, 20)
    await one.close()
    await other.close()


async def test_another_process_publishes_while_a_server_takes_turns(tmp_path: Path) -> None:
    path = tmp_path / "baton.db"
    store, registry = await open_sqlite(path, SystemClock())
    program = "import sys, asyncio; from tests.store.test_registry import publish_often; asyncio.run(publish_often(sys.argv[1]))"
    publishing = asyncio.create_task(
        asyncio.to_thread(subprocess.run, [sys.executable, "-c", program, str(path)], cwd=ROOT, check=True, timeout=60)
    )
    turns = 0
    while not publishing.done():
        await start(store)
        turns += 1
    await publishing
    assert turns > 0
    assert [head.version for head in (await registry.register()).flows] == [20]
    await store.close()
    await registry.close()


async def publish_often(path: str) -> None:
    """Twenty versions of one flow, each in a transaction of its own."""
    registry = await open_registry(Path(path))
    for number in range(20):
        await registry.publish("t", [replace(DRAFT, digest=str(number))], number)
    await registry.close()


async def test_the_documents_of_active_versions_come_with_their_heads(registry: Registry) -> None:
    await registry.publish("t", [DRAFT, replace(DRAFT, flow="other", document=b"\x02")], 1)
    await registry.publish("t", [replace(DRAFT, digest="d2", document=b"\x03")], 2)
    await registry.publish("u", [replace(DRAFT, document=b"\x04")], 3)
    found = {(head.tenant_id, head.flow, head.version): document for head, document in await registry.documents()}
    assert found == {("t", "order", 2): b"\x03", ("t", "other", 1): b"\x02", ("u", "order", 1): b"\x04"}
    assert {head for head, _ in await registry.documents()} == set((await registry.register()).flows)
