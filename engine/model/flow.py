"""A flow as its author wrote it, and the intent that starts it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from engine.model.nodes import Call, Http, Jump, Node, Target
from engine.model.values import Duration, EventName, Name, Text

OnTrigger = Literal["parallel", "replace", "reject"]


class Icon(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands beside an intent's label."""

    kind: str
    value: str


class Intent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The name under which a flow can be triggered, and how people see it."""

    name: Name | None = None
    """None: the flow's id."""
    label: Text | None = None
    subtitle: Text | None = None
    description: Text | None = None
    examples: list[str] = field(default_factory=list)
    icon: Icon | None = None
    accent_color: str | None = None
    style_variant: str | None = None
    pinned: bool = False
    priority: int = 0
    required_entities: list[str] = field(default_factory=list)


class Subscription(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The events that each start a run of the flow, with their data in `trigger.data`."""

    name: EventName
    match: dict[str, Any] = field(default_factory=dict)
    """Path in the data to the literal value that must stand there; all of them."""


class Command(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Words that are understood at any question of the flow, and cost no attempt: exactly one of `next` and `reply`."""

    say: Annotated[list[str], Meta(min_length=1)]
    next: Target | None = None
    """Leaves the question, unanswered."""
    reply: Text | None = None
    """Said before the question is asked again."""


class Flow(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One flow file; which keys may stand in it, and what each may hold."""

    flow: Name
    nodes: dict[str, Node]
    title: Text | None = None
    description: Text | None = None
    locale: str = "en"
    locales: list[str] = field(default_factory=list)
    timezone: str = "UTC"
    intent: Intent | None = None
    on_trigger: OnTrigger = "parallel"
    """What a new trigger of this flow does to its open runs in the same conversation."""
    on_event: Subscription | None = None
    expires_after: Duration = "1d"
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Input name to its JSON Schema."""
    variables: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    start: str | None = None
    """None: the first node."""

    @property
    def first(self) -> str:
        """The id of the node where the flow begins."""
        return self.start or next(iter(self.nodes))

    @property
    def calls(self) -> frozenset[str]:
        """The flows that its nodes call or jump to."""
        return frozenset(node.flow for node in self.nodes.values() if isinstance(node, Call | Jump))

    @property
    def connections(self) -> dict[str, tuple[str, ...]]:
        """The connections that its requests name, each with the nodes that do; whether they exist is asked at publishing alone."""
        found: dict[str, tuple[str, ...]] = {}
        for name, node in self.nodes.items():
            if isinstance(node, Http) and node.connection is not None:
                found[node.connection] = (*found.get(node.connection, ()), name)
        return found

    @property
    def intent_name(self) -> str | None:
        """The name that triggers this flow; None for a subflow that nobody can trigger."""
        return None if self.intent is None else self.intent.name or self.flow


def called_by(flow: Flow, known: Mapping[str, Flow]) -> list[Flow]:
    """The flow, and of those that are known each that it calls or jumps to, or that one of these does."""
    found, waiting = {flow.flow: flow}, [flow]
    while waiting:
        for name in sorted(waiting.pop().calls):
            if name in known and name not in found:
                found[name] = known[name]
                waiting.append(known[name])
    return list(found.values())
