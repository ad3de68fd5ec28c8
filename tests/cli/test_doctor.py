"""`baton doctor`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Baton

SECRET = "0123456789abcdef0123456789abcdef"


def checks(baton: Baton) -> dict[str, bool]:
    return {check["name"]: check["ok"] for check in json.loads(baton("doctor", "--json").stdout)}


def execute(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


@pytest.fixture
def healthy(folder: Path, tenant: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BATON_SECRET_KEY", SECRET)
    return folder / "baton.db"


def test_all_is_well_after_init_with_a_secret_key(baton: Baton, healthy: Path) -> None:
    assert baton("doctor").exit_code == 0
    assert checks(baton) == dict.fromkeys(
        ("versions", "settings", "secret key", "callbacks", "database", "schema", "clock", "scheduler", "secrets", "webhooks"), True
    )


def test_it_tells_what_the_addresses_of_callbacks_begin_with(baton: Baton, healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_HOST", "0.0.0.0")  # noqa: S104 - nothing listens
    assert "BATON_PUBLIC_URL is not set: only who reaches 0.0.0.0 by that name" in baton("doctor").stdout
    monkeypatch.setenv("BATON_PUBLIC_URL", "https://chat.example/")
    assert "begin with https://chat.example\n" in baton("doctor").stdout


def test_it_tells_that_no_traces_are_sent_where_somebody_wants_them(baton: Baton, healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "traces" not in checks(baton)
    monkeypatch.setenv("BATON_OTEL_ENDPOINT", "http://collector.example:4318")
    assert "BATON_OTEL_ENDPOINT is set, and does nothing in this version: no traces are sent\n" in baton("doctor").stdout
    assert checks(baton)["traces"]


def test_a_missing_secret_key_is_found(baton: Baton, tenant: dict[str, Any]) -> None:
    assert baton("doctor").exit_code == 1
    assert not checks(baton)["secret key"]


def test_a_wrong_setting_is_found(baton: Baton, healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_PORT", "many")
    assert not checks(baton)["settings"]


def test_a_missing_database_is_found_in_the_words_of_publish_and_not_made(baton: Baton, folder: Path) -> None:
    assert not checks(baton)["database"]
    assert baton("keys", "list").stderr.removeprefix("Error: ").strip() in baton("doctor").stdout
    assert [*folder.iterdir()] == []


def test_a_file_that_is_no_database_is_found(baton: Baton, folder: Path) -> None:
    (folder / "baton.db").write_text("certainly not a database, but a text of some length" * 20)
    assert not checks(baton)["database"]


def test_a_schema_of_another_version_is_found(baton: Baton, healthy: Path) -> None:
    execute(healthy, "UPDATE alembic_version SET version_num = '9999'")
    assert not checks(baton)["schema"]


def test_a_clock_that_was_set_back_is_found(baton: Baton, healthy: Path) -> None:
    execute(healthy, "INSERT OR REPLACE INTO meta (name, value) VALUES ('high_water', 4102444800000)")
    assert not checks(baton)["clock"]


def test_a_wait_that_nobody_lets_expire_is_found(baton: Baton, healthy: Path) -> None:
    columns = "tenant_id, id, run_id, rev, opened_at, deadline, due_at, answerable"
    execute(healthy, f"INSERT INTO wait ({columns}) VALUES ('t', 'w', 'r', 1, 1000, 2000, 2000, 1)")  # noqa: S608 - the columns stand above
    assert not checks(baton)["scheduler"]


def test_secrets_that_no_key_opens_are_found(baton: Baton, healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    baton("connections", "set", "shop", "--kind", "bearer", "--url", "https://shop.example", typed="s3cret")
    assert checks(baton)["secrets"]
    monkeypatch.setenv("BATON_SECRET_KEY", SECRET[::-1])
    assert "1 secret of connections or webhooks open with no key that is set" in baton("doctor").stdout
    monkeypatch.setenv("BATON_OLD_SECRET_KEY", SECRET)
    assert checks(baton)["secrets"]
    assert baton("connections", "reseal").stdout == "1 secret sealed again.\n"
    monkeypatch.delenv("BATON_OLD_SECRET_KEY")
    assert checks(baton)["secrets"]


def test_an_endpoint_that_was_deleted_has_no_secret_to_be_opened(baton: Baton, healthy: Path) -> None:
    added = json.loads(baton("webhooks", "add", "https://shop.example/hooks", "--json").stdout)
    assert baton("webhooks", "delete", added["id"]).exit_code == 0
    told = baton("doctor")
    assert "0 secrets of connections and webhooks" in told.stdout
    assert told.exit_code == 0
