"""Requests that are wrong in one respect, on every route: each is refused, none is an error of ours, and the database is as it was."""

import asyncio
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from tests.proofs.crashes import Place
from tests.proofs.line import Line, Told, read_answer
from tests.proofs.routes import Route, owner, routes, undescribed
from tests.proofs.talkers import OK

_FREE: Final = {"context", "variables", "data", "result"}
"""Keys whose values are the tenant's own."""
_DEEP: Final = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
_MEGABYTES: Final = 10
_NO_JSON: Final = (
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b"{}{}",
    b"NaN",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b"'a'",
    _DEEP,
    b"[" * 60_000,
)
_WRONG_TYPES: Final[dict[type, tuple[Any, ...]]] = {
    str: (7, 1.5, True, [], {}),
    int: ("7", [], {}, 1.5, 2**70),
    bool: ("true", 7, []),
    dict: (7, "text", [], True),
    list: (7, "text", {}, True),
}
_LENGTHS: Final = (
    b"Content-Length: -5",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: five",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: chunked",
)
_METHODS: Final = ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "FOO", "get")
_ODD_TARGETS: Final = ("%00", "..%2f..%2fetc", "%ff%fe", "%ED%A0%80", "a" * 5_000, "' OR 1=1 --".replace(" ", "%20"), "0", "-1")
_QUERIES: Final = (
    "tenant_id=%00",
    "tenant_id=%ED%A0%80",
    "limit=0",
    "limit=a",
    "wait=-1",
    "wait=99999999999999999999",
    "status=%00",
    "includeHistory=7",
    "a=b&a=c",
)


class Case(Struct, frozen=True):
    """The bytes of a request."""

    what: str
    raw: bytes


@dataclass
class Sent:
    """What the corpus came to."""

    statuses: Counter[int] = field(default_factory=Counter)
    routes: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return not self.broken

    def line(self) -> str:
        """The figures for people."""
        told = ", ".join(f"{count} of {status}" for status, count in sorted(self.statuses.items()))
        return f"wrong requests to {self.routes} routes: {told}; {len(self.broken)} taken, answered by a 5xx, or stored"


async def send_corpus(place: Place) -> Sent:
    """Send all of it, then look at the database, and last see that what was not made wrong is right."""
    found = Sent()
    alive = await place.bear()
    async with Line(alive.port) as line:
        known = await routes(line, await owner(place, line))
        found.routes = len({(route.method, route.path) for route in known})
        found.broken += [f"unknown: {one}" for one in await undescribed(line, known)]
        await _settled(place.database)
        before = _contents(place.database)
        for route in known:
            for case in cases(route):
                _judge(found, route, case.what, await exchange(alive.port, case.raw))
            if route.method == "POST":
                _judge(found, route, "a slow body", await exchange(alive.port, _request(route, b'{"a": ', {}), slowly=True))
                _judge(found, route, "10 MB", await _flood(alive.port, route))
        after = _contents(place.database)
        found.broken += [f"the table {name} has changed" for name in before if after[name] != before[name]]
        for route in known:
            answer = await route.ask(line)
            found.broken += [] if answer.status == OK else [f"right, but refused: {route} {answer}"]
    await place.nursery.kill()
    return found


def _judge(found: Sent, route: Route, what: str, answers: list[Told]) -> None:
    """Each answer is a refusal in the shape that all have; only what cannot be wrong may be taken, for what changes nothing."""
    found.statuses.update(answer.status for answer in answers)
    if not answers:
        found.broken.append(f"{route.method} {route.path}: {what}: no answer")
    for answer in answers:
        fits = _refuses_its_items(answer) if route.path.endswith("/bulk") else 400 <= answer.status < 500 and _is_refusal(answer)
        if not fits and (answer.status >= 300 or route.method == "POST"):
            found.broken.append(f"{route.method} {route.path}: {what}: {answer}")


def _refuses_its_items(answer: Told) -> bool:
    """Items are judged one by one, unless the whole is wrong."""
    if answer.status != OK:
        return 400 <= answer.status < 500 and _is_refusal(answer)
    return all(item["execution_id"] is None and item["error"] for item in answer.json()["results"])


def _is_refusal(answer: Told) -> bool:
    return set(json.loads(answer.body)) == {"error", "message", "details"} and "x-request-id" in answer.headers


def cases(route: Route) -> Iterator[Case]:
    """Each of them is wrong in one respect, or odd in one that does not matter."""
    yield from _odd_heads(route)
    if route.method != "POST":
        return
    free = "callbacks" in route.path
    bodies = [] if free else [(f"{wrong[:20]!r}", wrong) for wrong in _NO_JSON]
    for what, body in [*bodies, *([] if free else _flawed(route.body))]:
        yield Case(what, _request(route, body, {}))
    right = msgspec.json.encode(route.body)
    yield Case("no JSON at all", _request(route, right, {"Content-Type": "text/plain"}))
    if not free:
        yield Case("a long key", _request(route, right, {"Idempotency-Key": "k" * 256}))
        yield Case("an empty key", _request(route, right, {"Idempotency-Key": ""}))
    yield Case("two at once", _request(route, b'{"a"', {}, close=False) + _request(route, b'{"b"', {}))
    for length in _LENGTHS:
        yield Case(length.decode(), _head(route.method, route.target, route.headers) + length + b"\r\n\r\n" + right)


