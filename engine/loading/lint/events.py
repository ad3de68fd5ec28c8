"""Events that a flow sends, and those that it is started by or waits for."""

from typing import Final

from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import Outline
from engine.loading.partial import Partial
from engine.loading.tree import Pairs, Part
from engine.model.nodes import Cause, EmitEvent, Wait

_OURS: Final = "chat."
"""How the names of the events begin that tell what becomes of a run; nobody else may send such."""


def check_events(outline: Outline, findings: Findings) -> None:
    """Reports events that a flow may not send, and a subscription that can match nothing."""
    for view in outline.nodes.values():
        if isinstance(view.known, EmitEvent) and view.seen is not None and view.seen.knows("event") and view.known.event.startswith(_OURS):
            message = f"events whose names begin with `{_OURS}` tell of the runs themselves: no flow sends them"
            findings.add("value.wrong", view.value_at("event"), message, "give it a name of your own")
    subscription = outline.root.get("on_event")
    _check_paths(subscription.get("match") if isinstance(subscription, Pairs) else None, findings)


def check_match(part: Part, cause: Wait | Cause, seen: Partial, findings: Findings) -> None:
    """Reports a `match` without an event, and paths that lead nowhere."""
    match = part.get("match") if isinstance(part, Pairs) else None
    other = cause.length or cause.until or getattr(cause, "causes", None)
    if isinstance(part, Pairs) and match is not None and other and cause.event is None and seen.knows("event"):
        findings.add("input.unfit", part.entries["match"].start, "only an event has something to match", "`match` stands beside `event`")
    _check_paths(match, findings)


def _check_paths(match: Part | None, findings: Findings) -> None:
    for path, entry in match.entries.items() if isinstance(match, Pairs) else ():
        if not all(path.split(".")):
            findings.add("value.wrong", entry.start, f"{shown(path)} is no path", "keys with dots between, such as order.id")
