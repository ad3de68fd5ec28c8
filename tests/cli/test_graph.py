"""`baton graph`: a flow drawn, wherever it is kept."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import FLOW, Baton

DRAWN = """\
flowchart TD
    the_start(("start"))
    n_name[/"name<br/>“Who are you?”"/]
    n_bye["bye<br/>“Hello, #123;#123; vars.name #125;#125;.”"]
    n_end((("end")))
    the_start --> n_name
    n_name --> n_bye
    n_bye --> n_end
"""


@pytest.mark.parametrize("named", ["flows/greeting.yaml", "greeting"])
def test_a_flow_is_named_by_its_file_or_by_its_id(named: str, baton: Baton, flows: Path) -> None:
    result = baton("graph", named)
    assert (result.exit_code, result.stdout, result.stderr) == (0, DRAWN, "")


def test_an_svg_is_written_whole(baton: Baton, flows: Path) -> None:
    result = baton("graph", "greeting", "--format", "svg")
    assert result.exit_code == 0
    assert ET.fromstring(result.stdout).get("data-flow") == "greeting"  # noqa: S314 - our own text
    assert result.stdout.endswith("</svg>\n")


def test_another_folder_may_be_named(baton: Baton, flows: Path) -> None:
    flows.rename("elsewhere")
    assert baton("graph", "greeting", "--flows", "elsewhere").stdout == DRAWN
    assert baton("graph", "greeting").exit_code == 1


def test_a_published_flow_needs_no_file(baton: Baton, flows: Path, tenant: dict[str, Any]) -> None:
    assert baton("publish", flows).exit_code == 0
    (flows / "greeting.yaml").unlink()
    assert baton("graph", "greeting").stdout == DRAWN
    assert baton("graph", "greeting", "--tenant", "nobody").exit_code == 1
    assert baton("graph", "farewell").exit_code == 1


def test_for_an_unknown_flow_the_nearest_is_told(baton: Baton, flows: Path) -> None:
    result = baton("graph", "greting")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: There is no flow 'greting'. Did you mean 'greeting'?\n"


@pytest.mark.parametrize("named", ["flows/greeting.yaml", "greeting"])
def test_a_flow_with_an_error_is_not_drawn_and_the_error_told(named: str, baton: Baton, flows: Path) -> None:
    (flows / "greeting.yaml").write_text(FLOW.replace("next: bye", "next: by"))
    result = baton("graph", named)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "flows/greeting.yaml:7:11: error target.unknown" in result.stderr


@pytest.mark.parametrize("named", ["flows", "missing.yaml", "No Flow"])
def test_what_is_neither_a_file_nor_an_id_is_wrong_use(named: str, baton: Baton, flows: Path) -> None:
    result = baton("graph", named)
    assert (result.exit_code, result.stdout) == (2, "")


def test_only_what_can_be_drawn_can_be_asked_for(baton: Baton, flows: Path) -> None:
    assert baton("graph", "greeting", "--format", "png").exit_code == 2
