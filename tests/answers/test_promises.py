"""What holds for every question and every answer."""

from datetime import datetime
from typing import Any, get_args

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import AnswerRefused
from engine.interpreter.answers import answer_schema, published, read_answer
from engine.interpreter.answers.patterns import fits, portable
from engine.model.inputs import Expectation, InputType, Question, ShownOption, Validation

LOCALES = st.sampled_from(["en", "en-US", "de", "fr", "es", "pl", "tr", "zh", "ar", "de-CH", "xx", "", "not a locale", "en_"])
PATTERNS = st.sampled_from([r"[A-Z]-\d+", r"\w+", r"\S*", r"[^a]+", "a|b", r".*", r"(?i)x", r"\D{1,3}\s?", "[0-9a-f-]+", r"\W"])
SMALL = st.integers(-1, 6) | st.floats(0, 3).map(lambda number: round(number, 1))
OPTION_VALUES = st.one_of(
    st.sampled_from(["a", "b", "and", "1", "yes", "x, y"]), st.integers(0, 3), st.booleans(), st.sampled_from([0.5, 1.5])
)
MENUS = st.lists(
    st.tuples(OPTION_VALUES, st.sampled_from(["A", "B and C", "Yes", "D, E", "?"])), max_size=4, unique_by=lambda pair: repr(pair[0])
).map(lambda pairs: tuple(ShownOption(value, label) for value, label in pairs))


def sometimes(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


RULES = st.none() | st.builds(
    Validation,
    min_length=sometimes(SMALL),
    max_length=sometimes(SMALL),
    word_min=sometimes(SMALL),
    word_max=sometimes(SMALL),
    pattern=sometimes(PATTERNS),
    min=sometimes(SMALL),
    max=sometimes(SMALL),
    step=sometimes(SMALL),
    integer=sometimes(st.booleans()),
    email_allow_domains=sometimes(st.just(["example.com"])),
    url_https_only=sometimes(st.booleans()),
    url_allow_domains=sometimes(st.just(["example.com"])),
    date_min=sometimes(st.sampled_from(["2026-01-05", "10:00", "2026-01-05T10:00:00Z", "soon"])),
    date_max=sometimes(st.sampled_from(["2026-01-05", "10:00", "2026-01-05T10:00", ""])),
    date_no_weekends=sometimes(st.booleans()),
    select_min=sometimes(SMALL),
    select_max=sometimes(SMALL),
    must_accept=sometimes(st.booleans()),
    file_max=sometimes(SMALL),
)
QUESTIONS = st.builds(
    Question,
    name=st.just("x"),
    type=st.sampled_from(get_args(InputType)),
    required=st.booleans(),
    options=st.just(()) | MENUS,
    validation=RULES,
    multiple=st.booleans(),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FILES = st.builds(
    lambda name, size: {"file_id": "f", "url": "https://x.example", "name": name, "mime": "a/b", "size": size},
    st.text(),
    st.integers(-1, 9),
)
LIKELY = st.one_of(
    ANY_JSON,
    OPTION_VALUES,
    st.lists(OPTION_VALUES, max_size=4),
    FILES,
    st.lists(FILES, max_size=3),
    st.integers(-2, 8),
    st.floats(-2, 8).map(lambda number: round(number, 1)),
    st.emails(),
    st.dates().map(str),
    st.times().map(lambda clock: f"{clock:%H:%M}"),
    st.datetimes().map(lambda when: when.isoformat(timespec="seconds") + "Z"),
    st.sampled_from(
        ["https://example.com/ü", "http://a.example.com:80?x", "jo@example.com", "+49 30 12345", "A-12", "two words", " ", "\ufeff", "\x85"]
    ),
)
SAID = st.one_of(
    st.text(),
    st.from_regex(r"[0-9]{1,4}[., /:-][0-9]{1,4}([., /:-][0-9]{1,4})?( ?[ap]m)?", fullmatch=True),
    st.lists(
        st.sampled_from(["a", "b", "B and C", "D, E", "1", "2", "3", "yes", "no", ",", "and", "und", "0.5", "true", "?"]), max_size=5
    ).map(" ".join),
    st.lists(st.sampled_from(["a", "b", "B and C", "D, E", "1", "2", "and"]), max_size=5).map(", ".join),
    LIKELY.map(str),
)


def fitting(question: Question) -> st.SearchStrategy[Any]:
    """Values of the question's type, which its rules may still refuse."""
    if question.type == "multi_select":
        return st.lists(st.sampled_from([option.value for option in question.options] or ["a"]), max_size=4)
    if question.options:
        return st.sampled_from([option.value for option in question.options])
    match question.type:
        case "number" | "integer" | "rating":
            return SMALL
        case "boolean" | "checkbox":
            return st.booleans()
        case "file_upload" | "image_upload" | "signature":
            return st.lists(FILES, max_size=3) if question.multiple else FILES
        case "email":
            return st.emails() | st.just("jo@example.com")
        case "url":
            return st.sampled_from(["https://example.com/ü", "http://a.example.com:80?x", "HTTPS://b.example"])
        case "date":
            return st.dates().map(str)
        case "time":
            return st.times().map(lambda clock: f"{clock:%H:%M}")
        case "datetime":
            return st.datetimes().map(datetime.isoformat)
        case _:
            return st.text() | st.sampled_from(["+49 30 12345", "A-12", "two words"])


ASKED_AND_GIVEN = QUESTIONS.flatmap(lambda question: st.tuples(st.just(question), fitting(question) | LIKELY))
ASKED_AND_SAID = QUESTIONS.flatmap(lambda question: st.tuples(st.just(question), fitting(question).map(str) | SAID))


def wait(question: Question) -> Expectation:
    return Expectation(kind="form", node="n", questions=(question,))


def outcome(expectation: Expectation, locale: str, *, values: Any = None, text: str | None = None) -> dict[str, Any] | None:
    """The answer, or None when it was refused; any other exception is a failure."""
    try:
        return read_answer(expectation, values=values, text=text, locale=locale)
    except AnswerRefused as refusal:
        problems = refusal.problems
    assert problems
    assert all(problem.message and "{" not in problem.message for problem in problems)
    return None


def is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.replace("\ufeff", " ").strip())


@settings(max_examples=500)
@given(ASKED_AND_GIVEN, LOCALES)
def test_an_accepted_value_fits_the_published_schema(case: tuple[Question, Any], locale: str) -> None:
    question, value = case
    expectation = wait(question)
    validator = jsonschema_rs.Draft202012Validator(answer_schema(expectation), validate_formats=True)
    answer = outcome(expectation, locale, values={"x": value})
    if answer is not None and not is_blank(value):
        assert validator.is_valid({"x": value})
        assert validator.is_valid(answer)


DESCRIBED_WHOLLY = ("boolean", "checkbox", "select", "radio", "multi_select", "rating", "integer")


@settings(max_examples=500)
@given(ASKED_AND_GIVEN.filter(lambda case: case[0].type in DESCRIBED_WHOLLY))
def test_for_choices_and_whole_numbers_what_fits_the_schema_is_accepted(case: tuple[Question, Any]) -> None:
    question, value = case
    if question.validation is not None and question.validation.step is not None:
        return
    expectation = wait(question)
    if is_blank(value) or (isinstance(value, (int, float)) and abs(value) >= 2**63):
        return
    validator = jsonschema_rs.Draft202012Validator(answer_schema(expectation))
    if _encodable(value) and validator.is_valid({"x": value}):
        assert outcome(expectation, "en", values={"x": value}) is not None


def _encodable(value: Any) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in repr(value)) and "\\ud" not in repr(value)


