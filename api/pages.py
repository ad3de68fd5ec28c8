"""Pages and their scripts, all of them our own: the browsable OpenAPI page, and in `--dev` the chat page."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from litestar import Request
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from api.asked import Asked
from api.endpoints import Endpoint
from api.errors import refusal_answer
from api.openapi import document
from api.wire import Answer, json_answer, matches
from engine.errors import NotFound
from engine.runtime.runtime import Runtime

STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".woff2": b"font/woff2",
}
_CLOSED: Final = b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
_CHAT_POLICY: Final = _CLOSED + b"; img-src 'self' data: https:"
_SCHEMA_POLICY: Final = _CLOSED + b"; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
_GETS: Final = [HttpMethod.GET, HttpMethod.HEAD]


class Shelf:
    """The files of one folder under /static, each read when it is first asked for; names that are not on the shelf do not exist."""

    def __init__(self, folder: str) -> None:
        root = STATIC / folder
        found = sorted(root.rglob("*")) if root.is_dir() else []
        self._paths = {f"{folder}/{path.relative_to(root).as_posix()}": path for path in found if path.suffix in _TYPES}
        self._read: dict[str, tuple[bytes, str]] = {}

    def answer(self, name: str, asked: Asked, policy: bytes) -> Answer | None:
        """The file, or 304 for who has it; None when there is no such file."""
        path = self._paths.get(name)
        if path is None:
            return None
        body, tag = self._read.get(name) or self._look_up(name, path)
        headers = [(b"etag", tag.encode()), (b"cache-control", b"no-cache"), (b"content-security-policy", policy)]
        known = asked.header(b"if-none-match")
        if known is not None and matches(tag, known):
            return Answer(304, b"", headers)
        return Answer(200, body, [(b"content-type", _TYPES[path.suffix]), *headers])

    def _look_up(self, name: str, path: Path) -> tuple[bytes, str]:
        body = path.read_bytes()
        self._read[name] = body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return self._read[name]


def pages(endpoints: Sequence[Endpoint], runtime: Runtime, *, dev: bool) -> list[HTTPRouteHandler]:
    """The OpenAPI document and the page to browse it; in `--dev` also the chat page."""
    shelves = [Shelf("swagger"), *([Shelf("chat")] if dev else [])]
    found = [
        _document_route(document(endpoints)),
        _page_route("/schema", shelves[0], "swagger/page.html", _SCHEMA_POLICY),
        _static_route(shelves),
    ]
    if dev:
        found += [_page_route("/", shelves[-1], "chat/index.html", _CHAT_POLICY), _config_route(runtime)]
    return found


def _document_route(described: dict[str, Any]) -> HTTPRouteHandler:
    async def openapi() -> Answer:
        return json_answer(described, headers=[(b"cache-control", b"no-cache")])

    return HTTPRouteHandler("/schema/openapi.json", http_method=_GETS, name="openapi")(openapi)


def _page_route(path: str, shelf: Shelf, name: str, policy: bytes) -> HTTPRouteHandler:
    async def page(request: Request[Any, Any, Any]) -> Answer:
        return shelf.answer(name, Asked(request.scope, request.receive), policy) or refusal_answer(NotFound())

    return HTTPRouteHandler(path, http_method=_GETS, name=name)(page)


def _static_route(shelves: Sequence[Shelf]) -> HTTPRouteHandler:
    async def static(request: Request[Any, Any, Any]) -> Answer:
        asked = Asked(request.scope, request.receive)
        name = str(request.path_params["name"]).removeprefix("/")
        found = (shelf.answer(name, asked, _CLOSED) for shelf in shelves)
        return next((answer for answer in found if answer is not None), None) or refusal_answer(NotFound())

    return HTTPRouteHandler("/static/{name:path}", http_method=_GETS, name="static")(static)


def _config_route(runtime: Runtime) -> HTTPRouteHandler:
    """Tells the chat page which public key to use: the first active one."""

    async def config() -> Answer:
        register = await runtime.registry.register()
        active = sorted((key for key in register.public_keys if key.status == "active"), key=lambda key: (key.created_at, key.id))
        if not active:
            return refusal_answer(NotFound())
        return json_answer({"publicKey": active[0].key}, headers=[(b"cache-control", b"no-store")])

    return HTTPRouteHandler("/dev/config.json", http_method=_GETS, name="config")(config)
