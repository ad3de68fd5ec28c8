"""`baton chat`: talks to a flow in the terminal."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import click

from api.cli.console import example, note, run
from api.cli.files import existing_paths, flow_files, read_source
from api.cli.talking.conversing import Conversation
from api.cli.talking.lines import Lines
from api.cli.talking.local import local_partner
from api.cli.talking.partner import Partner
from api.cli.talking.record import Record
from api.cli.talking.remote import remote_partner
from engine.loading import Source
from engine.runtime.clock import SystemClock

_DEFAULT: Final = Path("flows")


@click.command("chat", epilog=example("baton chat order_status --flows flows/"))
@click.argument("intent")
@click.option("--flows", type=existing_paths, metavar="PATH", help="The flow files; the folder flows/ where it is left out.")
@click.option("--server", metavar="URL", help="Talk to a running server instead; needs --key.")
@click.option("--key", metavar="PK", help="The public key for the server.")
@click.option("--text", metavar="TEXT", help="What to begin with; an example of the intent where it is left out.")
@click.option("--locale", metavar="TAG", help="The language to talk in, such as de.")
@click.option(
    "--record", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE", help="Save it as a conversation test."
)
def command(
    *, intent: str, flows: Path | None, server: str | None, key: str | None, text: str | None, locale: str | None, record: Path | None
) -> None:
    """Talk to the flow of an intent: choices are numbered, forms asked field by field, deadlines act while one thinks.

    It ends with the flow, or with the input (Ctrl-D); the input may be a file or a pipe.
    """
    if server is not None:
        if flows is not None or key is None:
            raise click.UsageError("With --server goes --key, and no --flows.")
        partner: AbstractAsyncContextManager[Partner] = remote_partner(server, key, locale)
    elif key is not None:
        raise click.UsageError("--key goes with --server.")
    else:
        partner = local_partner(_sources(flows), locale)
    kept = Record(SystemClock().wall(), locale)
    run(_talk(partner, kept, intent, text, locale))
    if record is not None:
        kept.write(record)
        note(f"Saved as {record}.")


async def _talk(partners: AbstractAsyncContextManager[Partner], record: Record, intent: str, text: str | None, locale: str | None) -> None:
    async with partners as partner:
        await Conversation(partner, Lines(), record, locale).hold(intent, text)


def _sources(flows: Path | None) -> Sequence[Source]:
    if flows is None and not _DEFAULT.is_dir():
        raise click.UsageError("There is no folder flows/ here: name one with --flows.")
    sources = [read_source(path) for path in flow_files([flows or _DEFAULT])]
    if not sources:
        raise click.ClickException(f"There are no flow files in {flows or _DEFAULT}.")
    return sources
