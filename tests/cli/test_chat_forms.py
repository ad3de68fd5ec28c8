"""Forms in `baton chat`: what is wrong is said at the field, and nothing has to be typed twice."""

from pathlib import Path
from typing import Any

import pytest

from api.cli.talking.fields import Typed, typed, typed_text
from api.cli.talking.partner import field_of
from tests.cli.conftest import Baton

RETURN = """\
flow: return
intent: {}
nodes:
  details:
    type: form
    title: Your return
    fields:
      - {name: bought, type: date, label: When did you buy it?, required: true}
      - {name: hour, type: time, label: At what time?}
      - {name: note, type: text, label: A note, validation: {max_length: 5, messages: {max_length: Shorter!}}}
      - {name: terms, type: checkbox, label: The terms, default: true}
    next: bye
  bye: {type: message, text: "Bye {{ vars.bought }} {{ vars.hour }} {{ vars.note }}.", next: end}
"""
TWICE = "  (the same once more sends it as it is)\n"


@pytest.fixture
def form(flows: Path) -> Path:
    (flows / "return.yaml").write_text(RETURN)
    return flows


def test_a_field_tells_how_its_type_is_typed(baton: Baton, form: Path) -> None:
    told = baton("chat", "return", typed="2026-01-02\n14:30\n\n\n").stdout
    assert "When did you buy it?* (2026-01-31): 2026-01-02\nAt what time? (14:30): 14:30\n" in told
    assert "The terms (yes/no; empty: yes): \n" in told
    assert told.endswith("Bye 2026-01-02 14:30 .\n  (completed)\n")


def test_a_field_says_at_once_why_it_is_wrong_in_the_authors_words_if_there_are_some(baton: Baton, form: Path) -> None:
    told = baton("chat", "return", typed="yesterday\n\n2026-01-02\n\nmuch too long\nshort\n\n").stdout
    assert f": yesterday\n  ! Enter a date such as 2026-01-31.\n{TWICE}When did you buy it?*" in told
    assert ": \n  ! Please give an answer.\nWhen did" in told
    assert ": much too long\n  ! Shorter!\nA note: short\n" in told


def test_what_the_flow_refuses_is_told_by_label_and_asked_again_with_what_was_typed(baton: Baton, form: Path) -> None:
    told = baton("chat", "return", typed="soon\nsoon\n\nmuch too long\nmuch too long\n\n2026-01-02\n-\n").stdout
    refused = told.partition("The terms")[2]
    assert "  ! When did you buy it?: Enter a date such as 2026-01-31.\n  ! A note: Shorter!\n" in refused
    assert "When did you buy it?* (2026-01-31; empty: soon): 2026-01-02\nA note (empty: much too long; -: none): -\nBye" in refused


@pytest.mark.parametrize(("bought", "end"), [("", "Lost."), ("2026-01-02", "Bye 2026-01-02 09:30 hello.")])
def test_a_form_that_counts_attempts_is_asked_again_with_all_that_was_typed(bought: str, end: str, baton: Baton, form: Path) -> None:
    counted = RETURN.replace("next: bye", "attempts: 2\n    retry: Once more.\n    on_exhausted: lost\n    next: bye", 1)
    (form / "return.yaml").write_text(f"{counted}  lost: {{type: message, text: Lost., next: end}}\n")
    again = f"{bought}\n" * (1 if bought else 2)
    told = baton("chat", "return", typed=f"soon\nsoon\n09:30\nhello\nno\n{again}\n\n\n").stdout.partition("Once more.")[2]
    assert "(2026-01-31; empty: soon): " in told
    assert "At what time? (14:30; empty: 09:30; -: none): \nA note (empty: hello; -: none): \n" in told
    assert told.endswith(f"{end}\n  (completed)\n")


@pytest.mark.parametrize("locale", ["en", "de-AT", "fr", "ja", "ar-EG", "xx"])
@pytest.mark.parametrize(
    ("kind", "value"),
    [("checkbox", True), ("boolean", False), ("number", 2.5), ("multi_select", ["mo", "tu"]), ("select", True), ("date", "2026-01-31")],
)
def test_what_is_offered_can_be_typed(kind: str, value: Any, locale: str) -> None:
    options = [{"value": day, "label": str(day).upper()} for day in ("mo", "tu", 1, True)] if "select" in kind else []
    field = {"name": "f", "type": kind, "options": options}
    assert typed(field, typed_text(value, options, locale), locale) == Typed(value)


def test_what_is_not_known_here_of_a_field_is_left_to_the_flow() -> None:
    assert typed({"name": "n", "type": "integer", "validation": {"of_tomorrow": 1}}, "7", "en") == Typed(7)
    assert typed({"name": "n", "type": "hologram"}, "x", "en") == Typed("x")
    assert typed({"name": "n", "type": "hologram"}, " ", "en") == Typed(None)


TALL = """\
flow: tall
locale: de
intent: {}
nodes:
  about:
    type: form
    title: Über Sie
    fields:
      - {name: born, type: date, label: Geboren, required: true}
      - {name: tall, type: number, label: Größe, default: 1.5}
      - {name: up, type: time, label: Wach ab}
      - {name: news, type: boolean, label: Neues?}
    next: bye
  bye: {type: message, text: "{{ vars.born }} {{ vars.tall }} {{ vars.up }} {{ vars.news }}", next: end}
"""


def test_a_field_is_read_as_a_question_would_be_in_the_language_of_the_run(baton: Baton, flows: Path) -> None:
    (flows / "tall.yaml").write_text(TALL)
    told = baton("chat", "tall", typed="morgen\n1.2.2026\n2.5\n2,5\n14.30\nyes\nja\n").stdout
    assert [line for line in told.splitlines() if not line.startswith("  (the same")] == [
        "Über Sie",
        "--------",
        "Geboren* (2026-01-31): morgen",
        "  ! Bitte geben Sie ein Datum wie 31.1.2026 ein.",
        "Geboren* (2026-01-31): 1.2.2026",
        "Größe (empty: 1,5): 2.5",
        "  ! Bitte geben Sie eine Zahl ein.",
        "Größe (empty: 1,5): 2,5",
        "Wach ab (14:30): 14.30",
        "Neues? (ja/nein): yes",
        "  ! Bitte antworten Sie mit Ja oder Nein.",
        "Neues? (ja/nein): ja",
        "2026-02-01 2.5 14:30 true",
        "  (completed)",
    ]


@pytest.mark.parametrize(
    ("pointer", "name"), [("/values/days", "days"), ("/values/days/0", "days"), ("/values/a~1b~0", "a/b~"), ("/text", None)]
)
def test_a_place_in_the_answer_belongs_to_its_field(pointer: str, name: str | None) -> None:
    assert field_of(pointer) == name
