"""`baton keys`."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Baton


def keys(baton: Baton, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(baton("keys", "list", "--json", *options).stdout)
    return found


def test_the_list_shows_public_keys_whole_and_api_keys_by_their_beginning(baton: Baton, tenant: dict[str, Any]) -> None:
    public, api = keys(baton)
    assert (public["kind"], public["key"]) == ("public", tenant["public_key"])
    assert (api["kind"], api["hint"]) == ("api", tenant["api_key"][:7])
    assert tenant["api_key"] not in baton("keys", "list").stdout
    assert [key["kind"] for key in keys(baton, "--api")] == ["api"]


def test_a_public_key_is_made_with_what_it_allows(baton: Baton, tenant: dict[str, Any]) -> None:
    options = ("--intent", "greeting", "--origin", "https://a.example", "--trusted-usage", "--label", "Help", "--test")
    made = json.loads(baton("keys", "create", "--public", *options, "--json").stdout)
    assert [*made] == ["id", "public_key", "identity_secret"]
    assert made["public_key"].startswith("pk_test_")
    key = next(key for key in keys(baton) if key["id"] == made["id"])
    assert (key["intents"], key["origins"], key["trusted_usage"], key["label"]) == (["greeting"], ["https://a.example"], True, "Help")


def test_an_api_key_has_no_origins(baton: Baton, tenant: dict[str, Any]) -> None:
    assert json.loads(baton("keys", "create", "--api", "--json").stdout)["api_key"].startswith("sk_")
    assert baton("keys", "create", "--api", "--origin", "https://a.example").exit_code == 2


def test_rotating_a_public_key_keeps_its_place_and_changes_its_secrets(baton: Baton, tenant: dict[str, Any]) -> None:
    before = keys(baton, "--public")[0]
    made = json.loads(baton("keys", "rotate", tenant["public_key"], "--json").stdout)
    assert made["id"] == before["id"]
    assert made["public_key"] != tenant["public_key"]
    assert made["identity_secret"] != tenant["identity_secret"]
    assert keys(baton, "--public") == [{**before, "key": made["public_key"]}]


def test_rotating_an_api_key_shows_the_new_one_once(baton: Baton, tenant: dict[str, Any], folder: Path) -> None:
    made = json.loads(baton("keys", "rotate", keys(baton, "--api")[0]["id"], "--json").stdout)
    assert made["api_key"] != tenant["api_key"]
    assert keys(baton, "--api")[0]["hint"] == made["api_key"][:7]


def test_a_key_is_paused_and_let_work_again(baton: Baton, tenant: dict[str, Any]) -> None:
    baton("keys", "pause", tenant["public_key"])
    assert keys(baton, "--public")[0]["status"] == "paused"
    baton("keys", "pause", "--off", tenant["public_key"])
    assert keys(baton, "--public")[0]["status"] == "active"


def test_a_revoked_key_stays_revoked(baton: Baton, tenant: dict[str, Any]) -> None:
    assert baton("keys", "revoke", tenant["public_key"]).exit_code == 0
    for call in (("pause", "--off"), ("pause",), ("rotate",)):
        assert baton("keys", *call, tenant["public_key"]).exit_code == 1
    assert keys(baton, "--public")[0]["status"] == "revoked"


def test_a_key_that_is_not_there_is_a_finding(baton: Baton, tenant: dict[str, Any]) -> None:
    result = baton("keys", "revoke", "pk_live_0")
    assert result.exit_code == 1
    assert "baton keys list" in result.stderr
