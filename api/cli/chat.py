"""`baton chat`: talks to a flow in the terminal."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

import click
import msgspec

from api.cli.console import example, note, run
from api.cli.files import FLOWS, existing_paths, flow_files, is_test, read_source, written_file
from api.cli.talking.conversing import Conversation
from api.cli.talking.lines import Lines, PipedLines
from api.cli.talking.local import local_partner
from api.cli.talking.partner import Partner
from api.cli.talking.record import Record
from api.cli.talking.remote import remote_partner
from api.cli.talking.terminal import Terminal
from engine.loading import Source
from engine.model.values import Json, Locale
from engine.runtime.clock import SystemClock


def _language(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return msgspec.convert(value, Locale | None)
    except msgspec.ValidationError:
        raise click.BadParameter(f"{value!r} is not a language: write it like en or de-AT.") from None


def _address(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.startswith(("http://", "https://")):
        raise click.BadParameter(f"{value} is no address of a server: write http:// before it.")
    return value


def _new_test(_ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and not is_test(value):
        raise click.BadParameter(f"{value} would be taken for a flow: a conversation test is called NAME.test.yaml.")
    if value is not None and value.is_file():
        raise click.BadParameter(f"{value} is there already: name a file that is not, so that no test is lost.")
    return value


@click.command("chat", epilog=example("baton chat order_status --flows flows/"))
@click.argument("intent")
@click.option("--flows", type=existing_paths, metavar="PATH", help="The flow files; the folder flows/ where it is left out.")
@click.option("--server", metavar="URL", callback=_address, help="Talk to a running server instead; needs --key.")
@click.option("--key", metavar="PK", help="The public key for the server.")
@click.option("--text", metavar="TEXT", help="What to begin with; an example of the intent where it is left out.")
@click.option("--locale", metavar="TAG", callback=_language, help="The language to talk in, such as de.")
@click.option("--context", "given", multiple=True, metavar="NAME=VALUE", help="What the trigger brings along; may be repeated.")
@click.option("--tenant", metavar="NAME", help="Whose connections the flows use; may be left out while there is one tenant.")
@click.option(
    "--record", type=written_file, metavar="FILE", callback=_new_test, help="Save it as a conversation test, in a new file NAME.test.yaml."
)
def command(  # noqa: PLR0913 - an option each
    *,
    intent: str,
    flows: Path | None,
    server: str | None,
    key: str | None,
    text: str | None,
    locale: str | None,
    given: Sequence[str],
    tenant: str | None,
    record: Path | None,
) -> None:
    """Talk to the flow of an intent: choices are numbered, forms asked field by field, reminders and deadlines act while one thinks.

    Requests of the flow are really made, over the connections of the database where there is one, else over that of the sample shop
    (scripts/shop). Those to other addresses that are not public need BATON_ALLOWED_HOSTS_OUTBOUND. Nobody can call back here: flows that
    wait for that are for --server.

    It ends with the flow, or with the input (Ctrl-D). The input may be a file or a pipe; what the flow waits for is waited for then, too.
    """
    if server is not None:
        if flows is not None or tenant is not None or key is None:
            raise click.UsageError("With --server goes --key, and neither --flows nor --tenant.")
        partner: AbstractAsyncContextManager[Partner] = remote_partner(server, key, locale)
    elif key is not None:
        raise click.UsageError("--key goes with --server.")
    else:
        partner = local_partner(_sources(flows), locale, tenant)
    context = dict(map(_entry, given))
    kept = Record(SystemClock().wall(), locale, context)
    try:
        run(_talk(partner, kept, intent, text, context))
    finally:  # whatever ends it, Ctrl-C too: what was said until then is not lost
        if record is not None and kept.begun:
            kept.write(record)
            note(f"Saved as {record}.")


async def _talk(
    partners: AbstractAsyncContextManager[Partner],
    record: Record,
    intent: str,
    text: str | None,
    context: dict[str, Json],
) -> None:
    async with partners as partner:
        with _lines() as lines:
            await Conversation(partner, lines, record).hold(intent, text, context)


@contextmanager
def _lines() -> Iterator[Lines]:
    """The person's lines, from a terminal where both what they type and what they see is one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield PipedLines()
        return
    with Terminal(sys.stdin.fileno()) as terminal:
        yield terminal


def _entry(given: str) -> tuple[str, Json]:
    """A name and its value: JSON where it is, else text."""
    name, equals, written = given.partition("=")
    if not name or not equals:
        raise click.UsageError(f"--context takes NAME=VALUE, not {given!r}.")
    try:
        return name, msgspec.json.decode(written)
    except msgspec.DecodeError:
        return name, written


def _sources(flows: Path | None) -> Sequence[Source]:
    if flows is None and not FLOWS.is_dir():
        raise click.UsageError("There is no folder flows/ here: name one with --flows.")
    sources = [read_source(path) for path in flow_files([flows or FLOWS])]
    if not sources:
        raise click.ClickException(f"There are no flow files in {flows or FLOWS}.")
    return sources
