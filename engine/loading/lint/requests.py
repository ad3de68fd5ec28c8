"""The requests of a flow: where they go, what they carry, and whether they may be made again."""

import re
from collections.abc import Collection
from typing import Final

from engine.errors import ExpressionError
from engine.expressions.parsing import split
from engine.interpreter.reaching import is_repeatable
from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.lint.templates import exact
from engine.loading.partial import Partial
from engine.loading.tree import Leaf, Pairs
from engine.model.nodes import Http

_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})
_BODIES: Final = ("json", "body")
_HIDDEN: Final = "\x7f"
"""Stands for every character of an expression: no address may hold it."""
_ORIGIN: Final = re.compile(r"(?:[^/?#]*:)?(?://)?[^/?#]*")
_URL: Final = re.compile(r"https?://(?:\[[0-9A-F:.]+\]|[A-Z0-9._-]+)(?::([0-9]{1,5}))?(?:[/?#].*)?", re.IGNORECASE | re.ASCII)
_PATH: Final = re.compile(r"/(?![/\\]).*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_PORTS: Final = range(1, 65_536)


def check_requests(outline: Outline, findings: Findings) -> None:
    """Reports requests that can go nowhere, say two things at once, or might do twice what may be done once."""
    for view in outline.nodes.values():
        node, seen = view.known, view.seen
        if not isinstance(node, Http) or seen is None:
            continue
        _check_url(view, node, seen, outline, findings)
        _check_body(view, node, seen, findings)
        for name in node.headers:
            if not _HEADER.fullmatch(name):
                findings.add("value.wrong", view.at("headers", name), f"{shown(name)} cannot be the name of a header")
        if node.retries and not is_repeatable(node, node.idempotency_key) and seen.knows("method", "idempotency_key", "repeatable"):
            message = "the request is not repeatable: a second one might do again what the first has done"
            findings.add("retry.unsafe", view.value_at("retries"), message, "give it an `idempotency_key`, or say `repeatable: true`")


def check_connections(outline: Outline, known: Collection[str], findings: Findings) -> None:
    """Reports requests over a connection that the tenant has not."""
    for view in outline.nodes.values():
        name = view.known.connection if isinstance(view.known, Http) else None
        if name is not None and name not in known and view.seen is not None and view.seen.knows("connection"):
            hint = findings.meant(name, known) or f"make it by `baton connections set {name}`"
            findings.add("connection.unknown", view.value_at("connection"), f"there is no connection {shown(name)}", hint)


def _check_url(view: NodeView, node: Http, seen: Partial, outline: Outline, findings: Findings) -> None:
    leaf = view.part.get("url") if isinstance(view.part, Pairs) else None
    if not isinstance(leaf, Leaf) or not isinstance(leaf.value, str) or not seen.knows("url", "connection"):
        return
    url = _skeleton(leaf.value)
    if url is None:
        return
    found = _ORIGIN.match(url)
    early = -1 if found is None else found[0].find(_HIDDEN)
    if early >= 0 and node.connection is None:
        message = "scheme, host and port of an address are written out: data must not choose whom it is sent to"
        findings.add("http.url_host", exact(outline.tree, leaf, early), message, "or use a `connection`")
    elif fault := _fault(url, leaf.value, below=node.connection is not None):
        findings.add("http.url", leaf.start, fault[0], fault[1])


def _skeleton(source: str) -> str | None:
    """The address with its expressions hidden, each as long as it is written; None where one of them does not end."""
    try:
        parts = split(source)
    except ExpressionError:
        return None
    return "".join(part if isinstance(part, str) else _HIDDEN * (len(part.source) + 4) for part in parts)


def _fault(url: str, source: str, *, below: bool) -> tuple[str, str] | None:
    """What is wrong with an address, and what would be right; `below` the one of a connection."""
    if _CONTROL.search(source):
        return "an address holds no line breaks, nor other characters that cannot be seen", "write it on one line"
    if below:
        hint = "write it like /orders/{{ vars.id }}"
        return None if _PATH.fullmatch(url) else ("with a connection the address is a path below that of the connection", hint)
    found = _URL.fullmatch(url)
    if found is None or (found[1] is not None and int(found[1]) not in _PORTS):
        return f"{shown(source)} is not the address of a web server", "write it like https://shop.example/orders"
    return None


def _check_body(view: NodeView, node: Http, seen: Partial, findings: Findings) -> None:
    """Reports a body beside another one, or where the method has none."""
    entries = view.part.entries if isinstance(view.part, Pairs) else {}
    bodies = [key for key in entries if key in _BODIES and not (isinstance(value := entries[key].value, Leaf) and value.value is None)]
    if node.method in _WITHOUT_BODY and seen.knows("method"):
        for key in bodies:
            message = f"a request with the method {node.method} has no body"
            findings.add("key.conflict", entries[key].start, message, "`query` goes into the address")
    elif len(bodies) > 1:
        message = f"the key {shown(bodies[1])} may not stand beside {shown(bodies[0])}"
        findings.add("key.conflict", entries[bodies[1]].start, message, "one of `json`, `body`")
