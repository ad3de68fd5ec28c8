"""Which network addresses a run's request may reach: pure functions, no look-up, no connection.

The tables are the IANA special-purpose registries, written out: what the `ipaddress` module calls global differs from one
version of Python to the next.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from engine.errors import SettingsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_PUBLIC_4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network; 0.0.0.0 reaches the machine itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT; Alibaba's metadata is there too
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server, an address that looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays from IPv6 to IPv4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_PUBLIC_6: Final = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4: the IPv4 address inside is where it goes
        "3ffe::/16",
        "3fff::/20",
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
"""What no setting opens: clouds' metadata and links, and what is no one machine's address."""
_METADATA_NAMES: Final = frozenset({"metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"})
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_NAME: Final = 253


class Allowed(Struct, frozen=True):
    """One address or name that the operator opened, at one port or (None) at all."""

    host: str
    port: int | None = None


def read_host(text: str) -> str | None:
    """The host of an address as it is compared and sent: a name in small letters, or an address in its one canonical form.

    None for what may mean something else to whoever reads it next: 127.1, 0x7f.0.0.1, 2130706433, other scripts' digits and
    dots, percent signs, zones, empty labels. Names in other scripts are written as xn--.
    """
    host = text.lower().removesuffix(".") if text.isascii() else ""
    if host.startswith("[") and host.endswith("]"):
        return _literal(ipaddress.IPv6Address, host[1:-1])
    labels = host.split(".")
    if len(host) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if _NUMBER.fullmatch(labels[-1]):
        return _literal(ipaddress.IPv4Address, host)
    return host


def as_address(text: str) -> Address | None:
    """The address that the text is, or None; an IPv4 address in IPv6's clothes (::ffff:0:0/96) is taken as what it is."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    """Whether the address is one of the internet's at large, and no cloud's, network's or machine's own."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(_embedded(address))
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


def may_ask_for(host: str) -> bool:
    """Whether the name may be looked up at all."""
    return host not in _METADATA_NAMES


def may_reach(address: Address, host: str, port: int, allowed: Sequence[Allowed]) -> bool:
    """Whether a connection for the host may go to this address of its own: a public one, or one that the operator opened."""
    if is_public(address):
        return True
    if address in _NAT64 or any(address.version == network.version and address in network for network in _NEVER):
        return False
    return any(entry.host in (host, str(address)) and entry.port in (None, port) for entry in allowed)


def read_allowed(entries: Sequence[str]) -> tuple[Allowed, ...]:
    """The operator's list (`host`, `host:port`, `[address]:port`); raises SettingsError for an entry that means nothing here."""
    return tuple(_entry(entry) for entry in entries)


def _entry(entry: str) -> Allowed:
    found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?", entry)
    host = read_host(found[1]) if found else None
    if found is None or host is None or (found[2] and not 0 < int(found[2]) <= 65_535):  # noqa: PLR2004 - the last port
        raise SettingsError(f"BATON_ALLOWED_HOSTS_OUTBOUND has {entry!r}, which is no host or host:port.")
    return Allowed(host, int(found[2]) if found[2] else None)


def _literal(kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address], text: str) -> str | None:
    try:
        kind(text)
    except ValueError:
        return None
    return None if "%" in text else str(as_address(text))


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
