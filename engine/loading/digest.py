"""The content digest of a flow: what names one published version beside its number."""

import hashlib
import json
from typing import Any

import msgspec

from engine.loading.tree import Tree, plain
from engine.model.flow import Flow


def flow_digest(flow: Flow) -> str:
    """SHA-256 (hex) of what the flow means: comments, layout, the order of keys and defaults that are written out do not count."""
    content = msgspec.to_builtins(flow)
    content["start"] = flow.first
    for node in content["nodes"].values():
        if node["type"] == "set":
            node["values"] = list(node["values"].items())  # assigned in order: here the order of keys is meaning
    return _digest(content)


def tree_digest(tree: Tree) -> str:
    """SHA-256 (hex) of what a broken file holds: of its values where it could be read, else of its text."""
    return _digest(tree.text if tree.root is None else plain(tree.root))


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
