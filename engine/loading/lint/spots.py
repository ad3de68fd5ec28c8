"""Which parts of a flow file are texts, templates, bare expressions, or neither."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, get_args

from engine.loading.lint.outline import Outline
from engine.loading.tree import Items, Leaf, Pairs, Part
from engine.model.nodes import Node

Takes = Literal["text", "label", "template", "expression", "nothing", "anything"]
"""`text` may differ by language and holds templates, `label` may differ by language, `anything` is not looked into."""
Rule = Takes | Mapping[str, "Rule"]
"""What stands under each key; `*` is for the keys not named, which else take nothing."""


class Spot(NamedTuple):
    """A scalar, or a text's mapping by language, and what may stand in it."""

    takes: Takes
    part: Leaf | Pairs


_OPTIONS: Final[Rule] = {"label": "text"}
_VALIDATION: Final[Rule] = {"messages": {"*": "text"}, "*": "template"}
_WAIT: Final[dict[str, Rule]] = {"retry": "text", "timeout": {"after": "template"}}
_FIELD: Final[Rule] = {
    "label": "text",
    "placeholder": "text",
    "help": "text",
    "default": "template",
    "options": _OPTIONS,
    "validation": _VALIDATION,
}
NODE_RULES: Final[dict[str, Rule]] = {
    "message": {"text": "text"},
    "block": {"payload": "template", "fallback": "text"},
    "ask": {
        "prompt": "text",
        "placeholder": "text",
        "default": "template",
        "options": _OPTIONS,
        "validation": _VALIDATION,
        **_WAIT,
    },
    "choice": {"prompt": "text", "options": _OPTIONS, **_WAIT},
    "form": {"title": "text", "submit_label": "text", "fields": _FIELD, **_WAIT},
    "switch": {"cases": {"when": "expression"}},
    "set": {"values": "template"},
    "end": {"result": "template"},
}
FLOW_RULE: Final[Rule] = {
    "title": "label",
    "description": "label",
    "intent": {"label": "label", "subtitle": "label", "description": "label"},
    "inputs": "anything",
    "outputs": "template",
    "nodes": "anything",
}


_KEYS: Final = {str(cls.__struct_config__.tag): frozenset(cls.__struct_encode_fields__) for cls in get_args(Node)}


def spots(outline: Outline) -> Iterator[Spot]:
    """Every scalar and every text of the file, in the file's order; nodes of unknown types are left out."""
    for key, entry in outline.root.entries.items():
        if key == "nodes":
            yield from _node_spots(outline)
        else:
            yield from _walk(entry.value, _rule(FLOW_RULE, key))


def _node_spots(outline: Outline) -> Iterator[Spot]:
    for view in outline.nodes.values():
        kind = view.part.get("type") if isinstance(view.part, Pairs) else None
        if isinstance(kind, Leaf) and str(kind.value) in NODE_RULES:
            yield from _node_walk(view.part, str(kind.value))


def _node_walk(part: Part, kind: str) -> Iterator[Spot]:
    """Keys that the type does not have are left out: they have been refused."""
    for key, entry in part.entries.items() if isinstance(part, Pairs) else ():
        if key in _KEYS[kind]:
            yield from _walk(entry.value, _rule(NODE_RULES[kind], key))


def _rule(rule: Rule, key: str) -> Rule:
    return rule if isinstance(rule, str) else rule.get(key, rule.get("*", "nothing"))


def _walk(part: Part, rule: Rule) -> Iterator[Spot]:
    match part:
        case Items():
            for item in part.items:
                yield from _walk(item, rule)
        case Pairs():
            if rule in ("text", "label"):
                yield Spot(rule, part)
            for key, entry in part.entries.items():
                yield from _walk(entry.value, _rule(rule, key))
        case Leaf() if rule != "anything":
            yield Spot(rule if isinstance(rule, str) else "nothing", part)
