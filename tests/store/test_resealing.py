"""Secrets are sealed again under a new key of the server, all or none, whatever is changed meanwhile."""

import pytest

from engine.runtime.connections import Terms, opened, put_connection
from engine.runtime.resealing import seal_again
from engine.runtime.store.registry import ConnectionRow, Registry, Resealed, WebhookRow
from engine.runtime.vault import SealBroken, Vault
from engine.runtime.webhooks.endpoints import OVERLAP, about, add_webhook, delete_webhook, rotate_webhook, signing_secrets

LOST, OLD, NEW = (Vault([letter * 32]) for letter in (b"l", b"o", b"n"))
BOTH = Vault([b"n" * 32, b"o" * 32])
URL = "https://shop.example/hooks"
TERMS = Terms(kind="bearer", base_url="https://shop.example", secret="s3cret")


async def the_connection(registry: Registry) -> ConnectionRow:
    (row,) = (await registry.register()).connections
    return row


async def the_webhook(registry: Registry) -> WebhookRow:
    (row,) = (await registry.register()).webhooks
    return row


async def test_what_an_older_key_has_sealed_opens_with_the_new_one_alone_and_is_otherwise_as_it_was(registry: Registry) -> None:
    connection = await put_connection(registry, OLD, "t", "shop", TERMS, 1)
    webhook, first = await add_webhook(registry, OLD, "t", URL, ["order.paid"], 2)
    _, second = await rotate_webhook(registry, OLD, webhook, 3)
    gone, _ = await add_webhook(registry, OLD, "u", URL, [], 4)
    await delete_webhook(registry, gone, 5)
    before = await registry.revision()
    assert [await seal_again(registry, BOTH, 6) for _ in range(2)] == [3, 0]
    assert await registry.revision() == before + 1
    fresh = await the_connection(registry)
    assert (opened(NEW, fresh), fresh.created_at, fresh.modified_at) == (TERMS, connection.created_at, connection.modified_at)
    row = next(row for row in (await registry.register()).webhooks if row.tenant_id == "t")
    assert (signing_secrets(NEW, row, 6), row.events, row.modified_at) == ([second, first], ["order.paid"], 3)


async def test_a_connection_that_was_set_anew_meanwhile_keeps_its_new_secret(registry: Registry) -> None:
    read = await put_connection(registry, OLD, "t", "shop", TERMS, 1)
    now = await put_connection(registry, OLD, "t", "shop", TERMS, 2)
    before = await registry.revision()
    assert await registry.reseal([Resealed(tenant_id="t", was=read.secret, sealed=b"again")]) == 0
    assert (await the_connection(registry), await registry.revision()) == (now, before)


async def test_of_an_endpoint_that_was_rotated_meanwhile_the_secret_before_is_the_one_that_is_sealed_again(registry: Registry) -> None:
    read, first = await add_webhook(registry, OLD, "t", URL, [], 1)
    again = Resealed(tenant_id="t", was=read.secret, sealed=NEW.seal(first, about("t", read.id)))
    _, second = await rotate_webhook(registry, BOTH, read, 2)
    assert await registry.reseal([again]) == 1
    assert signing_secrets(NEW, await the_webhook(registry), 3) == [second, first]


async def test_nothing_is_sealed_again_in_the_place_of_another_tenants_secret(registry: Registry) -> None:
    read = await put_connection(registry, OLD, "t", "shop", TERMS, 1)
    assert await registry.reseal([Resealed(tenant_id="u", was=read.secret, sealed=b"again")]) == 0
    assert await the_connection(registry) == read


async def test_a_secret_that_opens_with_no_key_keeps_all_as_it_is_until_it_signs_no_more(registry: Registry) -> None:
    connection = await put_connection(registry, OLD, "t", "shop", TERMS, 1)
    webhook, _ = await add_webhook(registry, LOST, "t", URL, [], 1)
    rotated, second = await rotate_webhook(registry, OLD, webhook, 2)
    with pytest.raises(SealBroken):
        await seal_again(registry, BOTH, 2 + OVERLAP - 1)
    assert (await the_connection(registry), await the_webhook(registry)) == (connection, rotated)
    assert await seal_again(registry, BOTH, 2 + OVERLAP) == 2
    assert signing_secrets(NEW, await the_webhook(registry), 3) == [second]
