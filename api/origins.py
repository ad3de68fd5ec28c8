"""Which pages may speak to the chat surface: origins compared by scheme, host and port, and the CORS headers that follow.

A key's list holds origins such as `https://shop.example`, or `https://*.shop.example` for every subdomain of it (and not for itself).
"""

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Final

from api.wire import Answer, Headers
from engine.errors import OriginNotAllowed
from engine.runtime.catalog import Catalog
from engine.runtime.store.registry import PublicKeyRow

EXPOSED: Final = b"ETag, Idempotent-Replayed, X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
_ALLOWED_HEADERS: Final = b"Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, X-Request-Id"
_ALLOWED_METHODS: Final = b"GET, POST, PATCH, OPTIONS"
_PREFLIGHT_SECONDS: Final = b"600"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_*.-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_FRESH: Final = 0.5
"""Seconds for which what all keys allow is remembered: a change must be seen within two, and the catalog takes up to one."""
_MOST_ORIGINS: Final = 1_000
_LONGEST_ORIGIN: Final = 300
"""Characters: a host has 253 at most. What is longer is nobody's page, and not worth remembering."""
Parts = tuple[str, str, int]


def origin_parts(origin: str) -> Parts | None:
    """Scheme, host and port of an origin; None for `null` and for anything with more than these in it."""
    return _known_parts(origin) if len(origin) <= _LONGEST_ORIGIN else None


@lru_cache(maxsize=4096)
def _known_parts(origin: str) -> Parts | None:
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return None
    scheme = found[1].lower()
    return scheme, found[2].lower(), int(found[3]) if found[3] else _DEFAULT_PORTS[scheme]


def is_local(origin: str) -> bool:
    """Whether the origin is a page on this very machine."""
    parts = origin_parts(origin)
    return parts is not None and (parts[1] in _LOCAL_HOSTS or parts[1].endswith(".localhost"))


def fits(origin: str, patterns: Collection[str]) -> bool:
    """Whether one of the patterns lets the origin in."""
    parts = origin_parts(origin)
    return parts is not None and "*" not in parts[1] and any(_fits(parts, pattern) for pattern in patterns)


def _fits(parts: Parts, pattern: str) -> bool:
    wanted = origin_parts(pattern.strip().removesuffix("/"))
    if wanted is None or (parts[0], parts[2]) != (wanted[0], wanted[2]):
        return False
    if wanted[1].startswith("*."):
        return parts[1].endswith(wanted[1][1:]) and len(parts[1]) > len(wanted[1][1:])
    return parts[1] == wanted[1]


class OriginRules:
    """Applies the keys' lists; in `--dev` any page on this machine is let in as well."""

    def __init__(self, catalog: Catalog, monotonic: Callable[[], float], *, dev: bool) -> None:
        self._catalog = catalog
        self._monotonic = monotonic
        self._dev = dev
        self._known: dict[str, bool] = {}
        self._fresh_until = -1.0

    def check(self, key: PublicKeyRow, origin: str | None, *, required: bool) -> None:
        """Raise OriginNotAllowed for a page that the key does not name; a missing origin passes unless it is required."""
        if origin is None:
            if required and not key.native and not self._dev:
                raise OriginNotAllowed
        elif not (self._dev and is_local(origin)) and not fits(origin, key.origins):
            raise OriginNotAllowed

    def knows(self, origin: str) -> bool:
        """Whether any active key lets the origin in: a preflight cannot say which key it is for."""
        if len(origin) > _LONGEST_ORIGIN:
            return False
        now = self._monotonic()
        if now >= self._fresh_until or len(self._known) >= _MOST_ORIGINS:
            self._known.clear()
            self._fresh_until = now + _FRESH
        known = self._known.get(origin)
        if known is None:
            known = self._known[origin] = (self._dev and is_local(origin)) or fits(origin, self._catalog.origins())
        return known

    def preflight(self, origin: str) -> Answer:
        """The answer to a preflight; without the CORS headers when nobody allows the origin."""
        if not self.knows(origin):
            return Answer(204, b"", [(b"vary", b"Origin")])
        return Answer(
            204,
            b"",
            [
                *_shared(origin),
                (b"access-control-allow-methods", _ALLOWED_METHODS),
                (b"access-control-allow-headers", _ALLOWED_HEADERS),
                (b"access-control-max-age", _PREFLIGHT_SECONDS),
            ],
        )

    def headers(self, origin: str) -> Headers:
        """What an answer to a page carries so that the page may read it."""
        if not self.knows(origin):
            return [(b"vary", b"Origin")]
        return [*_shared(origin), (b"access-control-expose-headers", EXPOSED)]


def _shared(origin: str) -> Headers:
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
