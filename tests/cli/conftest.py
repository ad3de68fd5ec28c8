"""The program, called as a person calls it: in an empty folder, without settings."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli import main

Baton = Callable[..., Result]

FLOW = """\
flow: greeting
intent: {label: Say hello, examples: [hello there]}
nodes:
  name:
    type: ask
    prompt: Who are you?
    next: bye
  bye: {type: message, text: "Hello, {{ vars.name }}.", next: end}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the program is called in."""
    for name in [name for name in os.environ if name.startswith("BATON_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def baton(folder: Path) -> Baton:
    """Calls the program with these arguments, and what is typed as `input`."""

    def call(*arguments: str | Path, typed: str | None = None) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed, prog_name="baton")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return call


@pytest.fixture
def tenant(baton: Baton) -> dict[str, Any]:
    """A tenant that was just made, as `init --json` tells it."""
    made: dict[str, Any] = json.loads(baton("init", "--json").stdout)
    return made


@pytest.fixture
def flows(folder: Path) -> Path:
    """A folder flows/ with one flow."""
    place = folder / "flows"
    place.mkdir()
    (place / "greeting.yaml").write_text(FLOW)
    return place
