"""The table of codes is the truth: what the room reports stands in it, and what stands in it is reported."""

import re
from pathlib import Path

import pytest

import engine.loading
from engine.loading import CODES
from engine.loading.lint.failures import CODES_OF_REQUESTS

ROOM = Path(engine.loading.__file__).parent
CODE = re.compile(r'"([a-z]+\.[a-z_]+)"')
PREFIXES = {code.partition(".")[0] for code in CODES}


def codes_used() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROOM.rglob("*.py")) if path.name != "codes.py"]
    return {code for text in texts for code in CODE.findall(text) if code.partition(".")[0] in PREFIXES}


def test_every_code_that_the_room_uses_is_in_the_table_and_the_other_way_round() -> None:
    assert codes_used() == CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_meaning_in_one_sentence(code: str) -> None:
    assert re.fullmatch(r"[`A-Z][^\n]*\.", CODES[code].meaning)


def test_the_failures_that_a_request_may_name_are_those_that_the_program_gives() -> None:
    texts = [path.read_text(encoding="utf-8") for room in ("runtime", "interpreter") for path in (ROOM.parent / room).rglob("*.py")]
    given = {code for text in texts for code in re.findall(r'"((?:http|effect)\.[a-z_]+)"', text)}
    assert {code for code in CODES_OF_REQUESTS if not code.startswith("expression.")} == given


def test_only_what_may_be_published_is_a_warning() -> None:
    warnings = {code for code, entry in CODES.items() if entry.severity == "warning"}
    assert warnings == {
        "node.never",
        "cycle.condition",
        "wait.no_timeout",
        "case.repeated",
        "retry.never",
        "remind.never",
        "timeout.never",
        "error.unhandled",
        "variable.unread",
        "locale.partial",
    }
