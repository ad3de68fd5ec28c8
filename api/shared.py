"""What both surfaces share: an answer has values or text, and a reply is shown with its wait token and its token usage."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from api.wire import or_unset
from engine.errors import Malformed
from engine.model.problems import Problem
from engine.runtime.replies import Price, TurnReply
from engine.runtime.tokens import Keyring

_MICROS = 1_000_000


class UsageOut(Struct, frozen=True, kw_only=True):
    """Tokens and their cost, null while a model has no price. Of several models, `model` is null and `models` has a row for each."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_prompt_tokens: int | UnsetType = UNSET
    model: str | None
    cost_micros: int | None
    cost_usd: float | None
    models: "list[UsageOut] | UnsetType" = UNSET


def demand_one_answer(*, values: Any, text: str | None, at: str, unfit: tuple[Problem, ...]) -> None:
    """Raise Malformed for an answer with neither or both of values and text."""
    if (values is None) == (text is None):
        told = "neither values nor text" if values is None else "both values and text"
        raise Malformed([Problem(at, "required" if values is None else "ambiguous", f"The answer has {told}."), *unfit])


def wait_token(reply: TurnReply, keyring: Keyring, tenant_id: str) -> str | None:
    """The token of the wait that the customer may answer; None while there is none."""
    return keyring.wait_token(tenant_id, reply.wait_id) if reply.answerable and reply.wait_id is not None else None


def usage_out(rows: Sequence[Price]) -> UsageOut | None:
    """The rows of a turn as one value; None when no tokens were spent."""
    match rows:
        case []:
            return None
        case [one]:
            return _row(one)
        case _:
            return _sum([_row(row) for row in rows], {row.model for row in rows})


def _row(price: Price) -> UsageOut:
    return UsageOut(
        prompt_tokens=price.prompt_tokens,
        completion_tokens=price.completion_tokens,
        total_tokens=price.prompt_tokens + price.completion_tokens,
        cached_prompt_tokens=or_unset(price.cached_prompt_tokens),
        model=price.model,
        cost_micros=price.cost_micros,
        cost_usd=_dollars(price.cost_micros),
    )


def _sum(rows: Sequence[UsageOut], models: set[str]) -> UsageOut:
    costs = [row.cost_micros for row in rows if row.cost_micros is not None]
    cached = [row.cached_prompt_tokens for row in rows if row.cached_prompt_tokens is not UNSET]
    cost = sum(costs) if len(costs) == len(rows) else None
    return UsageOut(
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.completion_tokens for row in rows),
        total_tokens=sum(row.total_tokens for row in rows),
        cached_prompt_tokens=sum(cached) if cached else UNSET,
        model=models.pop() if len(models) == 1 else None,
        cost_micros=cost,
        cost_usd=_dollars(cost),
        models=list(rows),
    )


def _dollars(micros: int | None) -> float | None:
    return None if micros is None else micros / _MICROS
