"""Tokens are derived, not stored: an id and an HMAC of (purpose, tenant, id) under the server's key.

The first character after the prefix is of the key, so that keys can be rotated: new tokens are made with the first key of the ring, and
tokens of the others stay valid until they are taken off it.
"""

import base64
import binascii
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from engine.model.values import Millis

_MAC_BYTES: Final = 16
_ID_BYTES: Final = 16
_BLOCK: Final = 64


class Session(Struct, frozen=True, array_like=True):
    """What a session token says: whose it is, and since when."""

    tenant_id: str
    public_key_id: str
    conversation_id: str
    customer_id: str | None
    locale: str | None
    issued_at: Millis
    origin: str | None = None


class Keyring:
    """Makes and reads tokens under the server's keys; the first is used for new tokens."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys: defaultdict[str, list[_Mac]] = defaultdict(list)
        """By their characters, which two of them may share."""
        for key in keys:
            self._keys[_character(key)].append(_Mac(key))
        self._current = _character(keys[0])
        self._maker = _Mac(keys[0])
        self._encoder = msgspec.msgpack.Encoder()
        self._leases = msgspec.msgpack.Decoder(tuple[str, int])
        self._callbacks = msgspec.msgpack.Decoder(tuple[str, str, str])
        self._sessions = msgspec.msgpack.Decoder(Session)

    def wait_token(self, tenant_id: str, wait_id: str) -> str:
        """The token that answers the wait."""
        raw = bytes.fromhex(wait_id.replace("-", ""))
        return f"wt_{self._current}{_text(raw + self._made(b'wait', tenant_id, raw))}"

    def wait_id(self, tenant_id: str, token: str) -> str | None:
        """The id of the wait that the token was made for; None when it was never made here, or for another tenant."""
        opened = self._open(token, "wt_", b"wait", tenant_id)
        return _uuid(opened.hex()) if opened is not None and len(opened) == _ID_BYTES else None

    def lease_token(self, tenant_id: str, task_id: str, attempt: int) -> str:
        """The token of one claim of a task."""
        raw = self._encoder.encode((task_id, attempt))
        return f"lt_{self._current}{_text(raw + self._made(b'lease', tenant_id, raw))}"

    def lease(self, tenant_id: str, token: str) -> tuple[str, int] | None:
        """Task and attempt of the token; None when it was never made here, or for another tenant."""
        opened = self._open(token, "lt_", b"lease", tenant_id)
        try:
            return None if opened is None else self._leases.decode(opened)
        except msgspec.DecodeError:
            return None

    def callback_token(self, tenant_id: str, run_id: str, callback: str) -> str:
        """The token that calls one visit of a run back; the same visit has the same one."""
        raw = self._encoder.encode((tenant_id, run_id, callback))
        return f"cb_{self._current}{_text(raw + self._made(b'callback', '', raw))}"

    def callback(self, token: str) -> tuple[str, str, str] | None:
        """Tenant, run and visit of the token; None when it was never made here."""
        opened = self._open(token, "cb_", b"callback", "")
        try:
            return None if opened is None else self._callbacks.decode(opened)
        except msgspec.DecodeError:
            return None

    def session_token(self, session: Session) -> str:
        """The token that opens this session; the same session gives the same token."""
        raw = self._encoder.encode(session)
        return f"st_{self._current}{_text(raw + self._made(b'session', '', raw))}"

    def session(self, token: str) -> Session | None:
        """The session that the token was made for; None when it was never made here. Its age is the caller's to judge."""
        opened = self._open(token, "st_", b"session", "")
        try:
            return None if opened is None else self._sessions.decode(opened)
        except msgspec.DecodeError:
            return None

    def _open(self, token: str, prefix: str, purpose: bytes, tenant_id: str) -> bytes | None:
        key_id = token[len(prefix) : len(prefix) + 1]
        if not token.startswith(prefix) or key_id not in self._keys:
            return None
        raw = _bytes(token[len(prefix) + 1 :])
        if raw is None or len(raw) <= _MAC_BYTES:
            return None
        said, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        signed = _signed(purpose, tenant_id, said)
        return said if any(hmac.compare_digest(mac, key.of(signed)) for key in self._keys[key_id]) else None

    def _made(self, purpose: bytes, tenant_id: str, said: bytes) -> bytes:
        return self._maker.of(_signed(purpose, tenant_id, said))


class _Mac:
    """HMAC-SHA256 (RFC 2104) under one key, whose two hashes are begun once and copied.

    The standard library's own costs twice as much in each turn; its one-shot form also gives up the interpreter's lock.
    """

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def of(self, said: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(said)
        outer.update(inner.digest())
        return outer.digest()[:_MAC_BYTES]


def _signed(purpose: bytes, tenant_id: str, said: bytes) -> bytes:
    return b"\0".join((purpose, tenant_id.encode(), said))


def _character(key: bytes) -> str:
    """One of 64 by which most other keys are told apart; it tells nothing of the key that would help to find it."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"baton token key\0" + key).digest()[:1])[:1].decode()


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    """The bytes of unpadded base64url in its one canonical form; None for anything else, so that no token has two spellings."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if _text(raw) == text else None
