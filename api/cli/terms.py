"""The options of a new public key, and what may stand in them."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
import msgspec

from engine.model.values import Name

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
_INTENT: Final[str] = msgspec.json.schema(Name)["pattern"]
_ORIGIN: Final = re.compile(r"https?://(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?", re.IGNORECASE)


def term_options(command: CommandT) -> CommandT:
    """Adds the options that say what a public key allows."""
    for option in reversed(
        (
            click.option("--origin", "origins", multiple=True, metavar="URL", callback=_origins, help="A page's origin; may be repeated."),
            click.option("--intent", "intents", multiple=True, metavar="NAME", callback=_intents, help="An intent; all if none is named."),
            click.option("--expose-trace", is_flag=True, help="Show clients where in a flow they are."),
            click.option("--native", is_flag=True, help="For apps: sessions may be opened without an Origin."),
        )
    ):
        command = option(command)
    return command


def _origins(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[str]:
    origins = [value.strip().removesuffix("/") for value in values]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise click.BadParameter(f"{origin!r} is no origin: https://shop.example, https://shop.example:8443 or https://*.shop.example")
    return origins


def _intents(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[str] | None:
    for value in values:
        if not re.fullmatch(_INTENT, value):
            raise click.BadParameter(f"{value!r} is no intent's name: lower-case letters, digits and _, beginning with a letter")
    return [*values] or None
