"""Who speaks on the chat surface: session tokens, public keys, signed customers."""

import hashlib
import hmac
from functools import lru_cache
from typing import Final

from msgspec import Struct

from api.asked import Asked
from api.foreign import clean_text
from api.origins import OriginRules
from api.settings import Settings
from engine.errors import InvalidSessionToken, InvalidSignature, WidgetDisabled
from engine.runtime.catalog import Catalog
from engine.runtime.requests import Caller
from engine.runtime.runtime import Runtime
from engine.runtime.store.registry import PublicKeyRow
from engine.runtime.tokens import Session

_REMEMBERED: Final = 10_000
"""Tokens whose signature is not computed anew with every request; age and key are judged each time."""
_LONGEST_TOKEN: Final = 2_048
"""Characters; ours stay well below. What is longer is refused unread, since what is read is remembered."""


class Guest(Struct, frozen=True):
    """Who asks, as a session token proved it, with the public key that the session was got for."""

    session: Session
    key: PublicKeyRow
    caller: Caller


class SessionDesk:
    """Checks credentials in the order of the contract: the token, then the key, then the page's origin."""

    def __init__(self, runtime: Runtime, settings: Settings, origins: OriginRules) -> None:
        self._runtime = runtime
        self._origins = origins
        self._age = settings.session_seconds * 1000
        self._renewal_age = settings.session_renew_seconds * 1000
        self._read = lru_cache(_REMEMBERED)(runtime.keyring.session)

    @property
    def _catalog(self) -> Catalog:
        return self._runtime.catalog

    def session(self, asked: Asked) -> Session | None:
        """The session whose token the request carries, if it is genuine and not too old."""
        token = asked.bearer()
        session = self._read(token) if 0 < len(token) <= _LONGEST_TOKEN else None
        return session if session is not None and self._runtime.store.now() - session.issued_at < self._age else None

    def admit(self, asked: Asked, session: Session | None) -> Guest:
        """The guest that the session makes; refuses an absent session, a key that is not active, and a page that the key does not name."""
        if session is None:
            raise InvalidSessionToken
        key = self._catalog.public_key(session.public_key_id)
        if key is None or key.status != "active" or key.tenant_id != session.tenant_id:
            raise WidgetDisabled
        self._origins.check(key, asked.header(b"origin"), required=False)
        return Guest(session, key, _caller(session, key))

    def opened_key(self, asked: Asked, public_key: str) -> PublicKeyRow:
        """The key that a session is to be opened for; refuses one that is not active, and a page that it does not name."""
        key = self._catalog.public_key(public_key) if public_key.startswith("pk_") else None
        if key is None or key.status != "active":
            raise WidgetDisabled
        self._origins.check(key, asked.header(b"origin"), required=True)
        return key

    def renewed(self, token: str | None, public_key: str) -> Session | None:
        """The session that goes on; refuses a token that is forged, too old to be renewed, or another key's."""
        if token is None:
            return None
        session = self._runtime.keyring.session(token)
        if session is None or self._runtime.store.now() - session.issued_at > self._renewal_age:
            raise InvalidSessionToken
        key = self._catalog.public_key(public_key)
        if key is None or (key.tenant_id, key.id) != (session.tenant_id, session.public_key_id):
            raise InvalidSessionToken
        return session


def signed_customer(key: PublicKeyRow, customer_id: str | None, signature: str | None) -> str | None:
    """The customer's id when its signature proves it, None without one; refuses a signature that does not fit."""
    if signature is None:
        return None
    if customer_id is None or customer_id != clean_text(customer_id):
        raise InvalidSignature
    expected = hmac.new(key.identity_secret.encode(), customer_id.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise InvalidSignature
    return customer_id


def _caller(session: Session, key: PublicKeyRow) -> Caller:
    return Caller(
        tenant_id=session.tenant_id,
        conversation_id=session.conversation_id,
        customer_id=session.customer_id,
        public_key_id=key.id,
        intents=None if key.intents is None else frozenset(key.intents),
        locale=session.locale,
    )
