"""Callbacks: addresses that somebody outside calls once. Runs know a placeholder; the token is written in where an effect leaves."""

from typing import Final
from urllib.parse import quote

from engine.interpreter.placeholders import PLACEHOLDER
from engine.model.values import Json
from engine.runtime.tokens import Keyring

PATH: Final = "/api/v1/engine/callbacks/"


class Callbacks:
    """Fills in the addresses of one server."""

    def __init__(self, keyring: Keyring, public_url: str) -> None:
        self._keyring = keyring
        self._base = public_url.rstrip("/") + PATH

    def filled(self, value: Json, tenant_id: str, run_id: str) -> Json:
        """The value with an address in the place of each placeholder of the run's own."""
        match value:
            case str() if "\0" in value:
                return PLACEHOLDER.sub(lambda found: self._address(tenant_id, run_id, found[1]), value)
            case dict():
                return {name: self.filled(inner, tenant_id, run_id) for name, inner in value.items()}
            case list():
                return [self.filled(inner, tenant_id, run_id) for inner in value]
            case _:
                return value

    def filled_url(self, url: str, tenant_id: str, run_id: str) -> str:
        """The address of a request, in which that of a callback is one component."""
        return PLACEHOLDER.sub(lambda found: quote(self._address(tenant_id, run_id, found[1]), safe=""), url)

    def _address(self, tenant_id: str, run_id: str, callback: str) -> str:
        return self._base + self._keyring.callback_token(tenant_id, run_id, callback)


def callbacks_in(value: Json) -> list[str]:
    """The keys of the callbacks whose placeholders stand somewhere in the value, in order."""
    match value:
        case str():
            return PLACEHOLDER.findall(value)
        case dict():
            return [key for inner in value.values() for key in callbacks_in(inner)]
        case list() | tuple():
            return [key for inner in value for key in callbacks_in(inner)]
        case _:
            return []
