"""A route as one value: what serves it and what the OpenAPI document says of it come from the same place."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Literal, cast

from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send
from msgspec import Struct

from api.asked import Asked
from api.errors import SurfaceName, internal_answer, refusal_answer
from api.logs import log_failure
from api.wire import Answer
from engine.errors import Refused, Unavailable

Act = Callable[[Asked], Awaitable[Answer]]
Credential = Literal["session", "api_key", "none"]


class Parameter(Struct, frozen=True):
    """A query parameter or header, with the JSON Schema of its value."""

    name: str
    place: Literal["query", "header", "path"]
    schema: dict[str, Any]
    meaning: str
    required: bool = False


class Endpoint(Struct, frozen=True, kw_only=True):
    """One method of one path."""

    method: Literal["GET", "POST"]
    path: str
    act: Act
    name: str
    summary: str
    answer: type
    surface: SurfaceName = "chat"
    credential: Credential = "none"
    body: tuple[type, ...] = ()
    free_body: bool = False
    """Whether the body may be any JSON, or a form."""
    body_required: bool = True
    parameters: tuple[Parameter, ...] = ()
    refusals: tuple[type[Refused], ...] = ()
    limited: bool = False
    tagged: bool = False
    """Whether the answer has an entity tag, and may be 304."""


IDEMPOTENCY_KEY: Final = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "minLength": 1, "maxLength": 255},
    "A repeat with the same key and the same bytes gives the stored answer for 24 h.",
)
PREFER: Final = Parameter("Prefer", "header", {"type": "string", "examples": ["wait=25"]}, "`wait=0..60`: seconds to wait for the turn.")
IF_NONE_MATCH: Final = Parameter("If-None-Match", "header", {"type": "string"}, "Entity tags that the client has already.")
EXECUTION_ID: Final = Parameter("execution_id", "path", {"type": "string"}, "The execution's id.", required=True)


def route(endpoint: Endpoint) -> HTTPRouteHandler:
    """The endpoint as Litestar takes it; HEAD is served wherever GET is.

    Litestar only does the routing. The request is answered by a middleware that never calls the handler, because Litestar's own request
    and response processing is not needed.
    """

    def in_its_place(app: ASGIApp) -> ASGIApp:  # noqa: ARG001 - the name by which it is given
        return _application(endpoint)

    async def unreached() -> None:
        raise AssertionError(endpoint.name)

    methods = [HttpMethod(method) for method in _methods(endpoint)]
    found = HTTPRouteHandler(endpoint.path, http_method=methods, name=endpoint.name, status_code=200, middleware=[in_its_place])
    return found(unreached)


def straight_to(endpoints: Iterable[Endpoint], router: ASGIApp) -> ASGIApp:
    """The router, but for endpoints whose path has no parameter: those are looked up in a table, which saves the router's 15 us."""
    fixed = [endpoint for endpoint in endpoints if "{" not in endpoint.path]
    known: dict[tuple[object, object], ASGIApp] = {
        (method, endpoint.path): _application(endpoint) for endpoint in fixed for method in _methods(endpoint)
    }

    def serve(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return known.get((scope.get("method"), scope.get("path")), router)(scope, receive, send)

    return serve


def _methods(endpoint: Endpoint) -> list[str]:
    return ["GET", "HEAD"] if endpoint.method == "GET" else [endpoint.method]


def _application(endpoint: Endpoint) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        asked = Asked(cast("HTTPScope", scope), receive)
        answer = await _served(endpoint, asked)
        await answer(asked.scope, receive, send)

    return serve


async def _served(endpoint: Endpoint, asked: Asked) -> Answer:
    try:
        answer = await endpoint.act(asked)
    except Refused as refusal:
        answer = refusal_answer(refusal, endpoint.surface)
        if isinstance(refusal, Unavailable):
            log_failure("request_unavailable", refusal, request=asked.request_id, endpoint=endpoint.name)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is logged, and told to nobody
        log_failure("request_failed", error, request=asked.request_id, endpoint=endpoint.name)
        answer = internal_answer()
    answer.headers.extend(asked.extra)
    return answer
