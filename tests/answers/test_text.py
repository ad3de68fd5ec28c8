"""What free text means as an answer."""

from typing import Any

import pytest
from babel.localedata import locale_identifiers

from engine.errors import AnswerRefused
from engine.expressions import Budget, Scope, compile_expression
from engine.interpreter.answers import option_key, read_answer
from engine.model.inputs import Expectation, InputType, Question, ShownOption, Validation

MENU = (
    ShownOption("track", "Track my order"),
    ShownOption("2", "Leave"),
    ShownOption(10, "Ten, or more"),
    ShownOption("bb", "Bread and butter"),
    ShownOption("ja", "Straße"),
)


def one(kind: InputType, **keys: Any) -> Expectation:
    return Expectation(kind="text", node="n", questions=(Question(name="x", type=kind, **({"required": True} | keys)),))


def hear(expectation: Expectation, text: str, locale: str = "en") -> Any:
    return read_answer(expectation, values=None, text=text, locale=locale)["x"]


def codes(expectation: Expectation, text: str, locale: str = "en") -> list[tuple[str, str]]:
    with pytest.raises(AnswerRefused) as caught:
        hear(expectation, text, locale)
    assert caught.value.counts
    return [(problem.field, problem.code) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("track", "track"),
        ("  TRACK! ", "track"),
        ("track my order...", "track"),
        ("ｔｒａｃｋ", "track"),
        ("2", "2"),
        ("1", "track"),
        ("3.", 10),
        ("10", 10),
        ("ten, or more", 10),
        ("STRASSE", "ja"),
        ("bread and butter?", "bb"),
    ],
)
def test_an_option_is_found_by_value_then_label_then_number(text: str, value: Any) -> None:
    assert hear(one("select", options=MENU), text) == value
    assert hear(one("text", options=MENU), text) == value


@pytest.mark.parametrize("text", ["track order", "0", "6", "1 2", "I want to track my order"])
def test_the_whole_text_must_be_an_option(text: str) -> None:
    assert codes(one("select", options=MENU), text) == [("/text", "option")]


@pytest.mark.parametrize(
    ("text", "locale", "values"),
    [
        ("track", "en", ["track"]),
        ("leave, track", "en", ["track", "2"]),
        ("leave and track", "en", ["track", "2"]),
        ("Leave, 10, and Track my order.", "en", ["track", "2", 10]),
        ("bread and butter and track", "en", ["track", "bb"]),
        ("track, bread and butter, ten, or more", "en", ["track", 10, "bb"]),
        ("leave und track", "de", ["track", "2"]),
        ("leave et track", "fr", ["track", "2"]),
        ("leave y track", "es", ["track", "2"]),
        ("leave e track", "es-MX", ["track", "2"]),
        ("leave e track", "it", ["track", "2"]),
        ("leave en track", "nl", ["track", "2"]),
        ("leave e track", "pt-BR", ["track", "2"]),
        ("leave i track", "pl", ["track", "2"]),
        ("leave和track", "zh", ["track", "2"]),
        ("1,1, 2", "en", ["track", "2"]),
    ],
)
def test_a_list_is_read_in_any_order_and_saved_in_menu_order(text: str, locale: str, values: list[Any]) -> None:
    assert hear(one("multi_select", options=MENU), text, locale) == values


@pytest.mark.parametrize(("text", "locale"), [("leave und track", "en"), ("track, cheese", "en"), (",", "en"), ("bread, butter", "en")])
def test_a_list_with_anything_else_in_it_is_refused(text: str, locale: str) -> None:
    assert codes(one("multi_select", options=MENU), text, locale) == [("/text", "option")]


def test_counts_of_a_list_hold_for_text_too() -> None:
    assert codes(one("multi_select", options=MENU, validation=Validation(select_min=2)), "track") == [("/text", "select_min")]


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("Yes!", "en", True),
        ("nope", "en-GB", False),
        ("JA.", "de-AT", True),
        ("nein", "de", False),
        ("D’accord", "fr", True),
        ("¡Sí!", "es", True),
        ("no", "it", False),
        ("nee", "nl", False),
        ("NÃO", "pt", False),
        ("tak", "pl", True),
        ("hayır", "tr", False),
        ("はい", "ja", True),
        ("yes", "xx", True),
    ],
)
def test_yes_and_no_are_words_of_the_language(text: str, locale: str, value: bool) -> None:
    assert hear(one("boolean"), text, locale) is value
    assert hear(one("checkbox"), text, locale) is value


