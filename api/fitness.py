"""Rules for what both surfaces take: variables, and the tokens that a client's own model spent."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from engine.model.problems import Problem, pointer_step
from engine.model.values import Json
from engine.runtime.requests import TokenUsage

_MOST_VARIABLES: Final = 50
_MOST_BYTES: Final = 4_096
_DEEPEST_ARRAY: Final = 4
_MOST_TOKENS: Final = 10**9
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NAME_RULE: Final = "A name has at most 64 lower-case letters, digits and underscores, and begins with a letter."
_VALUE_RULE: Final = f"A value is a text, number, boolean, null, or an array of these, nested at most {_DEEPEST_ARRAY} deep."
_encoder: Final = msgspec.json.Encoder()

Count = Annotated[int, Meta(ge=0, le=_MOST_TOKENS)]
Variables = dict[str, Any]


class UsageIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tokens that the client's own model spent in this turn; cached prompt tokens are part of the prompt's."""

    prompt_tokens: Count
    completion_tokens: Count
    model: Annotated[str, Meta(pattern=r"^[\w.:/@-]{1,100}$")]
    total_tokens: Count | None = None
    cached_prompt_tokens: Count | None = None


def usage_of(usage: UsageIn | None, field: str, unfit: list[Problem]) -> TokenUsage | None:
    """The usage when all of it is acceptable; problems are added to `unfit`, under the pointer `field`."""
    if usage is None:
        return None
    unfit.extend(_unfit_usage(usage, field))
    if any(problem.field.startswith(field) for problem in unfit):
        return None
    return TokenUsage(
        model=usage.model,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_prompt_tokens=usage.cached_prompt_tokens,
    )


def _unfit_usage(usage: UsageIn, field: str) -> Iterator[Problem]:
    total = usage.prompt_tokens + usage.completion_tokens
    if usage.total_tokens is not None and usage.total_tokens != total:
        yield Problem(f"{field}/total_tokens", "sum", "total_tokens must be the sum of prompt_tokens and completion_tokens.")
    if total > _MOST_TOKENS:
        yield Problem(field, "range", f"The sum of the tokens must be at most {_MOST_TOKENS}.")
    if usage.cached_prompt_tokens is not None and usage.cached_prompt_tokens > usage.prompt_tokens:
        yield Problem(f"{field}/cached_prompt_tokens", "range", "cached_prompt_tokens must be at most prompt_tokens.")


def unfit_variables(variables: Mapping[str, Json], field: str = "/variables") -> Iterator[Problem]:
    """Each rule that the variables break."""
    if len(variables) > _MOST_VARIABLES:
        yield Problem(field, "count", f"There may be at most {_MOST_VARIABLES} variables.")
    if len(_encoder.encode(variables)) > _MOST_BYTES:
        yield Problem(field, "size", f"The variables may have at most {_MOST_BYTES} bytes as compact JSON.")
    for name, value in variables.items():
        at = f"{field}/{pointer_step(name)}"
        if not _NAME.fullmatch(name):
            yield Problem(at, "name", _NAME_RULE)
        if not _is_storable(value, 0):
            yield Problem(at, "value", _VALUE_RULE)


def _is_storable(value: Json, depth: int) -> bool:
    match value:
        case dict():
            return False
        case list():
            return depth < _DEEPEST_ARRAY and all(_is_storable(inner, depth + 1) for inner in value)
        case _:
            return True
