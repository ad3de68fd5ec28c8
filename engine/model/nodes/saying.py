"""The nodes that show something and go on."""

from typing import Any, Literal

from msgspec import field

from engine.model.nodes.common import Common, Target
from engine.model.values import Name, Text


class Message(Common, frozen=True, kw_only=True, tag="message"):
    """Says a text.

    ```yaml
    type: message
    text: "Order {{ vars.order_number }} has shipped."
    next: end
    ```
    """

    text: Text
    next: Target
    format: Literal["plain", "markdown"] = "plain"


class ShowBlock(Common, frozen=True, kw_only=True, tag="block"):
    """Shows a block of any other kind; `fallback` is for clients that do not know it.

    ```yaml
    type: block
    block: card
    payload: {title: "Order {{ vars.order_number }}", image: https://shop.example/a-1.png}
    fallback: "Order {{ vars.order_number }}"
    next: end
    ```
    """

    block: Name
    next: Target
    payload: dict[str, Any] = field(default_factory=dict)
    fallback: Text | None = None
