"""`baton prices`: what a tenant's models cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from api.cli.console import counted, example, json_option, moment, note, run, write_json, write_table
from api.cli.database import find_tenant, now, open_database, tenant_option
from api.cli.files import read_source
from api.cli.program import Commands
from engine.model.values import Millis
from engine.runtime.administration import put_prices
from engine.runtime.prices.table import BEGINNING, Listed, listed_price, read_table
from engine.runtime.store.registry import PriceRow

price_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("prices", cls=Commands, epilog=example("baton prices import prices.csv"))
def command() -> None:
    """Show and change what models cost: US dollars per million tokens."""


@command.command("show", epilog=example("baton prices show --json"))
@tenant_option
@json_option
def show(tenant: str | None, *, as_json: bool) -> None:
    """Show the price table, the oldest price of each model first."""
    rows = run(_rows(tenant))
    if as_json:
        write_json([_shown(row) for row in rows])
    else:
        write_table(
            ("MODEL", "INPUT", "OUTPUT", "CACHED INPUT", "EFFECTIVE FROM"),
            [(row.model, row.input, row.output, row.cached_input or "-", _since(row.effective_from)) for row in rows],
        )


command.add_command(
    click.Command("list", params=show.params, callback=show.callback, help="The same as show.", epilog=example("baton prices list"))
)


@command.command("set", epilog=example("baton prices set gpt-4o-mini --input 0.15 --output 0.60 --cached-input 0.075"))
@click.argument("model")
@click.option("--input", "input_", required=True, metavar="PRICE", help="Dollars per million prompt tokens.")
@click.option("--output", required=True, metavar="PRICE", help="Dollars per million completion tokens.")
@click.option("--cached-input", metavar="PRICE", help="Dollars per million cached prompt tokens; the input price where it is left out.")
@click.option("--effective-from", metavar="TIME", help="2026-01-31 or 2026-01-31T09:00:00Z; now where it is left out.")
@tenant_option
def put(model: str, input_: str, output: str, cached_input: str | None, effective_from: str | None, tenant: str | None) -> None:
    """Set what one model costs from a moment on."""
    cells = {"model": model, "input": input_, "output": output, "cached_input": cached_input or "", "effective_from": effective_from or ""}
    price = listed_price(cells, now())
    if isinstance(price, list):
        raise click.UsageError("; ".join(price) + ".")
    run(_put(tenant, [price]))
    click.echo(f"{price.model} costs {price.input} in and {price.output} out from {_since(price.effective_from)} on.")


@command.command("import", epilog=example("baton prices import prices.csv"))
@click.argument("file", type=price_file)
@tenant_option
def import_(file: Path, tenant: str | None) -> None:
    """Take over a table from a CSV or YAML file, all of it or nothing.

    Columns: model, input, output, and maybe cached_input, effective_from, source, note. A price without effective_from has held from
    the beginning; one of the same model and moment replaces the one that is there.
    """
    prices = read_table(read_source(file))
    shadowed = run(_put(tenant, prices))
    click.echo(f"{counted(len(prices), 'price')} imported.")
    for price, newer in shadowed:
        note(f"{price.model}: the price of {moment(newer)} goes on to hold, it is newer than the imported one.")
    note(f"See the table with `baton prices show{f' --tenant {tenant}' if tenant else ''}`.")


def _since(at: Millis) -> str:
    return "the beginning" if at == BEGINNING else moment(at)


def _shown(row: PriceRow) -> dict[str, Any]:
    return {
        "model": row.model,
        "input": row.input,
        "output": row.output,
        "cached_input": row.cached_input,
        "effective_from": moment(row.effective_from),
    }


async def _rows(tenant: str | None) -> list[PriceRow]:
    async with open_database() as registry:
        register = await registry.register()
        owner = find_tenant(register, tenant)
        return sorted((row for row in register.prices if row.tenant_id == owner.id), key=lambda row: (row.model, row.effective_from))


async def _put(tenant: str | None, prices: Sequence[Listed]) -> list[tuple[Listed, int]]:
    """Store the prices; gives those that do not hold now because the table has a newer one, with the moment of that."""
    async with open_database() as registry:
        owner = find_tenant(await registry.register(), tenant)
        at = now()
        await put_prices(registry, owner.id, prices, at)
        rows = [row for row in (await registry.register()).prices if row.tenant_id == owner.id and row.effective_from <= at]
    holding = {row.model: row.effective_from for row in sorted(rows, key=lambda row: row.effective_from)}
    newest = {price.model: price for price in sorted(prices, key=lambda price: price.effective_from)}
    return [(price, holding[model]) for model, price in newest.items() if holding.get(model, 0) > price.effective_from]
