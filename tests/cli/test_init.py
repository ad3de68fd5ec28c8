"""`baton init`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Baton


def test_a_tenant_is_made_with_its_keys_without_any_setting(tenant: dict[str, Any]) -> None:
    assert [*tenant] == ["tenant_id", "public_key", "api_key", "identity_secret"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", tenant["tenant_id"])
    assert re.fullmatch(r"pk_live_[0-9a-f]{32}", tenant["public_key"])
    assert tenant["api_key"].startswith("sk_")
    assert len(tenant["identity_secret"]) == 64


def test_a_tenant_that_exists_is_refused_and_left_as_it_is(baton: Baton, tenant: dict[str, Any]) -> None:
    before = baton("keys", "list", "--json").stdout
    result = baton("init", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "default" in result.stderr
    assert baton("keys", "list", "--json").stdout == before


def test_the_secrets_are_nowhere_in_the_database_but_for_the_identity_secret_that_signatures_are_checked_with(
    folder: Path, tenant: dict[str, Any]
) -> None:
    stored = b"".join(path.read_bytes() for path in folder.glob("baton.db*"))
    assert tenant["public_key"].encode() in stored
    assert tenant["api_key"].encode() not in stored


def test_what_the_public_key_allows_is_as_it_was_asked_for(baton: Baton) -> None:
    options = (
        "--origin",
        "https://shop.example/",
        "--origin",
        "https://*.acme.com",
        "--intent",
        "order_status",
        "--expose-trace",
        "--native",
    )
    assert baton("init", "--tenant", "acme", *options).exit_code == 0
    key = json.loads(baton("keys", "list", "--public", "--json").stdout)[0]
    assert key["origins"] == ["https://shop.example", "https://*.acme.com"]
    assert (key["intents"], key["expose_trace"], key["native"]) == (["order_status"], True, True)


@pytest.mark.parametrize(
    "options",
    [
        ("--origin", "shop.example"),
        ("--origin", "https://shop.example/chat"),
        ("--origin", "https://a.*.com"),
        ("--intent", "Order"),
        ("--tenant", ""),
    ],
)
def test_what_cannot_be_an_origin_an_intent_or_a_name_is_wrong_use(options: tuple[str, ...], baton: Baton, folder: Path) -> None:
    assert baton("init", *options).exit_code == 2
    assert not (folder / "baton.db").exists()


def test_with_several_tenants_a_command_asks_which_one_is_meant(baton: Baton, tenant: dict[str, Any]) -> None:
    baton("init", "--tenant", "acme")
    unclear = baton("keys", "list")
    assert unclear.exit_code == 2
    assert "acme, default" in unclear.stderr
    assert baton("keys", "list", "--tenant", "acme").exit_code == 0
    assert baton("keys", "list", "--tenant", "nobody").exit_code == 1
