"""What holds for every question and every answer."""

from typing import Any, get_args

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import AnswerRefused
from engine.interpreter.answers import answer_schema, published, read_answer
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


@settings(max_examples=1500)
@given(QUESTIONS, LIKELY, LOCALES)
def test_an_accepted_value_fits_the_published_schema(question: Question, value: Any, locale: str) -> None:
    expectation = wait(question)
    validator = jsonschema_rs.Draft202012Validator(answer_schema(expectation), validate_formats=True)
    answer = outcome(expectation, locale, values={"x": value})
    if answer is not None and not is_blank(value):
        assert validator.is_valid({"x": value})
        assert validator.is_valid(answer)


DESCRIBED_WHOLLY = ("boolean", "checkbox", "select", "radio", "multi_select", "rating", "integer")


@settings(max_examples=1000)
@given(QUESTIONS.filter(lambda question: question.type in DESCRIBED_WHOLLY), LIKELY)
def test_for_choices_and_whole_numbers_what_fits_the_schema_is_accepted(question: Question, value: Any) -> None:
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


@settings(max_examples=1500)
@given(QUESTIONS, SAID, LOCALES)
def test_a_value_found_in_text_is_accepted_as_a_value(question: Question, text: str, locale: str) -> None:
    expectation = wait(question)
    answer = outcome(expectation, locale, text=text)
    if answer is not None:
        assert outcome(expectation, locale, values=answer) == answer


@given(QUESTIONS)
def test_what_is_published_is_a_valid_schema(question: Question) -> None:
    jsonschema_rs.meta.validate(published(wait(question))["schema"])
