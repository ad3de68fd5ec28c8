"""Spans and moments that are written out: how long something lasts, when it comes, and what would come too late."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from engine.expressions.moments import moment
from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.lint.waits import has_no_end
from engine.loading.tree import Items, Leaf, Pairs, Part
from engine.model.flow import Flow
from engine.model.nodes import Http, Pausing, Wait
from engine.model.values import Millis, span

SHORTEST: Final = 1_000
LONGEST_EXPIRY: Final = 30 * 86_400_000
LONGEST_TRY: Final = 60_000
LONGEST: Final = 365 * 86_400_000
_EXPIRY: Final = Flow.__struct_defaults__[Flow.__struct_fields__.index("expires_after") - len(Flow.__struct_fields__)]


def check_spans(outline: Outline, findings: Findings) -> None:
    """Reports spans out of bounds, moments that are none, and reminders and timeouts that never come."""
    expiry = outline.leaf("expires_after")
    if expiry is not None and span(str(expiry.value)) is not None:  # another text has been refused already
        _check_span(expiry, LONGEST_EXPIRY, "30d", findings)
    for view in outline.nodes.values():
        if not isinstance(view.part, Pairs):
            continue
        if isinstance(view.known, Http) and (leaf := _literal(view.part.get("timeout"))) is not None and span(str(leaf.value)) is not None:
            _check_span(leaf, LONGEST_TRY, "60s", findings)  # another text has been refused already
        reminders = _items(view.part.get("remind"))
        for part in (view.part.get("timeout"), *reminders):
            _check_length(_leaf(part, "after"), findings)
        for part in _causes(view):
            _check_length(_leaf(part, "for"), findings)
            _check_moment(_leaf(part, "until"), findings)
        _check_timeout(view, findings)
        if reminders and isinstance(view.known, Pausing):
            _check_reminders(view, reminders, str(_EXPIRY) if expiry is None else str(expiry.value), findings)


def _causes(view: NodeView) -> list[Part]:
    """Where a wait says what it waits for."""
    if not isinstance(view.known, Wait) or not isinstance(view.part, Pairs):
        return []
    return [view.part, *_items(view.part.get("any"))]


def _items(part: Part | None) -> tuple[Part, ...]:
    return part.items if isinstance(part, Items) else ()


def _leaf(part: Part | None, key: str) -> Leaf | None:
    """The literal text under a key."""
    return _literal(part.get(key) if isinstance(part, Pairs) else None)


def _literal(found: Part | None) -> Leaf | None:
    return found if isinstance(found, Leaf) and isinstance(found.value, str) and "{{" not in found.value else None


def _check_length(leaf: Leaf | None, findings: Findings) -> None:
    if leaf is not None:
        _check_span(leaf, LONGEST, "365d", findings)


def _check_span(leaf: Leaf, longest: Millis, bound: str, findings: Findings) -> None:
    length = span(str(leaf.value))
    if length is None:
        findings.add("duration.bad", leaf.start, f"{shown(str(leaf.value))} is not a duration", "write it like 30s, 10m, 24h, 3d or 1w")
    elif not SHORTEST <= length <= longest:
        findings.add("duration.bad", leaf.start, f"{shown(str(leaf.value))} lies outside 1s..{bound}")


def _check_moment(leaf: Leaf | None, findings: Findings) -> None:
    if leaf is not None and not isinstance(moment(str(leaf.value)), date):
        message = f"{shown(str(leaf.value))} is not a date-time like 2026-01-31T14:30"
        findings.add("value.wrong", leaf.start, message, "or a template that gives one")


def _check_timeout(view: NodeView, findings: Findings) -> None:
    """Of a wait whose end and timeout come together, the end counts."""
    timeout = _leaf(view.part.get("timeout") if isinstance(view.part, Pairs) else None, "after")
    lengths = (_length(_leaf(part, "for")) for part in _causes(view))
    end = min((length for length in lengths if length is not None), default=None)
    after = _length(timeout)
    if timeout is not None and after is not None and end is not None and after >= end:
        message = f"what is waited for has come before {shown(str(timeout.value))} have passed: this way is never taken"
        findings.add("timeout.never", timeout.start, message)


def _length(leaf: Leaf | None) -> Millis | None:
    """The span that is written out; None for one out of bounds, which has been refused."""
    length = None if leaf is None else span(str(leaf.value))
    return length if length is not None and SHORTEST <= length <= LONGEST else None


def _check_reminders(view: NodeView, reminders: tuple[Part, ...], expiry: str, findings: Findings) -> None:
    end = min(_ends(view, expiry), default=None)
    for part in reminders:
        after = _leaf(part, "after")
        length = _length(after)
        if after is not None and length is not None and end is not None and length >= end:
            message = f"the wait is over before {shown(str(after.value))} have passed: this is never said"
            findings.add("remind.never", after.start, message)


def _ends(view: NodeView, expiry: str) -> Iterator[Millis]:
    """The spans after which the wait is over for certain, as far as they are written out."""
    timeout = view.part.get("timeout") if isinstance(view.part, Pairs) else None
    lengths = [_leaf(timeout, "after"), *(_leaf(part, "for") for part in _causes(view))]
    texts = [str(leaf.value) for leaf in lengths if leaf is not None]
    if has_no_end(view):
        texts.append(expiry)
    yield from (length for length in map(span, texts) if length is not None)
