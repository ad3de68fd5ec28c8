"""Which intent a person means: by its name, or by something that is said to it."""

from collections.abc import Mapping, Sequence

import click
from msgspec import Struct

from api.cli.console import did_you_mean

Examples = Mapping[str, Sequence[str]]
"""Each intent that can be begun, with what people say to it."""


class Beginning(Struct, frozen=True):
    """An intent, and the text that its flow is begun with."""

    intent: str
    text: str


def beginning(named: str, text: str | None, offered: Examples) -> Beginning:
    """How the intent of that name, or the only one with that example, is begun; a finding where there is none."""
    if named in offered:
        return Beginning(named, text or next(iter(offered[named]), named))
    match _with_example(named, offered):
        case [only]:
            return Beginning(only, text or named)
        case []:
            known = ", ".join(sorted(offered)) or "none"
            raise click.ClickException(f"There is no intent {named!r}; there are: {known}.{did_you_mean(named, offered)}")
        case several:
            raise click.ClickException(f"{named!r} is said to several intents; name one of them: {', '.join(several)}.")


def _with_example(said: str, offered: Examples) -> list[str]:
    folded = _folded(said)
    return sorted(name for name, examples in offered.items() if folded in map(_folded, examples))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
