"""The sample shop of `scripts/shop`, to which the flows in `flows/` have a connection where somebody tries things."""

from collections.abc import Iterable, Sequence
from typing import Final

from engine.loading import Loaded
from engine.model.nodes import Http
from engine.runtime.connections import Terms

SHOP: Final = "shop"
PORT: Final = 8090
URL: Final = f"http://127.0.0.1:{PORT}"
TERMS: Final = Terms(kind="bearer", base_url=URL, secret="sample-shop")  # noqa: S106 - for everybody to know
_HOST: Final = f"127.0.0.1:{PORT}"


def with_shop(allowed: Sequence[str]) -> tuple[str, ...]:
    """The addresses that flows may reach, and the sample shop's among them."""
    return (*allowed, _HOST)


def needs_shop(loaded: Iterable[Loaded]) -> bool:
    """Whether one of the flows makes requests over the connection `shop`."""
    nodes = [node for one in loaded if one.flow is not None for node in one.flow.nodes.values()]
    return any(isinstance(node, Http) and node.connection == SHOP for node in nodes)