@given(QUESTIONS, st.dictionaries(st.sampled_from(["x", "y", "~/"]), LIKELY), LOCALES)
def test_no_values_raise_anything_but_a_refusal(question: Question, values: dict[str, Any], locale: str) -> None:
    answer = outcome(wait(question), locale, values=values)
    assert answer is None or list(answer) == ["x"]


@settings(max_examples=500)
@given(ASKED_AND_SAID, LOCALES)
def test_a_value_found_in_text_is_accepted_as_a_value(case: tuple[Question, str], locale: str) -> None:
    question, text = case
    expectation = wait(question)
    answer = outcome(expectation, locale, text=text)
    if answer is not None:
        assert outcome(expectation, locale, values=answer) == answer


@given(QUESTIONS)
def test_what_is_published_is_a_valid_schema(question: Question) -> None:
    assert jsonschema_rs.meta.is_valid(published(wait(question))["schema"])


PORTABLE = st.sampled_from(
    [r"[A-Z]-\d+", r"\w+", r"\S*", r"[^a\d]+", "a|b", ".*", r"\D{1,3}\s?", "[0-9a-f-]+", r"\W", r"(?:a\-|\.b)\/?$", "^x[.+*]y*?"]
)


@given(PORTABLE.flatmap(lambda pattern: st.tuples(st.just(pattern), st.text(max_size=4) | st.from_regex(pattern, fullmatch=True))))
def test_a_published_pattern_takes_what_the_authors_takes(case: tuple[str, str]) -> None:
    pattern, text = case
    schema = {"pattern": portable(pattern)}
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(text) == fits(pattern, text)
