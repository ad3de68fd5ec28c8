"""The OpenAPI 3.1 document, made from the same endpoints and Structs that serve the requests."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from api.endpoints import IDEMPOTENCY_KEY, Endpoint, Parameter
from api.errors import INTERNAL, ErrorBody, code_of, header_of, internal_body, status_of
from engine.errors import (
    IdempotencyConflict,
    InsufficientScope,
    InvalidApiKey,
    InvalidSessionToken,
    Malformed,
    NotFound,
    OriginNotAllowed,
    PayloadTooLarge,
    RateLimited,
    Refused,
    TurnInProgress,
    Unavailable,
    Unfit,
    UnsupportedMediaType,
    WidgetDisabled,
)

_CREDENTIALS: Final[dict[str, tuple[type[Refused], ...]]] = {
    "none": (),
    "session": (InvalidSessionToken, WidgetDisabled, OriginNotAllowed),
    "api_key": (InvalidApiKey, InsufficientScope, NotFound),
}
_BODY: Final[tuple[type[Refused], ...]] = (Malformed, PayloadTooLarge, UnsupportedMediaType, Unfit)
_KEYED: Final[tuple[type[Refused], ...]] = (IdempotencyConflict, TurnInProgress)
_DESCRIPTION: Final = """Conversations over HTTP: what browsers speak (chat), and what a tenant's own servers speak (engine).

Every answer that is not a success is `{error, message, details}`; branch on `error`. `details.errors` lists every problem:
`field` is a JSON Pointer into the body, or names a query parameter or header in the same way (`/wait`, `/Idempotency-Key`).
Of equal keys in one JSON object the last counts. An optional key that is null counts as absent. Bodies nest at most 64 deep,
and their whole numbers fit into 64 bits. A repeat under an Idempotency-Key must have the very same bytes.
A quick question whose `pageType` is null is for every page.
A session that is opened without a name honours an Idempotency-Key of 32 characters or more: a shorter one might be somebody else's.
"""
_FORM: Final = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
}
_LICENSE: Final = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
_QUOTA_HEADERS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_TAG_HEADERS: Final = ("ETag", "Cache-Control")
_HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "X-Request-Id": ("The request's id: its own where it had a sane one.", {"type": "string"}),
    "ETag": ("The answer's entity tag, for `If-None-Match`.", {"type": "string"}),
    "Cache-Control": ("For the client alone, which asks each time whether there is news.", {"type": "string"}),
    "Idempotent-Replayed": ("There where the answer was given before, under the same key.", {"type": "string", "const": "true"}),
    "RateLimit-Limit": ("Requests that the window takes.", {"type": "integer"}),
    "RateLimit-Remaining": ("Requests that are left in the window.", {"type": "integer"}),
    "RateLimit-Reset": ("Seconds until the window is over.", {"type": "integer"}),
    "Retry-After": ("Seconds to wait before the next try.", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": ("How to prove who asks.", {"type": "string", "const": "Bearer"}),
}
"""What each header says, with the JSON Schema of its value."""
_SCHEMES: Final = {
    "session": {"type": "http", "scheme": "bearer", "description": "The sessionToken of POST /sessions."},
    "api_key": {"type": "http", "scheme": "bearer", "description": "An API key, sk_..."},
}


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document; the same endpoints give the same document."""
    kinds = [ErrorBody, *(kind for endpoint in endpoints for kind in (endpoint.answer, *endpoint.body))]
    names, components = msgspec.json.schema_components(list(dict.fromkeys(kinds)), ref_template="#/components/schemas/{name}")
    schemas = dict(zip(dict.fromkeys(kinds), names, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path.replace(":str}", "}"), {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Baton", "version": "1", "description": _DESCRIPTION, "license": _LICENSE},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def refusals_of(endpoint: Endpoint) -> list[type[Refused]]:
    """Every refusal that the endpoint can give, in the order of their statuses."""
    found = [*endpoint.refusals, *_CREDENTIALS[endpoint.credential], Unavailable]
    if endpoint.body or endpoint.free_body:
        found += _BODY
    if IDEMPOTENCY_KEY in endpoint.parameters:
        found += _KEYED
    if endpoint.limited:
        found.append(RateLimited)
    return sorted(dict.fromkeys(found), key=lambda kind: (status_of(kind), kind.code))


def _operation(endpoint: Endpoint, schemas: dict[type, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": ["health" if endpoint.path.startswith("/health") else endpoint.surface],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in endpoint.parameters]
    if endpoint.body or endpoint.free_body:
        operation["requestBody"] = _request_body(endpoint, schemas)
    if endpoint.credential != "none":
        operation["security"] = [{endpoint.credential: []}]
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": parameter.schema,
    }


def _request_body(endpoint: Endpoint, schemas: dict[type, dict[str, Any]]) -> dict[str, Any]:
    if endpoint.free_body:
        return {"required": endpoint.body_required, "content": {**_json({}), "application/x-www-form-urlencoded": {"schema": _FORM}}}
    known = [schemas[kind] for kind in endpoint.body]
    schema = known[0] if len(known) == 1 else {"oneOf": known}
    return {"required": endpoint.body_required, "content": {"application/json": {"schema": schema}}}


def _responses(endpoint: Endpoint, schemas: dict[type, dict[str, Any]]) -> dict[str, Any]:
    always = ("X-Request-Id", *(_QUOTA_HEADERS if endpoint.limited else ()))
    tags = _TAG_HEADERS if endpoint.tagged else ()
    replayed = ("Idempotent-Replayed",) if IDEMPOTENCY_KEY in endpoint.parameters else ()
    success = {"description": endpoint.summary + ".", "content": _json(schemas[endpoint.answer])}
    responses: dict[str, Any] = {"200": {**success, "headers": _headers((*always, *tags, *replayed))}}
    if endpoint.tagged:
        responses["304"] = {"description": "The client has this already.", "headers": _headers((*always, *tags))}
    by_status: dict[int, list[type[Refused]]] = {}
    for kind in refusals_of(endpoint):
        by_status.setdefault(status_of(kind), []).append(kind)
    for status, kinds in by_status.items():
        codes = [code_of(kind, endpoint.surface) for kind in kinds]
        own = dict.fromkeys(header for kind in kinds if (header := header_of(kind)) is not None)
        described = {"description": " ".join(kind.text for kind in kinds), "headers": _headers((*always, *own))}
        responses[str(status)] = {**described, "content": _error(codes, schemas)}
    unexpected = internal_body()
    described = {"description": unexpected.message, "headers": _headers(always)}
    responses[str(INTERNAL)] = {**described, "content": _error([unexpected.error], schemas)}
    return responses


def _error(codes: list[str], schemas: dict[type, dict[str, Any]]) -> dict[str, Any]:
    return _json({"allOf": [schemas[ErrorBody], {"type": "object", "properties": {"error": {"type": "string", "enum": codes}}}]})


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"description": meaning, "schema": schema} for name in names for meaning, schema in [_HEADERS[name]]}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
