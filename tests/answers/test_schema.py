"""What clients are told: the schema of an answer, its options and fields."""

from typing import Any

import jsonschema_rs
import pytest

from engine.interpreter.answers import answer_schema, published
from engine.model.inputs import Expectation, InputType, Question, ShownOption, Validation


def schema_of(kind: InputType, **keys: Any) -> dict[str, Any]:
    question = Question(name="x", type=kind, **({"required": True} | keys))
    found: dict[str, Any] = answer_schema(Expectation(kind="text", node="n", questions=(question,)))["properties"]["x"]
    return found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (schema_of("text"), {"type": "string", "pattern": r"\S"}),
        (schema_of("text", required=False, label="L", help="H"), {"type": ["string", "null"], "title": "L", "description": "H"}),
        (schema_of("text", validation=Validation(min_length=0, max_length=9, pattern=r"\d+-\w"))["pattern"], "^(?:[0-9]+-[A-Za-z0-9_])$"),
        (
            schema_of("number", validation=Validation(min=0, max=1.5, step=0.5)),
            {"type": "number", "minimum": 0, "maximum": 1.5, "multipleOf": 0.5},
        ),
        (schema_of("number", validation=Validation(min=1, step=2)), {"type": "number", "minimum": 1}),
        (schema_of("rating"), {"type": "integer", "minimum": 1, "maximum": 5}),
        (schema_of("integer", default=3), {"type": ["integer", "null"], "default": 3}),
        (schema_of("boolean"), {"type": "boolean"}),
        (schema_of("checkbox", validation=Validation(must_accept=True)), {"type": "boolean", "enum": [True]}),
        (schema_of("select", options=(ShownOption("a", "A"), ShownOption("b", "B"))), {"type": ["string"], "enum": ["a", "b"]}),
        (
            schema_of("multi_select", options=(ShownOption("a", "A"),), validation=Validation(select_max=1)),
            {"type": "array", "items": {"type": ["string"], "enum": ["a"]}, "uniqueItems": True, "minItems": 1, "maxItems": 1},
        ),
    ],
)
def test_a_question_is_described(found: Any, expected: Any) -> None:
    assert found == expected


@pytest.mark.parametrize("pattern", [r"(?i)abc", r"\bword\b", r"\pL+", r"[[:alpha:]]+", r"\x{41}", "(", r"a{,3}", r"[^a&&b]"])
def test_a_pattern_that_other_dialects_may_read_differently_is_not_published(pattern: str) -> None:
    assert schema_of("text", validation=Validation(pattern=pattern))["pattern"] == r"\S"


@pytest.mark.parametrize("pattern", [r"[A-Z]{2,3}-\d+", r"(?:a|b)*\.?", r"[\w.+-]+@x\.de", r"\S+\s\D", r"[^,;]+", r"a\-b\ c", r".*?"])
def test_a_published_pattern_is_valid_ecmascript_for_a_validator(pattern: str) -> None:
    published_pattern = schema_of("text", validation=Validation(pattern=pattern))["pattern"]
    assert published_pattern.startswith("^(?:")
    jsonschema_rs.Draft202012Validator({"pattern": published_pattern})


def test_the_whole_schema_takes_no_other_names() -> None:
    expectation = Expectation(
        kind="form",
        node="n",
        questions=(Question(name="", type="divider"), Question(name="a", type="text", required=True), Question(name="b", type="date")),
    )
    schema = answer_schema(expectation)
    assert schema["required"] == ["a"]
    assert list(schema["properties"]) == ["a", "b"]
    assert schema["additionalProperties"] is False
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_choice_publishes_its_options() -> None:
    question = Question(name="x", type="select", options=(ShownOption("a", "Apple"),))
    told = published(Expectation(kind="choice", node="pick", questions=(question,), attempts_left=2))
    assert (told["kind"], told["node"], told["attempts_left"]) == ("choice", "pick", 2)
    assert told["options"] == [{"value": "a", "label": "Apple"}]
    assert "fields" not in told


def test_one_question_publishes_its_input_type_and_placeholder() -> None:
    question = Question(name="x", type="date", placeholder="2026-01-31")
    told = published(Expectation(kind="text", node="when", questions=(question,)))
    assert (told["input"], told["placeholder"]) == ("date", "2026-01-31")


def test_a_form_publishes_its_fields_and_leaves_out_what_is_not_set() -> None:
    questions = (
        Question(name="", type="heading", label="Address"),
        Question(
            name="files",
            type="file_upload",
            label="Files",
            required=True,
            help="PDF",
            multiple=True,
            validation=Validation(file_max=0),
        ),
        Question(name="size", type="radio", label="Size", placeholder="pick", default="s", options=(ShownOption("s", "Small"),)),
    )
    told = published(Expectation(kind="form", node="f", questions=questions))
    assert told["attempts_left"] is None
    assert told["fields"] == [
        {"name": "", "type": "heading", "label": "Address", "required": False},
        {
            "name": "files",
            "type": "file_upload",
            "label": "Files",
            "required": True,
            "help": "PDF",
            "validation": {"file_max": 0},
            "multiple": True,
        },
        {
            "name": "size",
            "type": "radio",
            "label": "Size",
            "required": False,
            "placeholder": "pick",
            "options": [{"value": "s", "label": "Small"}],
            "default": "s",
        },
    ]


def test_a_wait_that_asks_nothing_takes_nothing() -> None:
    told = published(Expectation(kind="timer", node="pause"))
    assert told["schema"]["properties"] == {}
    assert "fields" not in told
    assert "options" not in told
