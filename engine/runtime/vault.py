"""Secrets at rest: sealed under a key that is derived from the server's, so that a copy of the database opens nothing.

What is sealed names the key it was sealed with and is bound to what it is about: moved to another place it does not open.
New seals are made with the first key of the ring; those of the others open until they are taken off it.
"""

import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.errors import BatonError

_FORMAT: Final = b"\x01"
_NAME_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class SealBroken(BatonError):
    """The secret was sealed under a key that is not on the ring, about something else, or was changed."""


class Vault:
    """Seals and opens secrets; the keys are the server's, 32 bytes or more each."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        derived = [_derived(key) for key in keys]
        self._current = derived[0][0]
        self._ciphers = {name: AESGCM(key) for name, key in derived}

    def seal(self, secret: str, about: str) -> bytes:
        """The secret as it may be stored; `about` says whose it is and what for."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, secret.encode(), about.encode())
        return _FORMAT + self._current + nonce + sealed

    def open(self, sealed: bytes, about: str) -> str:
        """The secret; raises SealBroken where it cannot be had."""
        name, nonce = sealed[1 : 1 + _NAME_BYTES], sealed[1 + _NAME_BYTES : 1 + _NAME_BYTES + _NONCE_BYTES]
        cipher = self._ciphers.get(name)
        if sealed[:1] != _FORMAT or cipher is None or len(nonce) < _NONCE_BYTES:
            raise SealBroken("The secret was sealed under a key that this server does not have.")
        try:
            return cipher.decrypt(nonce, sealed[1 + _NAME_BYTES + _NONCE_BYTES :], about.encode()).decode()
        except InvalidTag as error:
            raise SealBroken("The sealed secret was changed, or is about something else.") from error

    def has_key_of(self, sealed: bytes) -> bool:
        """Whether one of the ring's keys has sealed it."""
        return sealed[1 : 1 + _NAME_BYTES] in self._ciphers

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key of the ring has sealed it; else it is to be sealed again before its key is taken off."""
        return sealed[1 : 1 + _NAME_BYTES] == self._current


def _derived(key: bytes) -> tuple[bytes, bytes]:
    """The key for sealing, and its name: neither tells anything of the server's key."""
    made = HKDF(algorithm=hashes.SHA256(), length=_NAME_BYTES + _KEY_BYTES, salt=None, info=b"baton secrets at rest").derive(key)
    return made[:_NAME_BYTES], made[_NAME_BYTES:]
