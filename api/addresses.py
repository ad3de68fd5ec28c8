"""The client address that a request counts for: the peer's, or the one that trusted proxies report."""

import ipaddress
from collections.abc import Sequence

from litestar.types import HTTPScope

from api.settings import Network

UNKNOWN = "unknown"
_OWN_BITS = 64
"""Bits of an IPv6 address that its owner chooses freely: who is given a network of 64 has 2^64 addresses, and is one asker."""


def counted_address(address: str) -> str:
    """What requests from the address are counted for: the address, its network for IPv6, and IPv4 written as IPv6 as what it is."""
    if ":" not in address:
        return address
    try:
        known = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return str(known.ipv4_mapped or ipaddress.IPv6Address(int(known) >> _OWN_BITS << _OWN_BITS))


def client_address(scope: HTTPScope, trusted: Sequence[Network]) -> str:
    """The nearest address that is not a trusted proxy's: X-Forwarded-For is believed from the right, as far as trust goes."""
    client = scope.get("client")
    peer = client[0] if client else UNKNOWN
    if not trusted or not _is_trusted(peer, trusted):
        return peer
    address = peer
    for hop in reversed(_forwarded(scope)):
        if not _is_address(hop):
            break
        address = hop
        if not _is_trusted(hop, trusted):
            break
    return address


def _forwarded(scope: HTTPScope) -> list[str]:
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for line in lines for hop in line.split(",") if hop.strip()]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    return _is_address(text) and any(ipaddress.ip_address(text) in network for network in trusted)
