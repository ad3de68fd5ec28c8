"""What holds for every statement that is run: it names the tenant, and it asks no clock."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.runtime.store.migrate import migrate
from engine.runtime.store.sqlite import delivery_statements, load_statements, questions, save_statements, statements

OF_ALL_TENANTS = {
    "ANYTHING",
    "DUE",
    "DUE_TENANTS",
    "COUNT_PARKED",
    "FIND_ENDED",
    "LAPSED",
    "NEXT_DUE",
    "OUTLOOK",
    "PROVE",
    "PRUNE",
    "PRUNE_SIGNALS",
    "PRUNE_UNWANTED",
    "RAISE_FORGOTTEN",
    "RAISE_MARK",
    "READ_MARK",
    "SEALED",
    "UNSPREAD",
}
"""Sweeps, which tenants share, and what concerns the file itself."""
OF_TENANTS = "run|wait|turn|conversation|message|usage|idempotency|effect_result|signal|listening|task|outbox|delivery"


def every_statement() -> dict[str, str]:
    found = {**vars(load_statements), **vars(save_statements), **vars(questions), **vars(delivery_statements)}
    single = {name: text for name, text in found.items() if name.isupper() and isinstance(text, str)}
    ends = {f"END_WAIT {by}": text for by, text in save_statements.END_WAIT.items()}
    return {**single, **ends, **{f"DELIVERIES {state}": text for state, text in delivery_statements.DELIVERIES.items()}}


STATEMENTS = every_statement()


def test_the_statements_are_found() -> None:
    some = {"UPDATE_RUN", "LOAD_RUN_AND_WAIT", "RUN_VIEW", "DUE_OF_TENANTS", "END_WAIT answered", "MAKE_DELIVERY", "DELIVERIES parked"}
    assert some < STATEMENTS.keys()
    assert STATEMENTS.keys() > OF_ALL_TENANTS


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_asks_a_clock(name: str) -> None:
    assert (
        re.search(r"\b(current_\w+|now\(|datetime|strftime|julianday|unixepoch|clock_timestamp)", STATEMENTS[name], re.IGNORECASE) is None
    )


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - OF_ALL_TENANTS))
def test_every_statement_of_a_tenant_names_it_for_every_table(name: str) -> None:
    text = STATEMENTS[name]
    if text.startswith("INSERT"):
        assert re.match(r"INSERT INTO \w+ \(tenant_id, ", text)
        return
    tables = set(re.findall(rf"(?:FROM|JOIN|UPDATE)\s+({OF_TENANTS})\b", text))
    assert tables
    assert {table for table in tables if re.search(rf"\b{table}\.tenant_id = ", text) is None} == set()


def test_values_are_not_accepted_in_another_order_than_the_statements() -> None:
    with pytest.raises(AssertionError, match="key_1"):
        statements.positional(statements.IDEMPOTENCY.select().where(statements.IDEMPOTENCY.c.key == "k"), "tenant")


@pytest.mark.parametrize(
    "name", ["OUTLOOK", "UNSPREAD", "DUE_DELIVERIES", "FIND_ENDED", "FIND_OF_ENDPOINT", "PRUNE_UNWANTED", "COUNT_PARKED"]
)
def test_no_look_for_what_is_to_be_sent_or_forgotten_reads_all_the_rest(name: str, tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/baton.db")
    asked = {"endpoints": "[]", "now": 1, "each": 1, "limit": 1, "before": 1, "ended_as": "parked", "tenant": "t", "endpoint": "e"}
    with closing(sqlite3.connect(tmp_path / "baton.db")) as connection:
        plan = [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name]}", asked)]
    assert any("delivery" in step or "outbox" in step for step in plan)
    assert [step for step in plan if re.match(r"SCAN (outbox|delivery|inner_delivery)\b(?! USING)", step)] == []
