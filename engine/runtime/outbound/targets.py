"""What an address in a text means: read strictly, so that nobody who reads it later can take it for another."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urljoin

from msgspec import Struct

from engine.model.values import Json
from engine.runtime.outbound.addresses import read_host
from engine.runtime.outbound.port import SendFailed, blocked

_URL: Final = re.compile(
    r"(https?)://(\[[^\]/?#@]*\]|[^:/?#@\[\]\\]+)(?::([0-9]{0,5}))?(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65_535
_SAFE: Final = "!$%&'()*+,/:;=?@[]~-._"
"""What stays as it is in a path or a query; a percent sign, since it is encoded already."""


class Target(Struct, frozen=True):
    """Where a request goes: an address in a text, taken apart. `repr` shows the origin alone."""

    scheme: str
    host: str
    """A name in small letters or an address in canonical form, without brackets."""
    port: int
    path: str
    """What is asked for there: the path, with the query behind its question mark; ASCII."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials belong to."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def __repr__(self) -> str:
        return f"Target({self.scheme}://{self.authority}/...)"


def read_target(url: str) -> Target:
    """The target that the text names; raises SendFailed (`http.blocked`) where it names none that may be asked."""
    found = None if _CONTROL.search(url) else _URL.fullmatch(url)
    if found is None:
        raise blocked("The address must be http:// or https:// with a plain host, and have neither user names nor control characters.")
    scheme, host, port = found[1].lower(), read_host(found[2]), int(found[3] or _PORTS[found[1].lower()])
    if host is None:
        raise blocked("The host must be a plain name in ASCII or an address in its usual form.")
    if not 0 < port <= _LAST_PORT:
        raise blocked("The port must be from 1 to 65535.")
    query = "" if found[5] is None else f"?{_encoded(found[5])}"
    return Target(scheme, host, port, (_encoded(found[4]) if found[4] else "/") + query)


def with_query(target: Target, query: Mapping[str, Json]) -> Target:
    """The target with the names and values behind its query; a pair that stands there already is not repeated."""
    path, _, present = target.path.partition("?")
    pairs = present.split("&") if present else []
    pairs += [pair for pair in _pairs(query) if pair not in pairs]
    return Target(target.scheme, target.host, target.port, f"{path}?{'&'.join(pairs)}" if pairs else target.path)


def redirected(target: Target, location: str) -> Target:
    """Where an answer from the target points, relative to it; raises SendFailed as `read_target` does."""
    if _CONTROL.search(location):
        raise blocked("The answer points to an address that cannot be read.")
    try:
        return read_target(urljoin(target.url, location.strip(" ")))
    except (ValueError, SendFailed):
        raise blocked("The answer points to an address that may not be asked.") from None


def _pairs(query: Mapping[str, Json]) -> list[str]:
    pairs = []
    for name, given in query.items():
        values = given if isinstance(given, list | tuple) else [given]
        pairs += [f"{_component(name)}={_component(_written(value))}" for value in values if value is not None]
    return pairs


def _written(value: Json) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            raise blocked("A value in the query must be a text, a number, a boolean or a list of them.")


def _component(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeError:
        raise blocked("The query holds a character that does not exist.") from None


def _encoded(text: str) -> str:
    try:
        return quote(text, safe=_SAFE)
    except UnicodeError:
        raise blocked("The address holds a character that does not exist.") from None
