"""What is taken and refused when an answer comes as typed values."""

from typing import Any

import pytest

from engine.errors import AnswerRefused
from engine.interpreter.answers import raw_answer, read_answer
from engine.model.inputs import Expectation, InputType, Question, ShownOption, Validation
from engine.model.problems import Problem

FILE = {"file_id": "f1", "url": "https://x.example/f1", "name": "a.pdf", "mime": "application/pdf", "size": 3}
MENU = (ShownOption("a", "Apple"), ShownOption("b", "Bread"), ShownOption(1, "One"), ShownOption(value=False, label="None of them"))


def form(*questions: Question) -> Expectation:
    return Expectation(kind="form", node="n", questions=questions)


def one(kind: InputType, **keys: Any) -> Expectation:
    return form(Question(name="x", type=kind, **({"required": True} | keys)))


def read(expectation: Expectation, values: dict[str, Any], locale: str = "en") -> dict[str, Any]:
    return read_answer(expectation, values=values, text=None, locale=locale)


def refused(expectation: Expectation, values: dict[str, Any], locale: str = "en") -> list[Problem]:
    with pytest.raises(AnswerRefused) as caught:
        read(expectation, values, locale)
    return caught.value.problems


def codes(expectation: Expectation, value: Any) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in refused(expectation, {"x": value})]


@pytest.mark.parametrize(
    ("kind", "value", "saved"),
    [
        ("text", " as typed ", " as typed "),
        ("textarea", "two\nlines", "two\nlines"),
        ("email", "jo.do+x@mail.example.com", "jo.do+x@mail.example.com"),
        ("tel", "+49 (30) 123-456", "+49 (30) 123-456"),
        ("url", "https://example.com:8080/a?b=c#d", "https://example.com:8080/a?b=c#d"),
        ("url", "http://localhost", "http://localhost"),
        ("url", "https://de.wikipedia.org/wiki/Köln", "https://de.wikipedia.org/wiki/Köln"),
        ("date", "2024-02-29", "2024-02-29"),
        ("time", "23:59", "23:59"),
        ("time", "23:59:59", "23:59:59"),
        ("datetime", "2026-01-05T14:30", "2026-01-05T14:30"),
        ("datetime", "2026-01-05T14:30:00.123456789+02:00", "2026-01-05T14:30:00.123456789+02:00"),
        ("number", 0, 0),
        ("number", 1.5, 1.5),
        ("integer", 3.0, 3),
        ("rating", 5, 5),
        ("boolean", False, False),
        ("checkbox", True, True),
        ("file_upload", FILE, FILE),
        ("signature", FILE, FILE),
    ],
)
def test_a_value_of_its_type_is_saved(kind: InputType, value: Any, saved: Any) -> None:
    found = read(one(kind), {"x": value})["x"]
    assert (found, type(found)) == (saved, type(saved))


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("text", 5, "type"),
        ("text", "half \ud800", "characters"),
        ("text", "nul \0", "characters"),
        ("email", "jo@example", "email"),
        ("email", "jo@@example.com", "email"),
        ("email", "j" * 65 + "@example.com", "email"),
        ("email", "jo@example.com\n", "email"),
        ("tel", "1234", "tel"),
        ("tel", "1" * 16, "tel"),
        ("tel", "call me 12345", "tel"),
        ("url", "ftp://example.com", "url"),
        ("url", "https://", "url"),
        ("url", "javascript:alert(1)", "url"),
        ("url", "https://shop.example@evil.example", "url"),
        ("url", "https://example.com/a b", "url"),
        ("date", "2026-02-29", "date"),
        ("date", "2026-1-5", "date"),
        ("date", "0000-01-01", "date"),
        ("time", "24:00", "time"),
        ("time", "9:00", "time"),
        ("datetime", "2026-01-05", "datetime"),
        ("datetime", "2026-02-30T10:00", "datetime"),
        ("number", "5", "type"),
        ("number", True, "type"),
        ("number", float("inf"), "type"),
        ("number", 2**63, "too_large"),
        ("number", 1e36, "too_large"),
        ("integer", 3.5, "type"),
        ("integer", 1e300, "too_large"),
        ("rating", 0, "min"),
        ("rating", 6, "max"),
        ("boolean", 1, "type"),
        ("checkbox", "true", "type"),
        ("multi_select", "a", "type"),
        ("file_upload", {**FILE, "path": "/etc"}, "file"),
        ("file_upload", {**FILE, "size": -1}, "file"),
        ("file_upload", {**FILE, "size": True}, "file"),
        ("file_upload", "f1", "file"),
        ("select", "a", "option"),
    ],
)
def test_any_other_value_is_refused(kind: InputType, value: Any, code: str) -> None:
    assert codes(one(kind), value) == [("/values/x", code)]


