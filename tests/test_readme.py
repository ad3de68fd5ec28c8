"""The README is held to the code: settings, error codes, commands, and the examples that it shows."""

import re
from pathlib import Path

import pytest

from api.cli import COMMANDS
from api.errors import documented_codes
from api.settings import SETTINGS
from engine.loading import Source, load_flow
from engine.testing.conversations import load_tests, run_tests

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def yaml_examples() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def headings(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_setting_stands_there_with_its_default_and_meaning() -> None:
    written = [[cell.replace("`", "") for cell in row] for row in rows("Settings")]
    assert written == [[setting.name, setting.default, setting.meaning.replace("`", "")] for setting in SETTINGS]


def test_every_command_stands_there_with_its_meaning() -> None:
    assert rows("Commands") == [[f"baton {name}", meaning] for name, meaning in COMMANDS.items()]


def test_every_error_code_stands_there_with_its_status() -> None:
    assert [(int(status), code) for status, code, _ in rows("Error codes")] == documented_codes()
    assert all(meaning for _, _, meaning in rows("Error codes"))


def test_the_flow_of_the_readme_is_sound_and_passes_its_conversation_test() -> None:
    flow_text, test_text = yaml_examples()
    assert len(flow_text.splitlines()) <= 20
    loaded = load_flow(Source("greeting.yaml", flow_text))
    assert loaded.diagnostics == ()
    assert loaded.flow is not None
    tests, problems = load_tests(Source("greeting.test.yaml", test_text))
    assert problems == []
    assert tests is not None
    results = run_tests(tests, {"greeting": loaded.flow})
    assert [result.passed for result in results] == [True, True]


@pytest.mark.parametrize("place", re.findall(r"(?:\]\(|`)((?:flows|engine|api|scripts)/[\w./-]+)", README))
def test_every_file_that_is_named_is_there(place: str) -> None:
    assert (ROOT / place).exists()


PAGES = [ROOT / "README.md", *sorted(ROOT.glob("[!.]*/**/README.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        place = page.parent / target if target else page
        assert place.exists(), target
        assert not heading or heading in headings(place.read_text(encoding="utf-8")), f"{target}#{heading}"