def _odd_heads(route: Route) -> Iterator[Case]:
    for method in _METHODS:
        yield Case(method, _head(method, route.target, route.headers) + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
    if "{" in route.path:
        begin, _, rest = route.path.partition("{")
        for odd in _ODD_TARGETS:
            target = f"{begin}{odd}{rest.partition('}')[2]}"
            body = b"" if route.method == "GET" else msgspec.json.encode(route.body)
            yield Case(odd, _request(msgspec.structs.replace(route, target=target), body, {}))
    if route.method == "GET":
        for query in _QUERIES:
            target = f"{route.target}{'&' if '?' in route.target else '?'}{query}"
            yield Case(query, _request(msgspec.structs.replace(route, target=target), b"", {}))


def _flawed(body: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The body with one flaw after the other: of type, of text, of depth, an unknown key, a key that comes twice."""
    yield "an unknown key", msgspec.json.encode({**body, "nothing_like_it": 1})
    for path, value in _places(body):
        at = "/".join(map(str, path))
        for wrong in _WRONG_TYPES[type(value)]:
            yield f"{at} is {wrong!r}", msgspec.json.encode(_with(body, path, wrong)) if wrong != 2**70 else _raw(body, path, b"9" * 40)
        if isinstance(value, str):
            for unclean in (b'"a\\u0000b"', b'"a\\ud800"', b'"\\udfff\\ud800"'):
                yield f"{at} is {unclean!r}", _raw(body, path, unclean)
        yield f"{at} is deep", _raw(body, path, _DEEP)
        yield f"{at} comes twice", _twice(body, path)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if path:
        yield path, value
    if isinstance(value, dict) and (not path or path[-1] not in _FREE):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*path, index))


def _with(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    if not path:
        return wrong
    if isinstance(value, list):
        return [_with(inner, path[1:], wrong) if index == path[0] else inner for index, inner in enumerate(value)]
    return {key: _with(inner, path[1:], wrong) if key == path[0] else inner for key, inner in value.items()}


def _raw(value: Any, path: tuple[Any, ...], text: bytes) -> bytes:
    return msgspec.json.encode(_with(value, path, "@here@")).replace(b'"@here@"', text)


def _twice(body: dict[str, Any], path: tuple[Any, ...]) -> bytes:
    """The key of that place twice: first as it is right, then as it is wrong."""
    text = msgspec.json.encode(body)[:-1]
    return text + b"," + msgspec.json.encode(path[0]) + b":" + (b"7" if not isinstance(body[path[0]], int) else b'"x"') + b"}"


def _head(method: str, target: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: proofs", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def _request(route: Route, body: bytes, more: dict[str, str], *, close: bool = True) -> bytes:
    given = {**route.headers, "Content-Type": "application/json", "Content-Length": str(len(body)), **more}
    return _head(route.method, route.target, {**given, **({"Connection": "close"} if close else {})}) + b"\r\n" + body


async def exchange(port: int, raw: bytes, *, slowly: bool = False) -> list[Told]:
    """Everything that is answered until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head, _, body = raw.partition(b"\r\n\r\n")
    with suppress(OSError):
        if slowly:
            writer.write(head + b"\r\n\r\n")
            for byte in body:
                await asyncio.sleep(0.002)
                writer.write(bytes([byte]))
        else:
            writer.write(raw)
    return await _answers(reader, writer, 2 if body.count(b"HTTP/1.1\r\n") else 1)


async def _flood(port: int, route: Route) -> list[Told]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(route, b"", {"Content-Length": str(_MEGABYTES << 20)}, close=False))
    with suppress(OSError):
        for _ in range(_MEGABYTES):
            writer.write(b"x" * (1 << 20))
            await asyncio.wait_for(writer.drain(), 10)
    return await _answers(reader, writer, 1)


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int) -> list[Told]:
    answers: list[Told] = []
    with suppress(OSError, asyncio.IncompleteReadError):
        while len(answers) < most:
            answers.append(await asyncio.wait_for(read_answer(reader), 20))
    writer.transport.abort()
    return answers


async def _settled(database: Path) -> None:
    """Return once the sender has looked at all that there is to tell: it notes what nobody wants to hear."""
    with closing(sqlite3.connect(database)) as connection:
        while connection.execute("SELECT count(*) FROM outbox WHERE wanted IS NULL").fetchone() != (0,):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def _contents(database: Path) -> dict[str, str]:
    """A digest of each table, without what the engine notes of itself."""
    with closing(sqlite3.connect(database)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'meta'")]
        rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608 - its own names
    return {name: hashlib.sha256("\n".join(sorted(map(repr, found))).encode()).hexdigest() for name, found in rows.items()}
