"""What the operator decides: read once from the environment into one frozen object.

`SETTINGS` is the table that the README repeats and a test compares; a wrong value stops the start with one line that names it.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from engine.errors import SettingsError, StoreError
from engine.runtime.outbound.addresses import read_allowed
from engine.runtime.store.sqlite.address import sqlite_path

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/(s|m|h)")
_RATE_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_SHORTEST_KEY: Final = 32


class Rate(Struct, frozen=True):
    """So many requests in so many seconds."""

    count: int
    seconds: int


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting with its default; the names in the environment are these in capitals after `BATON_`."""

    database_url: str = "sqlite:///baton.db"
    secret_key: bytes | None = None
    old_secret_key: bytes | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    trusted_proxies: tuple[Network, ...] = ()
    allowed_hosts_outbound: tuple[str, ...] = ()
    otel_endpoint: str | None = None
    synchronous: Literal["full", "normal"] = "full"
    session_seconds: int = 3600
    session_renew_seconds: int = 30 * 24 * 3600
    public_url: str | None = None
    rate_limit_sessions: Rate | None = Rate(60, 60)
    rate_limit_messages: Rate | None = Rate(120, 60)


class Setting(Struct, frozen=True):
    """One row of the table: a name in the environment, its default as one would write it, and what it means."""

    name: str
    default: str
    meaning: str
    read: Callable[[str], Any]

    @property
    def field(self) -> str:
        """The attribute of `Settings` that it fills."""
        return self.name.removeprefix("BATON_").lower()


def is_postgresql(database_url: str) -> bool:
    """Whether the database is a server, which comes in a later version."""
    return database_url.startswith("postgresql://")


def _text(value: str) -> str:
    return value


def _database(value: str) -> str:
    if not is_postgresql(value):
        try:
            sqlite_path(value)
        except StoreError:
            raise ValueError("must be sqlite:///relative.db, sqlite:////absolute.db or postgresql://...") from None
    return value


def _secret(value: str) -> bytes:
    if len(value.encode()) < _SHORTEST_KEY:
        raise ValueError("must have 32 bytes or more")
    return value.encode()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", value) or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return read


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", value):
        raise ValueError("must be an http:// or https:// address")
    return value.rstrip("/")


def _rate(value: str) -> Rate | None:
    if value == "off":
        return None
    found = _RATE.fullmatch(value)
    if found is None:
        raise ValueError("must be a count per second, minute or hour such as 60/m, or off")
    return Rate(int(found[1]), _RATE_SECONDS[found[2]])


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, with commas between them") from None


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(part.strip() for part in value.split(",") if part.strip())
    read_allowed(hosts)
    return hosts


SETTINGS: Final = (
    Setting(
        "BATON_DATABASE_URL",
        "sqlite:///baton.db",
        "where everything is kept: `sqlite:///FILE` (`postgresql://...` in a later version)",
        _database,
    ),
    Setting("BATON_SECRET_KEY", "", "signs tokens, 32 bytes or more; `--dev` makes one and keeps it beside the database", _secret),
    Setting("BATON_OLD_SECRET_KEY", "", "the key before: what it signed and sealed stays good until it is taken away", _secret),
    Setting("BATON_HOST", "127.0.0.1", "the address that the server listens on", _text),
    Setting("BATON_PORT", "8080", "the port that the server listens on", _whole(0, 65_535)),
    Setting("BATON_WORKERS", "1", "server processes; more than one needs PostgreSQL, and so a later version", _whole(1, 256)),
    Setting("BATON_LOG_LEVEL", "info", "debug, info, warning or error", _one_of("debug", "info", "warning", "error")),
    Setting("BATON_LOG_FORMAT", "json", "json (one object a line) or console (for people)", _one_of("json", "console")),
    Setting("BATON_TRUSTED_PROXIES", "", "addresses or networks whose `X-Forwarded-For` is believed", _networks),
    Setting("BATON_ALLOWED_HOSTS_OUTBOUND", "", "`host[:port],...`: non-public addresses that flows and webhooks may reach", _hosts),
    Setting("BATON_OTEL_ENDPOINT", "", "where OpenTelemetry traces are to go; does nothing in this version but say so in the log", _url),
    Setting("BATON_SYNCHRONOUS", "full", "full: answered turns survive a power cut; normal: a crash", _one_of("full", "normal")),
    Setting("BATON_SESSION_SECONDS", "3600", "how long a session token opens its conversation", _whole(1, 86_400)),
    Setting("BATON_SESSION_RENEW_SECONDS", "2592000", "how old a session token may be to continue its conversation", _whole(1, 31_536_000)),
    Setting("BATON_PUBLIC_URL", "", "what callback addresses begin with; empty: where the server listens", _url),
    Setting("BATON_RATE_LIMIT_SESSIONS", "60/m", "sessions that one address may open, or `off`", _rate),
    Setting("BATON_RATE_LIMIT_MESSAGES", "120/m", "messages that one conversation may be sent, or `off`", _rate),
)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings as the environment has them; an empty value counts as absent. Raises SettingsError that names the variable."""
    given: dict[str, Any] = {}
    for setting in SETTINGS:
        value = environment.get(setting.name, "").strip()
        if value:
            given[setting.field] = _checked(setting, value)
    return Settings(**given)


def _checked(setting: Setting, value: str) -> Any:
    try:
        return setting.read(value)
    except ValueError as refusal:
        raise SettingsError(f"{setting.name} {refusal}.") from None
