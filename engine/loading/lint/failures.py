"""What becomes of a request or a task that fails: the failures that a node names must be ones that can come."""

import re
from typing import Final

from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import NodeView, Outline
from engine.model.nodes import Http, Task

_OTHER: Final = "other"
_CLASSES: Final = frozenset({"1xx", "2xx", "3xx", "4xx", "5xx"})
_STATUS: Final = re.compile(r"[1-5][0-9][0-9]")
_KINDS: Final = {
    "http": ("status", "timeout", "refused", "dns", "blocked", "request_size", "response_size"),
    "effect": ("unknown", "unavailable", "failed"),
    "expression": ("undefined", "type", "value", "budget"),
}
CODES_OF_REQUESTS: Final = frozenset(f"{part}.{kind}" for part, kinds in _KINDS.items() for kind in kinds)
"""Everything that a request can fail with, before it leaves, on its way, and when it is answered."""


def check_failures(outline: Outline, findings: Findings) -> None:
    """Reports ways out for failures that cannot come, and requests whose failure leads nowhere."""
    for view in outline.nodes.values():
        node = view.known
        if not isinstance(node, Http | Task):
            continue
        if isinstance(node.on_error, dict):
            for key in node.on_error:
                _check_key(view, key, findings)
        if isinstance(node, Http) and not node.on_error and view.seen is not None and view.seen.knows("on_error"):
            findings.add("error.unhandled", view.start, "where does a failure of this request lead?", "give it an `on_error`")


def _check_key(view: NodeView, key: str, findings: Findings) -> None:
    if isinstance(view.known, Task):
        if not key.strip():  # a worker may call its failures whatever it likes
            findings.add("route.unknown", view.at("on_error", key), "no failure has an empty code")
    elif key != _OTHER and key not in _CLASSES | CODES_OF_REQUESTS and not _STATUS.fullmatch(key):
        hint = findings.meant(key.lower(), _CLASSES | CODES_OF_REQUESTS | {_OTHER})
        example = "write a status (404), its class (5xx), a code such as `http.timeout`, or `other`"
        findings.add("route.unknown", view.at("on_error", key), f"no request fails with {shown(key)}", hint or example)
