"""The nodes whose work is done outside the run."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from engine.model.nodes.common import Common, Target, Waiting
from engine.model.values import Duration, EventName, Name, Template

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

OnError = Target | dict[str, Target]
"""Where a failure leads: every one, or each by its status (`404`), the class of its status (`5xx`), its code, or `other`."""


class Http(Common, frozen=True, kw_only=True, tag="http"):
    """Makes one HTTP request and goes on with its answer.

    ```yaml
    type: http
    method: GET
    url: https://shop.example/orders/{{ vars.order_number }}
    save: answer
    on_error: {404: not_found, other: sorry}
    next: tell
    ```
    """

    method: Method
    url: Template
    """With a connection, a path below its `base_url`; the values of expressions are percent-encoded, each as one component."""
    next: Target
    query: dict[str, Any] = field(default_factory=dict)
    """Name to value or list of values; null leaves the name out."""
    headers: dict[str, Template] = field(default_factory=dict)
    json: Any = None
    body: Template | None = None
    connection: Name | None = None
    idempotency_key: Template | None = None
    """Sent as the header of that name, the same with every try."""
    timeout: Duration = "10s"
    """For each try, at most 60s."""
    retries: Annotated[int, Meta(ge=0, le=3)] = 0
    """More tries after 5xx, 429 and failures to connect; for repeatable requests alone."""
    save: Name | None = None
    """The variable that takes {status, headers, json, text, retries}; null when no answer came."""
    on_error: OnError | None = None


class Task(Waiting, frozen=True, kw_only=True, tag="task"):
    """Hands work to a queue that workers claim from, and waits for its result.

    ```yaml
    type: task
    queue: documents
    payload: {file: "{{ vars.passport.file_id }}"}
    save: verdict
    on_error: by_hand
    timeout: {after: 1d, next: by_hand}
    next: tell
    ```
    """

    queue: Name
    next: Target
    payload: dict[str, Any] = field(default_factory=dict)
    save: Name | None = None
    """The variable that takes what the worker gave; null after a failure or a timeout."""
    on_error: OnError | None = None


class EmitEvent(Common, frozen=True, kw_only=True, tag="emit"):
    """Sends an event to the tenant's webhooks.

    ```yaml
    type: emit
    event: order.confirmed
    data: {order: "{{ vars.order_number }}"}
    next: end
    ```
    """

    event: EventName
    next: Target
    data: dict[str, Any] = field(default_factory=dict)
