"""`baton connections`: secrets go in by the standard input or a prompt, and come out nowhere."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.connections import credentials
from engine.runtime.store.registry import ConnectionRow
from engine.runtime.store.sqlite.open import open_registry
from engine.runtime.vault import SealBroken, Vault
from tests.cli.conftest import Baton
from tests.cli.person import person
from tests.support.server import SECRET as SERVER_KEY

KEY, NEW_KEY = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
SECRET = "s3cr3t-of-the-shop"
SHOP = ("connections", "set", "shop", "--kind", "bearer", "--url", "https://shop.example/v1/")


@pytest.fixture
def keyed(folder: Path, tenant: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with a tenant, and a server's key."""
    monkeypatch.setenv("BATON_SECRET_KEY", KEY)
    return folder


def listed(baton: Baton) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(baton("connections", "list", "--json").stdout)
    return found


def stored(folder: Path) -> list[ConnectionRow]:
    async def read() -> list[ConnectionRow]:
        registry = await open_registry(folder / "baton.db")
        try:
            return [*(await registry.register()).connections]
        finally:
            await registry.close()

    return asyncio.run(read())


def shown(folder: Path, *keys: str) -> dict[str, str]:
    """What the only connection shows its origin, to a server with these keys."""
    (row,) = stored(folder)
    found = credentials(Vault([key.encode() for key in keys]), row)
    return {**found.headers, **found.query}


def test_a_secret_from_the_standard_input_is_sealed_under_the_key_of_the_server(baton: Baton, keyed: Path) -> None:
    made = baton(*SHOP, typed=f"{SECRET}\n")
    assert (made.exit_code, made.stdout) == (0, "shop is made: bearer, https://shop.example/v1\n")
    assert shown(keyed, KEY) == {"Authorization": f"Bearer {SECRET}"}
    assert all(SECRET.encode() not in file.read_bytes() for file in keyed.iterdir() if file.is_file())


def test_the_list_shows_everything_but_the_secret(baton: Baton, keyed: Path) -> None:
    baton(*SHOP, typed=SECRET)
    baton("connections", "set", "till", "--kind", "header", "--url", "http://till.example", "--parameter", "X-Key", typed=SECRET)
    told = baton("connections", "list")
    assert [line.split()[:4] for line in told.stdout.splitlines()] == [
        ["NAME", "KIND", "URL", "PARAMETER"],
        ["shop", "bearer", "https://shop.example/v1", "-"],
        ["till", "header", "http://till.example", "X-Key"],
    ]
    assert [*listed(baton)[1]] == ["name", "kind", "url", "parameter", "changed_at"]
    assert SECRET not in told.output + json.dumps(listed(baton))


def test_a_connection_that_is_set_again_is_replaced(baton: Baton, keyed: Path) -> None:
    baton(*SHOP, typed=SECRET)
    changed = baton("connections", "set", "shop", "--kind", "query", "--url", "https://b.example", "--parameter", "key", typed="other")
    assert changed.stdout == "shop is changed: query, https://b.example\n"
    assert shown(keyed, KEY) == {"key": "other"}


