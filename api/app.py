"""The application: every surface on one runtime, behind one gate."""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.types import ControllerRouterHandler, ExceptionHandlersMap

from api.chat.endpoints import chat_endpoints
from api.chat.surface import ChatSurface
from api.dev.endpoints import dev_endpoints
from api.dev.surface import DevSurface
from api.endpoints import Endpoint, route, straight_to
from api.engine.endpoints import engine_endpoints
from api.engine.surface import EngineSurface
from api.errors import internal_answer, refusal_answer
from api.gate import Gate
from api.health import health_endpoints
from api.logs import log_failure
from api.origins import OriginRules
from api.pages import pages
from api.settings import Settings
from api.wire import Answer
from engine.errors import Malformed, MethodNotAllowed, NotFound, Refused
from engine.model.problems import Problem
from engine.runtime.runtime import Runtime


def create_app(
    runtime: Runtime,
    settings: Settings,
    *,
    dev: bool = False,
    more: Sequence[Endpoint] = (),
    more_routes: Sequence[ControllerRouterHandler] = (),
) -> Litestar:
    """The ASGI application on a runtime that the caller has started, and stops.

    `more` and `more_routes` are served beside the rest, and stay out of the OpenAPI document.
    """
    origins = OriginRules(runtime.catalog, runtime.clock.monotonic, dev=dev)
    told = all_endpoints(runtime, settings, origins)
    endpoints = [*told, *(dev_endpoints(DevSurface(runtime, settings, origins)) if dev else []), *more]
    app = Litestar(
        route_handlers=[*map(route, endpoints), *pages(told, runtime, dev=dev), *more_routes],
        exception_handlers=_exception_handlers(),
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    gate = Gate(straight_to(endpoints, app.asgi_handler), runtime, origins)
    app.asgi_handler = gate  # around the router too, so that a 404 has its request id as well
    app.state.gate = gate
    app.on_shutdown.append(gate.close)
    return app


def stop_taking_requests(app: Litestar) -> None:
    """Refuse every request from now on with 503, and end every long poll; to be called as soon as the process is asked to stop."""
    gate: Gate = app.state.gate
    gate.close()


def all_endpoints(runtime: Runtime, settings: Settings, origins: OriginRules) -> list[Endpoint]:
    """Every endpoint that the OpenAPI document tells of."""
    return [
        *chat_endpoints(ChatSurface(runtime, settings, origins)),
        *engine_endpoints(EngineSurface(runtime)),
        *health_endpoints(runtime),
    ]


def _exception_handlers() -> ExceptionHandlersMap:
    return {
        NotFoundException: _not_found,
        MethodNotAllowedException: _not_allowed,
        HTTPException: _refused,
        Refused: _told,
        Exception: _failed,
    }


def _not_found(_request: Request[Any, Any, Any], _error: Exception) -> Response[bytes]:
    return _response(refusal_answer(NotFound()))


def _not_allowed(_request: Request[Any, Any, Any], error: MethodNotAllowedException) -> Response[bytes]:
    allow = (error.headers or {}).get("allow", "")
    return _response(refusal_answer(MethodNotAllowed(details={"allow": allow.split(", ")})), {"Allow": allow})


def _refused(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses by itself, such as a Host header that is none."""
    if error.status_code >= 500:  # noqa: PLR2004 - where HTTP's server errors begin
        return _failed(request, error)
    return _response(refusal_answer(Malformed([Problem("", "request", "The request cannot be read.")])))


def _told(_request: Request[Any, Any, Any], refusal: Refused) -> Response[bytes]:
    """What a page's route refuses; the endpoints tell theirs in the words of their surface."""
    return _response(refusal_answer(refusal))


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log_failure("request_failed", error, request=request.scope["state"].get("request_id"))
    return _response(internal_answer())


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response[bytes]:
    told = {name.decode(): value.decode() for name, value in answer.headers if name != b"content-type"}
    return Response(answer.body, status_code=answer.status, headers={**told, **(headers or {})}, media_type="application/json")