@pytest.mark.parametrize(
    ("locale", "message"),
    [
        ("en", "Answer yes or no."),
        ("de-AT", "Bitte antworten Sie mit Ja oder Nein."),
        ("fr", "Answer oui or non."),
        ("nn-NO", "Answer ja or nei."),
        ("xx", "Answer yes or no."),
    ],
)
@pytest.mark.parametrize("kind", ["boolean", "checkbox"])
def test_a_refusal_names_the_words_that_are_taken(kind: InputType, locale: str, message: str) -> None:
    with pytest.raises(AnswerRefused) as caught:
        hear(one(kind), "perhaps", locale)
    assert [problem.message for problem in caught.value.problems] == [message]


def test_words_of_another_language_are_no_answer() -> None:
    assert codes(one("boolean"), "oui", "en") == [("/text", "type")]
    assert codes(one("checkbox", validation=Validation(must_accept=True)), "no") == [("/text", "must_accept")]


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("42", "en", 42),
        (" 42. ", "en", 42),
        ("-7", "de", -7),
        ("−7", "de", -7),
        ("1,234.5", "en", 1234.5),
        ("1.234,5", "de", 1234.5),
        ("1234,5", "de", 1234.5),
        ("1 234,5", "fr", 1234.5),
        ("1\u202f234,5", "fr", 1234.5),
        ("1’234.5", "de-CH", 1234.5),
        ("1'234.5", "de-CH", 1234.5),
        ("12,34,567", "en-IN", 1234567),
        (".5", "en", 0.5),
        ("٣٫٥", "ar-EG", 3.5),
        ("\u061c-١٬٢٣٤٫٥", "ar-EG", -1234.5),
        ("1,234.5", "ar-EG", 1234.5),
        ("\u200e-1,234.5", "ar-EG", -1234.5),
        ("3٫5", "ar-EG", 3.5),
        ("۱٬۲۳۴٫۵", "fa", 1234.5),
        ("1.234,5", "ps", 1234.5),
        ("१,२३४.५", "mr", 1234.5),
        ("1.5", "nonsense", 1.5),
        ("4²", "en", 42),
    ],
)
def test_a_number_is_written_as_the_locale_writes_it(text: str, locale: str, value: float) -> None:
    assert hear(one("number"), text, locale) == value


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("1.5", "de"),
        ("12,34", "en"),
        ("1,2,3", "en"),
        ("1e5", "en"),
        ("١,٢٣٤", "ar-EG"),
        ("1,5", "ar-EG"),
        ("NaN", "en"),
        ("inf", "en"),
        ("0x10", "en"),
        ("5 kg", "en"),
        ("1 2", "en"),
        ("+", "en"),
    ],
)
def test_an_ambiguous_number_is_refused(text: str, locale: str) -> None:
    assert codes(one("number"), text, locale) == [("/text", "type")]


def test_what_the_filter_number_prints_is_read_back_in_every_language() -> None:
    printed = compile_expression("vars.n | number")
    for locale in sorted(locale_identifiers()):
        for number in (-1234567.5, 1234):
            scope = Scope({"vars": {"n": number}}, Budget(), locale=locale, timezone="UTC")
            assert (locale, hear(one("number"), str(printed.value(scope)), locale)) == (locale, number)


def test_integers_and_ratings_are_whole() -> None:
    assert hear(one("integer"), "3,0", "de") == 3
    assert codes(one("integer"), "3.5") == [("/text", "type")]
    assert hear(one("rating"), "4") == 4
    assert codes(one("rating"), "9") == [("/text", "max")]


@pytest.mark.parametrize(
    ("text", "locale", "day"),
    [
        ("2026-01-05", "en", "2026-01-05"),
        ("5.1.2026", "de", "2026-01-05"),
        ("5. 1. 2026", "de", "2026-01-05"),
        ("05/01/2026", "en-GB", "2026-01-05"),
        ("5/1/2026", "en", "2026-01-05"),
        ("5/1/2026", "en-US", "2026-05-01"),
        ("5/1/2026", "en_us", "2026-05-01"),
        ("5.1.2026", "en-US", "2026-01-05"),
    ],
)
def test_a_date_is_read_day_first_save_in_american_english(text: str, locale: str, day: str) -> None:
    assert hear(one("date"), text, locale) == day


