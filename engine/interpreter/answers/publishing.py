"""What a client is told about the answer that a wait will take."""

from functools import lru_cache
from typing import Any, Final

import msgspec

from engine.interpreter.answers.schema import answer_schema
from engine.model.inputs import Expectation, Question, ShownOption

_REMEMBERED: Final = 1_024
_LONGEST_REMEMBERED: Final = 1_000
"""Bytes of an expectation whose publication is remembered: most questions are asked again and again, word for word."""
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Expectation)


def published(expectation: Expectation) -> dict[str, Any]:
    """The `expectedInput` of a reply: kind, schema, node, attempts_left; a form's fields, or one question's input type and options.

    Equal expectations may be given the same value: nobody may change it.
    """
    encoded = _encoder.encode(expectation)
    return _remembered(encoded) if len(encoded) <= _LONGEST_REMEMBERED else _published(expectation)


@lru_cache(_REMEMBERED)
def _remembered(encoded: bytes) -> dict[str, Any]:
    return _published(_decoder.decode(encoded))


def _published(expectation: Expectation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": expectation.kind,
        "schema": answer_schema(expectation),
        "node": expectation.node,
        "attempts_left": expectation.attempts_left,
    }
    if expectation.kind == "form":
        told["fields"] = [_field(question) for question in expectation.questions]
    elif expectation.questions:
        told |= _single(expectation.questions[0])
    return told


def _single(question: Question) -> dict[str, Any]:
    told: dict[str, Any] = {"input": question.type}
    if question.placeholder is not None:
        told["placeholder"] = question.placeholder
    if question.options:
        told["options"] = _options(question.options)
    return told


def _options(options: tuple[ShownOption, ...]) -> list[dict[str, Any]]:
    return [{"value": option.value, "label": option.label} for option in options]


def _field(question: Question) -> dict[str, Any]:
    told: dict[str, Any] = {"name": question.name, "type": question.type, "label": question.label, "required": question.required}
    if question.placeholder is not None:
        told["placeholder"] = question.placeholder
    if question.help is not None:
        told["help"] = question.help
    if question.options:
        told["options"] = _options(question.options)
    if question.validation is not None:
        told["validation"] = msgspec.to_builtins(question.validation)
    if question.default is not None:
        told["default"] = question.default
    if question.multiple:
        told["multiple"] = True
    return told