@pytest.mark.parametrize(
    ("kind", "rules", "good", "bad", "code"),
    [
        ("text", Validation(min_length=2), "ab", "a", "min_length"),
        ("text", Validation(max_length=2), "😀😀", "😀😀😀", "max_length"),
        ("text", Validation(word_min=2), "two words", "one", "word_min"),
        ("text", Validation(word_max=1), "one", "two words", "word_max"),
        ("text", Validation(pattern="[A-Z]-[0-9]+"), "A-12", "see A-12", "pattern"),
        ("text", Validation(pattern="a|b"), "b", "ab", "pattern"),
        ("number", Validation(min=0), 0, -1, "min"),
        ("number", Validation(max=0), 0, 0.5, "max"),
        ("number", Validation(step=0.1), 1.1, 1.15, "step"),
        ("number", Validation(min=0.5, step=2), 4.5, 4, "step"),
        ("number", Validation(integer=True), 3.0, 3.5, "integer"),
        ("rating", Validation(max=10), 10, 11, "max"),
        ("email", Validation(email_allow_domains=["Acme.com"]), "jo@ACME.com", "jo@mail.acme.com", "email_allow_domains"),
        ("url", Validation(url_https_only=True), "HTTPS://x.example", "http://x.example", "url_https_only"),
        ("url", Validation(url_allow_domains=["acme.com"]), "https://shop.acme.com:1/x", "https://notacme.com", "url_allow_domains"),
        ("url", Validation(url_allow_domains=["acme.com"]), "https://acme.com./", "https://x.example/?acme.com", "url_allow_domains"),
        ("date", Validation(date_min="2026-01-05"), "2026-01-05", "2026-01-04", "date_min"),
        ("date", Validation(date_max="2026-01-05T10:00:00Z"), "2026-01-05", "2026-01-06", "date_max"),
        ("date", Validation(date_no_weekends=True), "2026-01-05", "2026-01-04", "date_no_weekends"),
        ("time", Validation(date_min="09:00"), "09:00:00", "08:59", "date_min"),
        ("datetime", Validation(date_max="2026-01-05"), "2026-01-05T23:59", "2026-01-06T00:00", "date_max"),
        (
            "datetime",
            Validation(date_min="2026-01-05T12:00:00+02:00"),
            "2026-01-05T10:00:00Z",
            "2026-01-05T11:59:59+02:00",
            "date_min",
        ),
        ("datetime", Validation(date_min="18:00"), "2026-01-05T18:00", "2026-01-05T17:59", "date_min"),
        ("checkbox", Validation(must_accept=True), True, False, "must_accept"),
    ],
)
def test_a_rule_holds_up_to_its_bound(kind: InputType, rules: Validation, good: Any, bad: Any, code: str) -> None:
    expectation = one(kind, validation=rules)
    assert read(expectation, {"x": good}) == {"x": good}
    assert codes(expectation, bad) == [("/values/x", code)]


def test_a_pattern_takes_no_longer_than_the_text_is() -> None:
    assert codes(one("text", validation=Validation(pattern="(a|a?)+b")), "a" * 4000) == [("/values/x", "pattern")]


def test_a_choice_is_one_of_the_values_whatever_the_input_type() -> None:
    for kind in ("select", "radio", "text", "number"):
        expectation = one(kind, options=MENU)
        assert read(expectation, {"x": "b"}) == {"x": "b"}
        assert codes(expectation, "Bread") == [("/values/x", "option")]


def test_true_is_not_one() -> None:
    expectation = one("select", options=MENU)
    assert read(expectation, {"x": 1.0})["x"] == 1
    assert read(expectation, {"x": False})["x"] is False
    assert codes(expectation, True) == [("/values/x", "option")]
    assert codes(expectation, 0) == [("/values/x", "option")]


def test_several_choices_are_saved_in_menu_order() -> None:
    assert read(one("multi_select", options=MENU), {"x": [1, "b", "a"]}) == {"x": ["a", "b", 1]}


def test_each_wrong_choice_of_several_is_named() -> None:
    expectation = one("multi_select", options=MENU, validation=Validation(select_max=2))
    assert codes(expectation, ["a", "z", "a"]) == [("/values/x/1", "option"), ("/values/x/2", "unique"), ("/values/x", "select_max")]