@pytest.mark.parametrize("text", ["5.1.26", "31/2/2026", "13/13/2026", "2026-02-30", "2026/01/05", "5-1-2026", "tomorrow", "5.1.0000"])
def test_a_date_that_is_short_or_none_is_refused(text: str) -> None:
    assert codes(one("date"), text) == [("/text", "date")]


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("14:30", "14:30"),
        ("9:05", "09:05"),
        ("14.30", "14:30"),
        ("14:30:15", "14:30:15"),
        ("2:30 pm", "14:30"),
        ("2:30PM", "14:30"),
        ("2 pm", "14:00"),
        ("2 p.m.", "14:00"),
        ("12 am", "00:00"),
        ("12:15 pm", "12:15"),
    ],
)
def test_a_time_is_read_by_the_clock_or_half_day(text: str, clock: str) -> None:
    assert hear(one("time"), text) == clock


@pytest.mark.parametrize("text", ["24:00", "14", "13 pm", "0:30 am", "14:60", "noon"])
def test_a_time_that_no_clock_shows_is_refused(text: str) -> None:
    assert codes(one("time"), text) == [("/text", "time")]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-01-05T14:30", "2026-01-05T14:30"),
        ("2026-01-05 14:30", "2026-01-05T14:30"),
        ("5.1.2026, 14.30", "2026-01-05T14:30"),
        ("5. 1. 2026 2 pm", "2026-01-05T14:00"),
        ("2026-01-05T14:30:00+02:00", "2026-01-05T14:30:00+02:00"),
        ("2026-01-05t14:30:00z", "2026-01-05T14:30:00Z"),
    ],
)
def test_a_date_and_a_time_make_a_date_time(text: str, when: str) -> None:
    assert hear(one("datetime"), text, "de") == when


def test_a_date_alone_is_no_date_time() -> None:
    assert codes(one("datetime"), "5.1.2026") == [("/text", "datetime")]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "  Is it {{ 7*7 }}?  ", "Is it {{ 7*7 }}?"),
        ("textarea", "a\nb.", "a\nb."),
        ("email", "<jo@example.com>.", "jo@example.com"),
        ("url", " https://example.com/x. ", "https://example.com/x"),
        ("tel", "+49 30 123456,", "+49 30 123456"),
    ],
)
def test_text_is_kept_as_typed_and_addresses_are_freed(kind: InputType, text: str, value: str) -> None:
    assert hear(one(kind), text) == value


def test_all_rules_hold_for_text_and_point_at_it() -> None:
    rules = Validation(min_length=50, email_allow_domains=["acme.com"])
    assert codes(one("email", validation=rules), "jo@example.com") == [("/text", "email_allow_domains"), ("/text", "min_length")]


def test_blank_text_is_no_answer() -> None:
    assert codes(one("text"), " \n") == [("/text", "required")]
    assert hear(one("number", required=False, default=3), "  ") == 3
    assert hear(one("date", required=False), "") is None


@pytest.mark.parametrize(
    "questions",
    [
        (),
        (Question(name="x", type="text"), Question(name="y", type="text")),
        (Question(name="x", type="file_upload"),),
        (Question(name="x", type="signature", required=True),),
    ],
)
def test_text_where_it_cannot_be_an_answer_costs_nothing(questions: tuple[Question, ...]) -> None:
    with pytest.raises(AnswerRefused) as caught:
        hear(Expectation(kind="form", node="n", questions=questions), "hello")
    assert [(problem.field, problem.code) for problem in caught.value.problems] == [("/text", "text.not_accepted")]
    assert not caught.value.counts


def test_a_form_with_one_field_takes_text() -> None:
    questions = (Question(name="", type="heading"), Question(name="x", type="integer"))
    assert hear(Expectation(kind="form", node="n", questions=questions), "7") == 7


@pytest.mark.parametrize(
    ("text", "key"),
    [("  Yes!? ", "yes"), ("Straße", "strasse"), ("Ｏｋ…", "ok"), ("?", "?"), (" !! ", "!!"), ("C++", "c++"), ("a  b", "a  b"), ("", "")],
)
def test_what_free_text_is_compared_by(text: str, key: str) -> None:
    assert option_key(text) == key


@pytest.mark.parametrize("kind", ["number", "integer", "rating"])
@pytest.mark.parametrize("text", ["9" * 309, "-" + "9" * 400, "1" + ",000" * 900])
def test_a_number_of_any_length_is_judged(kind: InputType, text: str) -> None:
    assert codes(one(kind), text) == [("/text", "too_large")]
