"""The nodes that wait without asking."""

from msgspec import Struct, field

from engine.model.nodes.common import Target, Waiting
from engine.model.values import Name, Template


class Cause(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"length": "for"}):
    """One of the things that end a `wait` with `any`: exactly one of `for` and `until`."""

    name: Name | None = None
    """How `routes` and `save` call it."""
    length: Template | None = None
    """A duration, or a template that gives one when the wait begins."""
    until: Template | None = None
    """A date-time, or a template that gives one; one without an offset is in the flow's zone."""


class Wait(Waiting, frozen=True, kw_only=True, tag="wait", rename={"length": "for", "causes": "any"}):
    """Waits until a moment has come: exactly one of `for`, `until` and `any`.

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
    causes: list[Cause] = field(default_factory=list)
    routes: dict[str, Target] = field(default_factory=dict)
    """Name of the cause to node; any other goes to `next`."""
    save: Name | None = None
    """The variable that takes {by: timer, name, data: null}; null after a timeout."""
