"""What holds for every command."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from api.cli import COMMANDS, main
from tests.cli.conftest import FLOW, Baton
from tests.support.server import environment


def calls(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*above, name)
        if isinstance(command, click.Group):
            yield from calls(command, *above, name)


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "api.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(**settings), capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("call", [*calls(main)], ids=" ".join)
def test_every_command_has_a_help_with_an_example_of_itself(call: tuple[str, ...], baton: Baton) -> None:
    result = baton(*call, "--help")
    assert result.exit_code == 0
    example = result.stdout.partition("Example:\n")[2].strip()
    assert example.startswith(" ".join(("baton", *call)))


def test_the_help_names_every_command_with_its_meaning(baton: Baton) -> None:
    told = baton("--help").stdout
    assert [name for name, meaning in COMMANDS.items() if f"  {name}" not in told or meaning not in told] == []


@pytest.mark.parametrize("group", ["connections", "keys", "prices", "runs", "webhooks"])
def test_no_meaning_is_cut_in_a_narrow_terminal(group: str, baton: Baton) -> None:
    assert "..." not in baton(group, "--help").stdout.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("arguments", "meant"), [(("chatt",), "chat"), (("Publish",), "publish"), (("keys", "lst"), "list"), (("prices", "sow"), "show")]
)
def test_for_an_unknown_command_the_nearest_is_told(arguments: tuple[str, ...], meant: str, baton: Baton) -> None:
    result = baton(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: There is no command {arguments[-1]!r}. Did you mean {meant!r}?\n" in result.stderr


def test_an_unknown_command_like_no_other_gets_no_guess(baton: Baton) -> None:
    assert baton("xyzzy").stderr.endswith("Error: There is no command 'xyzzy'.\n")


@pytest.mark.parametrize(
    "arguments", [("dance",), ("check",), ("serve", "--port", "70000"), ("prices", "set", "gpt"), ("check", "missing.yaml")]
)
def test_wrong_use_exits_with_2_and_says_nothing_on_standard_output(arguments: tuple[str, ...], baton: Baton) -> None:
    result = baton(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


@pytest.mark.parametrize("arguments", [("publish", "."), ("prices", "show"), ("keys", "list"), ("usage",), ("runs", "cancel", "a")])
def test_a_database_that_is_not_there_is_a_finding_and_is_not_made(arguments: tuple[str, ...], baton: Baton, folder: Path) -> None:
    (folder / "greeting.yaml").write_text(FLOW)
    result = baton(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "baton init" in result.stderr
    assert not (folder / "baton.db").exists()


def test_a_wrong_setting_is_one_clear_line_and_exit_2(tmp_path: Path) -> None:
    result = run(tmp_path, "serve", "--dev", BATON_RATE_LIMIT_SESSIONS="many")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: BATON_RATE_LIMIT_SESSIONS")


def test_results_go_to_standard_output_and_the_rest_to_standard_error(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("flow: bad\nnodes: {a: {type: message, next: end}}\n")
    result = run(tmp_path, "check", "bad.yaml")
    assert result.returncode == 1
    assert result.stdout == "bad.yaml:2:9: error key.missing the key `text` is missing\n"
    assert result.stderr == "1 flow checked: 1 error, 0 warnings.\n"


def test_help_and_check_do_not_wait_for_the_web_framework_or_the_database(tmp_path: Path) -> None:
    (tmp_path / "greeting.yaml").write_text(FLOW)
    script = """
import sys
from api.cli import main
for arguments in (["--help"], ["check", "greeting.yaml"], ["schema"]):
    try:
        main(arguments)
    except SystemExit as end:
        assert not end.code, end.code
print(sorted({"litestar", "sqlalchemy", "sqlmodel", "uvicorn", "httpx"} & sys.modules.keys()), file=sys.stderr)
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True, timeout=120)
    assert result.stderr.splitlines()[-1] == "[]"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [("schema",), ("test", "flows"), ("graph", "greeting")], ids=" ".join)
def test_output_that_cannot_be_written_is_one_line_and_a_finding(arguments: tuple[str, ...], flows: Path) -> None:
    (flows / "greeting.test.yaml").write_text("flow: greeting\ntests: [{name: a, steps: [{trigger: hello}, {bot: Who are you?}]}]\n")
    command = [sys.executable, "-m", "api.cli", *arguments]
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment(), text=True, check=False, timeout=120)
    assert (result.returncode, result.stderr) == (1, "Error: No space left on device.\n")


@pytest.mark.parametrize("arguments", [("test", "flows", "--junit"), ("chat", "greeting", "--record")], ids=" ".join)
def test_a_file_that_cannot_be_written_is_told_before_anything_is_done(arguments: tuple[str, ...], baton: Baton, flows: Path) -> None:
    (flows / "greeting.test.yaml").write_text("flow: greeting\ntests: [{name: a, steps: [{trigger: hello}, {bot: Who are you?}]}]\n")
    result = baton(*arguments, "nowhere/made.xml", typed="Ada\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no folder 'nowhere'." in result.stderr
