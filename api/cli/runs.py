"""`baton runs`: looks at runs, and ends them."""

from typing import Final, get_args

import click

from api.cli.console import example, json_option, moment, run, write_json, write_table
from api.cli.database import tenant_option
from api.cli.program import Commands
from api.cli.records import open_executor, open_records
from api.cli.runs_shown import Listed, listed, shown, shown_lines, trace_lines
from engine.errors import ExecutionNotFound
from engine.model.run import Status
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, CancelRequest
from engine.runtime.store.port import RunFilter, RunView
from engine.runtime.store.rows import TurnRow
from engine.runtime.traces import shown_trace

_MOST: Final = 1000
_EXAMPLE: Final = "019b8d2c-5a40-7000-8000-000000000001"


@click.group("runs", cls=Commands, epilog=example("baton runs list --open"))
def command() -> None:
    """Look at runs, and end them."""


@command.command("list", epilog=example("baton runs list --intent order_status --open"))
@click.option("--status", type=click.Choice(get_args(Status)), help="Only runs with this status.")
@click.option("--intent", metavar="NAME", help="Only runs that this intent started.")
@click.option("--open", "open_only", is_flag=True, help="Only runs that have not ended.")
@click.option("--limit", type=click.IntRange(1, _MOST), default=20, show_default=True, help="How many at most.")
@tenant_option
@json_option
def list_(status: str | None, intent: str | None, limit: int, tenant: str | None, *, open_only: bool, as_json: bool) -> None:
    """List runs, the newest first."""
    rows = run(_runs(tenant, RunFilter(status=status, intent=intent, open_only=open_only, limit=limit)))
    if as_json:
        write_json(rows)
        return
    write_table(
        ("RUN", "INTENT", "STATUS", "STARTED", "STANDS IN, OR ENDED AS"),
        [(row.id, row.intent, row.status, row.started_at, row.standing()) for row in rows],
    )


@command.command("show", epilog=example(f"baton runs show {_EXAMPLE}"))
@click.argument("run_id", metavar="RUN")
@tenant_option
@json_option
def show(run_id: str, tenant: str | None, *, as_json: bool) -> None:
    """Show where a run stands, or how it ended."""
    told = shown(run(_view(tenant, run_id)))
    if as_json:
        write_json(told)
        return
    for line in shown_lines(told):
        click.echo(line)


@command.command("trace", epilog=example(f"baton runs trace {_EXAMPLE}"))
@click.argument("run_id", metavar="RUN")
@tenant_option
@json_option
def trace(run_id: str, tenant: str | None, *, as_json: bool) -> None:
    """Show every visit of a run, and the edge it was left by."""
    turns = run(_turns(tenant, run_id))
    if as_json:
        write_json([{**visit, "at": moment(visit["at"])} for visit in shown_trace(turns)])
        return
    for line in trace_lines(turns):
        click.echo(line)


@command.command("cancel", epilog=example(f"baton runs cancel {_EXAMPLE}"))
@click.argument("run_id", metavar="RUN")
@tenant_option
@json_option
def cancel(run_id: str, tenant: str | None, *, as_json: bool) -> None:
    """End a run; one that has ended stays as it is.

    A server has its database for itself: while it runs, its API is the way.
    """
    before, now = run(_cancel(tenant, run_id))
    changed = before.turn_id != now.turn_id
    if as_json:
        write_json({"id": run_id, "status": now.status, "end_reason": now.end_reason, "changed": changed})
    else:
        click.echo(f"{run_id} {'is' if changed else 'was already'} {now.status}.")


async def _runs(tenant: str | None, chosen: RunFilter) -> list[Listed]:
    async with open_records(tenant) as (store, owner):
        return [listed(view) for view in await store.runs(owner.id, chosen)]


async def _view(tenant: str | None, run_id: str) -> RunView:
    async with open_records(tenant) as (store, owner):
        view = await store.run(owner.id, run_id)
    if view is None:
        raise _unknown(run_id)
    return view


async def _turns(tenant: str | None, run_id: str) -> list[TurnRow]:
    async with open_records(tenant) as (store, owner):
        turns = [*await store.turns(owner.id, run_id)]
    if not turns:
        raise _unknown(run_id)
    return turns


async def _cancel(tenant: str | None, run_id: str) -> tuple[TurnReply, TurnReply]:
    """The run's newest turn before and after."""
    instead = f"End the run over its API: POST /api/v1/engine/executions/{run_id}/cancel with an API key. Or stop the server first."
    async with open_executor(tenant, instead) as (executor, owner):
        caller = Caller(tenant_id=owner.id, surface="engine")
        try:
            before = await executor.reader.latest(caller, run_id)
            return before, (await executor.cancel(caller, CancelRequest(run_id=run_id))).reply
        except ExecutionNotFound:
            raise _unknown(run_id) from None


def _unknown(run_id: str) -> click.ClickException:
    return click.ClickException(f"There is no run {run_id!r}: `baton runs list` shows those there are.")
