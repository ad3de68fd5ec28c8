"""What a `wait` waits for, and which way a `switch` or a `split` goes: the keys of each must make sense together."""

from collections.abc import Collection
from typing import Final

from engine.interpreter.waiting import causes
from engine.loading.findings import Findings, shown
from engine.loading.lint.events import check_match
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.partial import Partial
from engine.loading.tree import Items, Leaf, Pairs, Part
from engine.model.nodes import Cause, Split, Switch, Wait, Waiting

_SPELT: Final = {"length": "for", "until": "until", "event": "event", "causes": "any"}
_OF_CAUSE: Final = {"length": "for", "until": "until", "event": "event"}


def check_waits(outline: Outline, findings: Findings) -> None:
    """Reports waits for nothing or for too much, routes for causes that there are not, cases that come again, and splits without a way."""
    for view in outline.nodes.values():
        match view.known:
            case Wait() as node if view.seen is not None:
                _check_wait(view, node, view.seen, outline, findings)
            case Switch():
                _check_cases(view, findings)
            case Split() as node if view.seen is not None and view.seen.knows("branches"):
                if not sum(share.weight for share in node.branches):
                    findings.add("value.wrong", view.value_at("branches"), "the weights add up to nothing", "give one branch a weight")
            case _:
                pass


def _check_cases(view: NodeView, findings: Findings) -> None:
    """The first case that is true is taken: one that is the same as an earlier one never is."""
    cases = view.part.get("cases") if isinstance(view.part, Pairs) else None
    seen: dict[str, int] = {}
    for number, case in enumerate(cases.items if isinstance(cases, Items) else ()):
        when = case.get("when") if isinstance(case, Pairs) else None
        if not isinstance(when, Leaf) or not isinstance(when.value, str):
            continue
        bare = when.value.strip().removeprefix("{{").removesuffix("}}").strip()
        first = seen.setdefault(bare, number)
        if first != number:
            findings.add("case.repeated", when.start, f"case {first + 1} asks for the same: this way is never taken")


def has_no_end(view: NodeView) -> bool:
    """Whether a visit waits until somebody answers, works or sends an event, and no moment that the node names ends that."""
    node, seen = view.known, view.seen
    if seen is None or not isinstance(node, Waiting) or node.timeout is not None or not seen.knows("timeout"):
        return False
    return not isinstance(node, Wait) or (seen.knows(*_SPELT) and all(cause.event is not None for cause in causes(node)))


def check_one_of(part: Part, start: int, keys: Collection[str], findings: Findings, *, doubtful: bool) -> None:
    """Reports a mapping that has none of the keys, unless that is in doubt, or more than one."""
    if not isinstance(part, Pairs):
        return
    found = [
        key for key, entry in part.entries.items() if key in keys and not (isinstance(entry.value, Leaf) and entry.value.value is None)
    ]
    listed = ", ".join(f"`{key}`" for key in keys)
    if not found and not doubtful:
        findings.add("key.missing", start, f"one of the keys {listed} is missing")
    for key in found[1:]:
        message = f"the key {shown(key)} may not stand beside {shown(found[0])}"
        findings.add("key.conflict", part.entries[key].start, message, f"one of {listed}")


def _check_wait(view: NodeView, node: Wait, seen: Partial, outline: Outline, findings: Findings) -> None:
    check_one_of(view.part, view.start, _SPELT.values(), findings, doubtful=not seen.knows(*_SPELT))
    check_match(view.part, node, seen, findings)
    written = view.part.get("any") if isinstance(view.part, Pairs) else None
    if isinstance(written, Items):
        names = _check_causes(written, outline, findings)
        if not written.items:
            findings.add("value.wrong", written.start, "there must be at least one thing to wait for")
        for name in node.routes if names is not None else ():
            if name not in (names or ()):
                hint = findings.meant(name, names or ())
                findings.add("route.unknown", view.at("routes", name), f"nothing that is waited for has the name {shown(name)}", hint)
    elif node.routes and seen.knows("causes"):
        findings.add("input.unfit", view.at("routes"), "only a wait with `any` has routes", "`next` is where it goes on")


def _check_causes(written: Items, outline: Outline, findings: Findings) -> set[str] | None:
    """The names of the causes; None where one of them is in doubt."""
    names: set[str] = set()
    whole = True
    for part in written.items:
        seen = outline.seen(part)
        cause = seen.value if seen is not None and isinstance(seen.value, Cause) else None
        if seen is None or cause is None or not isinstance(part, Pairs):
            whole = False
            continue
        check_one_of(part, part.start, _OF_CAUSE.values(), findings, doubtful=not seen.knows(*_OF_CAUSE))
        check_match(part, cause, seen, findings)
        whole = whole and seen.knows("name")
        if cause.name is not None and cause.name in names:
            start = part.entries["name"].value.start
            findings.add("cause.duplicate", start, f"something else that is waited for has the name {shown(cause.name)} already")
        names.add(cause.name or "")
    return names - {""} if whole else None