@pytest.mark.parametrize(
    ("options", "typed", "told"),
    [
        (("shop", "--kind", "bearer", "--url", "ftp://shop.example"), "s", "A base URL is like https://api.example/v1"),
        (("shop", "--kind", "bearer", "--url", "https://shop.example"), "", "A secret is made of 1 to 4,096"),
        (("shop", "--kind", "bearer", "--url", "https://shop.example"), "two\nlines", "A secret is made of 1 to 4,096"),
        (("shop", "--kind", "basic", "--url", "https://shop.example"), "no colon", "user:password"),
        (("shop", "--kind", "header", "--url", "https://shop.example"), "s", "names its parameter"),
        (("Shop", "--kind", "bearer", "--url", "https://shop.example"), "s", "A connection's name is made of"),
        (("shop", "--kind", "cookie", "--url", "https://shop.example"), "s", "cookie"),
        (("shop", "--kind", "bearer"), "s", "--url"),
    ],
)
def test_a_connection_that_could_not_work_is_wrong_use(options: tuple[str, ...], typed: str, told: str, baton: Baton, keyed: Path) -> None:
    result = baton("connections", "set", *options, typed=typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert listed(baton) == []


def test_the_secret_is_no_argument(baton: Baton, keyed: Path) -> None:
    for secret in (("--secret", SECRET), (SECRET,)):
        assert baton(*SHOP, *secret).exit_code == 2


def test_a_deleted_connection_is_gone_and_one_that_is_not_there_is_a_finding(baton: Baton, keyed: Path) -> None:
    baton(*SHOP, typed=SECRET)
    wrong = baton("connections", "delete", "shopp")
    assert (wrong.exit_code, wrong.stderr) == (1, "Error: There is no connection 'shopp'. Did you mean 'shop'?\n")
    assert baton("connections", "delete", "shop").stdout == "shop is deleted.\n"
    assert listed(baton) == []


def test_each_tenant_has_connections_of_its_own(baton: Baton, keyed: Path) -> None:
    baton("init", "--tenant", "other")
    assert baton(*SHOP, typed=SECRET).exit_code == 2
    baton(*SHOP, "--tenant", "other", typed=SECRET)
    assert len(json.loads(baton("connections", "list", "--json", "--tenant", "other").stdout)) == 1
    assert json.loads(baton("connections", "list", "--json", "--tenant", "default").stdout) == []
    assert baton("connections", "delete", "shop", "--tenant", "default").exit_code == 1


def test_without_the_key_of_the_server_nothing_is_sealed(baton: Baton, tenant: dict[str, Any]) -> None:
    result = baton(*SHOP, typed=SECRET)
    assert (result.exit_code, result.stderr.count("BATON_SECRET_KEY must be set")) == (2, 1)
    assert baton("connections", "list").exit_code == 0


def test_the_key_that_a_server_for_trying_things_keeps_is_used_where_no_other_is_set(
    baton: Baton, tenant: dict[str, Any], folder: Path
) -> None:
    (folder / "baton.key").write_text(f"{KEY}\n")
    result = baton(*SHOP, typed=SECRET)
    assert "the key in baton.key" in result.stderr
    assert shown(folder, KEY) == {"Authorization": f"Bearer {SECRET}"}


def test_after_a_new_key_secrets_are_sealed_again_and_the_old_key_opens_nothing(
    baton: Baton, keyed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baton(*SHOP, typed=SECRET)
    monkeypatch.setenv("BATON_SECRET_KEY", NEW_KEY)
    assert baton("connections", "reseal", typed=f"{KEY}\n").stdout == "1 secret sealed again.\n"
    assert shown(keyed, NEW_KEY) == {"Authorization": f"Bearer {SECRET}"}
    with pytest.raises(SealBroken):
        shown(keyed, KEY)
    assert baton("connections", "reseal", typed=KEY).stdout == "0 secrets sealed again.\n"


@pytest.mark.parametrize(("before", "code", "told"), [("x" * 32, 1, "opens with neither key"), ("short", 2, "32 bytes or more")])
def test_a_wrong_old_key_changes_nothing(
    before: str, code: int, told: str, baton: Baton, keyed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baton(*SHOP, typed=SECRET)
    monkeypatch.setenv("BATON_SECRET_KEY", NEW_KEY)
    result = baton("connections", "reseal", typed=before)
    assert (result.exit_code, told in result.stderr) == (code, True)
    assert shown(keyed, KEY) == {"Authorization": f"Bearer {SECRET}"}


def test_at_a_terminal_the_secret_is_asked_for_and_not_shown(keyed: Path) -> None:
    with person(keyed, "shop", "--kind", "bearer", "--url", "https://shop.example", command=("connections", "set")) as somebody:
        somebody.reads("Secret: ")
        somebody.types(f"{SECRET}\n")
        assert somebody.leaves() == 0
        assert somebody.lines()[0].startswith("Secret:")
        assert "shop is made" in somebody.written
        assert SECRET not in somebody.written
    assert shown(keyed, SERVER_KEY) == {"Authorization": f"Bearer {SECRET}"}
