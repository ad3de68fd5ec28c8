"""The nodes that wait without asking."""

from typing import Any

from msgspec import Struct, field

from engine.model.nodes.common import Target, Waiting
from engine.model.values import EventName, Name, Template


class Cause(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"length": "for"}):
    """One of the things that end a `wait` with `any`: exactly one of `for`, `until` and `event`."""

    name: Name | None = None
    """How `routes` and `save` call it."""
    length: Template | None = None
    """A duration, or a template that gives one when the wait begins."""
    until: Template | None = None
    """A date-time, or a template that gives one; one without an offset is in the flow's zone."""
    event: EventName | None = None
    match: dict[str, Any] = field(default_factory=dict)
    """Path in the event's data, such as `order.id`, to the value or template that must stand there; all of them."""


class Wait(Waiting, frozen=True, kw_only=True, tag="wait", rename={"length": "for", "causes": "any"}):
    """Waits until a moment or an event has come: exactly one of `for`, `until`, `event` and `any`.

    ```yaml
    type: wait
    any:
      - {name: soon, for: 2h}
      - {name: morning, until: "{{ now | add('1d') | date('yyyy-MM-dd') }}T08:00"}
    routes: {morning: greet}
    save: woken
    next: ask_again
    ```
    """

    next: Target
    length: Template | None = None
    until: Template | None = None
    event: EventName | None = None
    match: dict[str, Any] = field(default_factory=dict)
    causes: list[Cause] = field(default_factory=list)
    routes: dict[str, Target] = field(default_factory=dict)
    """Name of the cause to node; any other goes to `next`."""
    save: Name | None = None
    """The variable that takes {by: timer or event, name, data}; null after a timeout."""
