"""The program itself: its commands by name, and how what goes wrong is told."""

import importlib
import sys
from importlib import metadata
from types import MappingProxyType
from typing import Any, Final

import click

from api.cli.console import did_you_mean, example
from engine.errors import BatonError, SettingsError

COMMANDS: Final = MappingProxyType(
    {
        "init": "create or migrate the database, and make a tenant with its keys",
        "check": "check flows without running them",
        "publish": "publish the flows that have changed",
        "serve": "run the server",
        "chat": "talk to a flow in the terminal",
        "test": "run conversation tests",
        "graph": "draw a flow",
        "schema": "print the JSON Schema of flow files",
        "runs": "look at runs, and end them",
        "prices": "show and change what models cost",
        "usage": "count tokens and what they cost",
        "keys": "list and change public and API keys",
        "connections": "list, set and delete what flows reach others with",
        "webhooks": "tell others of events: their endpoints, and what they were told",
        "doctor": "check settings, database, versions, clock and scheduler",
    }
)
"""Every command with its meaning in one line."""

_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
FINDING: Final = 1
WRONG_USE: Final = 2


class Misuse(click.ClickException):
    """The program was called in a way that cannot work."""

    exit_code = WRONG_USE


class Commands(click.Group):
    """Commands by name; for one that is not there the nearest is told."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; what is no command is wrong use."""
        name = args[0]
        if not (ctx.resilient_parsing or name.startswith("-")) and self.get_command(ctx, name) is None:
            ctx.fail(f"There is no command {name!r}.{did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


class _Program(Commands):
    """Loads a command's module, which has it as `command`, when it is asked for by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - asked for by click
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"api.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise Misuse(str(error)) from error
        except BatonError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            # Whoever read our output has enough; nothing is to be said, and to nobody.
            sys.stderr.close()
            sys.exit(FINDING)
        except OSError as error:
            raise click.ClickException(_trouble(error)) from error


def _trouble(error: OSError) -> str:
    """What the system has against a file, or against where the output goes."""
    reason = error.strerror or str(error)
    return f"{reason}." if error.filename is None else f"{error.filename}: {reason}."


@click.command(cls=_Program, context_settings=_SETTINGS, epilog=example("baton serve --dev"))
@click.version_option(metadata.version("baton-flow"), "--version", prog_name="baton")
def main() -> None:
    """Baton runs conversations: flows in YAML, turns over HTTP, waits that outlive the process."""
