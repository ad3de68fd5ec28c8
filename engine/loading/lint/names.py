"""Names, languages and time zones of a whole flow."""

import re
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from typing import Final

from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.tree import Entry, Leaf, Pairs, Tree
from engine.model.nodes import Assign
from engine.model.values import END

MOST_NODES: Final = 1_000

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LOCALE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
NAME_HINT: Final = "lower-case letters, digits and _, beginning with a letter, at most 64"
_CONVERSATION: Final = "conversation."


def has_too_many_nodes(tree: Tree, findings: Findings) -> bool:
    """Whether the flow has more nodes than are worth looking at; reported at the first one too many."""
    part = tree.root.get("nodes") if isinstance(tree.root, Pairs) else None
    if not isinstance(part, Pairs) or len(part.entries) <= MOST_NODES:
        return False
    one_too_many = next(islice(part.entries.values(), MOST_NODES, None))
    findings.add("flow.too_large", one_too_many.start, f"a flow has at most {MOST_NODES:,} nodes")
    return True


def has_keys_beside_ids(tree: Tree, findings: Findings) -> bool:
    """Whether keys of nodes stand on the level of their ids; reported at each id with nothing below it, and what follows from it is not."""
    part = tree.root.get("nodes") if isinstance(tree.root, Pairs) else None
    if not isinstance(part, Pairs) or not isinstance(kind := part.get("type"), Leaf) or not isinstance(kind.value, str):
        return False
    empty = [entry for entry in part.entries.values() if isinstance(entry.value, Leaf) and entry.value.value is None]
    for entry in empty:
        hint = "the keys of a node are indented deeper than its id"
        findings.add("type.wrong", entry.value.start, "expected a mapping, found nothing", hint)
    return bool(empty)


def check_names(outline: Outline, findings: Findings) -> None:
    """Reports bad names of nodes, variables, inputs and languages."""
    _check_nodes(outline, findings)
    for key in ("variables", "inputs", "outputs"):
        for name, entry in outline.entries(key).items():
            _check_name(name, entry.start, findings)
    for view in outline.nodes.values():
        _check_assigned(view, findings)
    _check_zone(outline, findings)
    _check_locales(outline, findings)


def _check_nodes(outline: Outline, findings: Findings) -> None:
    part = outline.root.get("nodes")
    if isinstance(part, Pairs) and not part.entries:
        findings.add("flow.empty", outline.root.entries["nodes"].start, "a flow needs at least one node")
    for view in outline.nodes.values():
        if view.id == END:
            findings.add("name.reserved", view.start, "`end` always means the end of the flow", "give the node another id")
        else:
            _check_name(view.id, view.start, findings)


def _check_name(name: str, start: int, findings: Findings) -> None:
    if not is_name(name):
        findings.add("name.bad", start, f"{shown(name)} is not an id", NAME_HINT)


def is_name(name: str) -> bool:
    """Whether the text may be an id."""
    return _NAME.fullmatch(name) is not None


def _check_assigned(view: NodeView, findings: Findings) -> None:
    if isinstance(view.known, Assign) and isinstance(view.part, Pairs):
        for name, start in assigned(view):
            _check_name(name.removeprefix(_CONVERSATION), start, findings)


def assigned(view: NodeView) -> list[tuple[str, int]]:
    """What a `set` writes, `conversation.` included, each with its place."""
    values = view.part.get("values") if isinstance(view.part, Pairs) and isinstance(view.known, Assign) else None
    entries: dict[str, Entry] = values.entries if isinstance(values, Pairs) else {}
    return [(name, entry.start) for name, entry in entries.items()]


def _check_zone(outline: Outline, findings: Findings) -> None:
    zone = outline.leaf("timezone")
    if zone is not None and zone.value not in zones():
        findings.add(
            "timezone.unknown", zone.start, f"there is no time zone {shown(str(zone.value))}", findings.meant(str(zone.value), zones())
        )


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """The names of all IANA time zones."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def _check_locales(outline: Outline, findings: Findings) -> None:
    own = outline.leaf("locale")
    named = outline.locales() if own is None else [(str(own.value), own.start), *outline.locales()]
    for locale, start in named:
        check_locale(locale, start, findings)
    if all(is_locale(locale) for locale, _ in named):
        _check_listed(own, outline.locales(), findings)


def _check_listed(own: Leaf | None, listed: list[tuple[str, int]], findings: Findings) -> None:
    """Every language stands in `locales` once, the flow's own among them, be it in general like de for de-AT."""
    seen: set[str] = set()
    for locale, start in listed:
        if locale in seen:
            findings.add("value.wrong", start, f"the language {shown(locale)} stands here for the second time")
        seen.add(locale)
    name = "" if own is None else str(own.value)
    if own is not None and seen and seen.isdisjoint((name, name.partition("-")[0])):
        hint = "write it there too: every run without a language of its own speaks it"
        findings.add("value.wrong", own.start, f"the flow's language {shown(name)} is not one of `locales`", hint)


def check_locale(locale: str, start: int, findings: Findings, hint: str | None = None) -> None:
    """Reports a language that is not written like en or de-AT."""
    if not is_locale(locale):
        findings.add("locale.bad", start, f"{shown(locale)} is not a language", hint or "write it like en or de-AT")


def is_locale(locale: str) -> bool:
    """Whether the text may be a language."""
    return _LOCALE.fullmatch(locale) is not None
