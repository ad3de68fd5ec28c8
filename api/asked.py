"""One request as our routes see it: headers, query and path, read without more work than a route needs."""

import hashlib
from typing import Any
from urllib.parse import parse_qsl

from litestar.types import HTTPScope, Receive

from api.wire import Headers
from engine.model.problems import Problem
from engine.runtime.ids import is_uuid
from engine.runtime.requests import Idempotency

NOWHERE = "00000000-0000-0000-0000-000000000000"
"""An id that nothing has: it stands in for one that is malformed, so that both are refused at the same place in the order of checks."""

_LONGEST_KEY = 255


class Asked:
    """A request, and what was found wrong with its headers and query so far."""

    __slots__ = ("extra", "headers", "receive", "scope", "unfit")

    def __init__(self, scope: HTTPScope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.extra: Headers = []
        """Headers that every answer to this request carries, whatever it is."""
        self.unfit: list[Problem] = []

    @property
    def request_id(self) -> str:
        """The id under which the log and the answer speak of this request."""
        return str(self.scope["state"].get("request_id", ""))

    def header(self, name: bytes) -> str | None:
        """A header's value; `name` in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1").strip()

    def path_id(self, name: str) -> str:
        """An id from the path; NOWHERE for one that is malformed."""
        return existing_id(self.scope["path_params"].get(name))

    def query(self) -> dict[str, str]:
        """The query parameters; the last of those with one name counts."""
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    def bearer(self) -> str:
        """The credential in `Authorization: Bearer ...`; empty where there is none."""
        scheme, _, token = self.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def idempotency(self, scope: str, raw: bytes) -> Idempotency | None:
        """The Idempotency-Key in its scope with a digest of method, path and the bytes of the body; a malformed one becomes a problem."""
        key = self.header(b"idempotency-key")
        if key is None:
            return None
        if not 1 <= len(key) <= _LONGEST_KEY:
            self.unfit.append(Problem("/Idempotency-Key", "length", "Idempotency-Key must have 1 to 255 characters."))
            return None
        return Idempotency(scope, key, self._digest(raw))

    def _digest(self, raw: bytes) -> bytes:
        return hashlib.sha256(b"\0".join((self.scope["method"].encode(), self.scope["path"].encode("utf-8", "replace"), raw))).digest()


def existing_id(value: Any) -> str:
    """The id as it is when it is a UUID; else one that nothing has."""
    return value if isinstance(value, str) and is_uuid(value) else NOWHERE
