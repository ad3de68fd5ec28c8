"""The nodes whose work is done outside the run."""

from typing import Literal

from engine.model.nodes.common import Common, Target
from engine.model.values import Name, Template


class Http(Common, frozen=True, kw_only=True, tag="http"):
    """One HTTP request: the first node whose work is done outside the run.

    No flow file can name it yet (`engine.loading` refuses the type); the path that its Invoke and Returned take is whole.

    ```yaml
    type: http
    method: GET
    url: https://shop.example/orders
    save: answer
    next: end
    on_error: sorry
    ```
    """

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    url: Template
    next: Target
    save: Name | None = None
    on_error: Target | None = None