def test_choosing_none_of_several_is_no_answer_unless_the_bound_is_zero() -> None:
    assert codes(one("multi_select", options=MENU), []) == [("/values/x", "required")]
    assert codes(one("file_upload", multiple=True), []) == [("/values/x", "required")]
    assert codes(one("multi_select", options=MENU, validation=Validation(select_min=2)), ["a"]) == [("/values/x", "select_min")]
    assert read(one("multi_select", options=MENU, validation=Validation(select_min=0)), {"x": []}) == {"x": []}
    assert read(one("multi_select", options=MENU, required=False), {"x": []}) == {"x": []}
    assert read(one("file_upload", multiple=True, required=False), {"x": []}) == {"x": []}


def test_several_files_are_counted_and_judged_one_by_one() -> None:
    expectation = one("file_upload", multiple=True, validation=Validation(file_max=1))
    assert read(expectation, {"x": [FILE]}) == {"x": [FILE]}
    assert codes(expectation, [FILE, {}]) == [("/values/x/1", "file"), ("/values/x", "file_max")]
    assert codes(expectation, FILE) == [("/values/x", "type")]


@pytest.mark.parametrize("given", [{}, {"x": None}, {"x": ""}, {"x": " \u00a0\n"}])
def test_a_blank_is_no_answer(given: dict[str, Any]) -> None:
    for kind in ("text", "email", "number", "select", "date", "file_upload"):
        assert read(one(kind, required=False), given) == {"x": None}
        assert read(one(kind, required=False, default="d"), given) == {"x": "d"}
        assert [problem.code for problem in refused(one(kind), given)] == ["required"]


def test_a_default_answers_a_required_question() -> None:
    assert read(one("text", default="d"), {}) == {"x": "d"}


def test_what_must_be_accepted_cannot_be_left_out() -> None:
    assert codes(one("checkbox", required=False, validation=Validation(must_accept=True)), None) == [("/values/x", "must_accept")]


def test_every_question_that_collects_has_a_value() -> None:
    expectation = form(
        Question(name="", type="heading", label="Address"),
        Question(name="street", type="text", required=True),
        Question(name="floor", type="integer"),
        Question(name="country", type="text", default="DE"),
    )
    assert read(expectation, {"street": "Weg 1"}) == {"street": "Weg 1", "floor": None, "country": "DE"}


def test_all_problems_come_at_once_and_cost_an_attempt() -> None:
    expectation = form(
        Question(name="a", type="text", required=True), Question(name="b", type="email", validation=Validation(min_length=20, max_length=1))
    )
    with pytest.raises(AnswerRefused) as caught:
        read(expectation, {"b": "x", "c/~": 1})
    assert [(problem.field, problem.code) for problem in caught.value.problems] == [
        ("/values/a", "required"),
        ("/values/b", "email"),
        ("/values/b", "min_length"),
        ("/values/c~1~0", "unknown"),
    ]
    assert not caught.value.counts


def test_unknown_names_alone_cost_nothing() -> None:
    with pytest.raises(AnswerRefused) as caught:
        read(one("text"), {"x": "a", "y": 1})
    assert not caught.value.counts
    assert [problem.field for problem in caught.value.problems] == ["/values/y"]


def test_the_words_are_the_authors_else_those_of_the_language() -> None:
    written = one("text", validation=Validation(max_length=1, min_length=1, messages={"max_length": "Too long!"}))
    assert refused(written, {"x": "ab"})[0].message == "Too long!"
    plain = one("text", validation=Validation(max_length=1.0))
    assert refused(plain, {"x": "ab"})[0].message == "Enter at most 1 characters."
    assert refused(plain, {"x": "ab"}, "de-AT")[0].message == "Bitte geben Sie höchstens 1 Zeichen ein."
    assert refused(plain, {"x": "ab"}, "xx")[0].message == refused(plain, {"x": "ab"}, "den-CA")[0].message == "Enter at most 1 characters."
    allowed = one("email", validation=Validation(email_allow_domains=["a.example", "b.example"]))
    assert refused(allowed, {"x": "jo@c.example"})[0].message == "The address must belong to a.example, b.example."
    assert refused(one("number", validation=Validation(min=0.00005)), {"x": 0})[0].message == "This must be at least 0.00005."


def test_what_is_kept_of_a_wrong_answer() -> None:
    assert raw_answer(None, "what?") == "what?"
    assert raw_answer({"x": 5}, None) == 5
    assert raw_answer({"x": 5, "y": 6}, None) == {"x": 5, "y": 6}
    assert raw_answer({"x": 5}, None, form=True) == {"x": 5}
