"""The program `baton`: one module a command, loaded when the command is called, so that none waits for what it does not use."""

from api.cli.program import COMMANDS, main

__all__ = ["COMMANDS", "main"]
