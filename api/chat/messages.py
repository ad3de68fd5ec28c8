"""What a POST to /messages asks for: a trigger or an answer, told apart by the body's shape."""

from typing import Any

from api.asked import Asked, existing_id
from api.body import Shape
from api.chat.credentials import Guest
from api.chat.wire import ResumeBody, TriggerBody
from api.fitness import unfit_variables, usage_of
from api.foreign import clean, parse
from api.shared import demand_one_answer
from engine.errors import Malformed
from engine.model.problems import Problem
from engine.runtime.requests import ResumeRequest, TriggerRequest

_TRIGGERS = Shape(TriggerBody)
_ANSWERS = Shape(ResumeBody)
_Body = TriggerBody | ResumeBody


def read_message(asked: Asked, raw: bytes, guest: Guest) -> TriggerRequest | ResumeRequest:
    """The request that the body makes; raises Malformed when it is neither a trigger nor an answer, or both."""
    shape = _ANSWERS if b'"waitToken"' in raw else _TRIGGERS
    body, found = _read(shape.quick(raw), raw)
    unfit = [*found]
    variables = body.variables or {}
    unfit.extend(unfit_variables(variables) if variables else ())
    usage = usage_of(body.token_usage, "/tokenUsage", unfit)
    idempotency = asked.idempotency(f"chat:{guest.session.conversation_id}", raw)
    match body:
        case TriggerBody():
            return TriggerRequest(
                intent=body.intent_name,
                text=body.text,
                conversation_id=None if body.conversation_id is None else existing_id(body.conversation_id),
                context=body.context or {},
                variables=variables,
                usage=usage,
                idempotency=idempotency,
                unfit=(*unfit, *asked.unfit),
            )
        case ResumeBody():
            return ResumeRequest(
                run_id=existing_id(body.execution_id),
                wait_token=body.wait_token,
                values=body.values,
                text=body.text,
                variables=variables,
                usage=usage,
                idempotency=idempotency,
                unfit=(*unfit, *asked.unfit),
            )


def _read(quick: _Body | None, raw: bytes) -> tuple[_Body, tuple[Problem, ...]]:
    body, unfit = (quick, ()) if quick is not None else _judge(*clean(parse(raw)))
    if isinstance(body, ResumeBody):
        demand_one_answer(values=body.values, text=body.text, at="", unfit=unfit)
    return body, unfit


def _judge(value: Any, unclean: tuple[Problem, ...]) -> tuple[_Body, tuple[Problem, ...]]:
    """The same for a body that the quick way refused, looked at as a whole."""
    keys = set(value) if isinstance(value, dict) else set()
    if {"intentName", "waitToken"} <= keys:
        both = Problem("", "ambiguous", "The body has both an intentName and a waitToken.")
        raise Malformed([both, *_TRIGGERS.wrong(value), *unclean])
    return (_ANSWERS if keys & {"waitToken", "executionId", "values"} and "intentName" not in keys else _TRIGGERS).judge(value, unclean)
