"""`baton usage`: tokens that were spent, and what they cost."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, get_args

import click
from msgspec import Struct

from api.cli.console import example, json_option, note, run, write_json, write_table
from api.cli.database import tenant_option
from api.cli.records import open_records
from engine.runtime.store.port import UsageKey, UsageSum

_MICROS: Final = Decimal(1_000_000)


class Spent(Struct, frozen=True):
    """One row: what was spent on a day, by a model or in a flow."""

    key: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost_micros: int
    unpriced_tokens: int

    def cells(self) -> tuple[str, ...]:
        """The row for a table, its cost in dollars."""
        counts = (self.prompt_tokens, self.completion_tokens, self.total_tokens)
        return (self.key, *(f"{count:,}" for count in counts), f"{self.cost_micros / _MICROS:,.6f}", f"{self.unpriced_tokens:,}")


@click.command("usage", epilog=example("baton usage --by model"))
@click.option("--by", type=click.Choice(get_args(UsageKey)), default="day", show_default=True, help="What is summed up; days are UTC's.")
@tenant_option
@json_option
def command(by: UsageKey, tenant: str | None, *, as_json: bool) -> None:
    """Count the tokens that were spent and what they cost, in dollars.

    Tokens of a model that had no price are counted as unpriced, and are in no cost.
    """
    rows = [_spent(one) for one in run(_usage(tenant, by))]
    if as_json:
        write_json(rows)
        return
    write_table((by.upper(), "PROMPT", "COMPLETION", "TOTAL", "COST", "UNPRICED"), _aligned([*rows, _total(rows)]))
    if any(row.unpriced_tokens for row in rows):
        note("Unpriced tokens are in no cost: their models had no price then (see `baton prices`).")


def _spent(one: UsageSum) -> Spent:
    total = one.prompt_tokens + one.completion_tokens
    return Spent(one.key, one.prompt_tokens, one.completion_tokens, total, one.cost_micros, one.unpriced_tokens)


def _total(rows: Sequence[Spent]) -> Spent:
    return Spent(
        "total",
        sum(row.prompt_tokens for row in rows),
        sum(row.completion_tokens for row in rows),
        sum(row.total_tokens for row in rows),
        sum(row.cost_micros for row in rows),
        sum(row.unpriced_tokens for row in rows),
    )


def _aligned(rows: Sequence[Spent]) -> list[tuple[str, ...]]:
    """Figures of a column end at the same place."""
    columns = [*zip(*(row.cells() for row in rows), strict=True)]
    widths = [max(map(len, column)) for column in columns]
    return [(row.key, *(cell.rjust(width) for cell, width in zip(row.cells()[1:], widths[1:], strict=True))) for row in rows]


async def _usage(tenant: str | None, by: UsageKey) -> Sequence[UsageSum]:
    async with open_records(tenant) as (store, owner):
        return await store.usage(owner.id, by)
