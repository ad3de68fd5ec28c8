"""Which parts of a flow file are texts, templates, bare expressions, or neither."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, get_args

from engine.loading.lint.outline import Outline
from engine.loading.tree import Items, Leaf, Pairs, Part
from engine.model.nodes import Node

Takes = Literal["text", "label", "template", "expression", "nothing", "anything"]
"""`text` may differ by language and holds templates, `label` may differ by language, `anything` is not looked into."""

Roots = frozenset[str]
NO_ROOTS: Final[Roots] = frozenset()
ITEM: Final = "item"
"""What an item is called where `as` does not say."""
INDEX: Final = "index"
MADE: Final = frozenset({"each", "as", "do"})


class Listed(NamedTuple):
    """A list, or what makes one: the rule of its items as they are written out, and of the one under `do`."""

    item: "Rule"
    made: "Rule"


class Seeing(NamedTuple):
    """The same rule with more roots."""

    rule: "Rule"
    roots: Roots


Rule = Takes | Literal["payload"] | Listed | Seeing | Mapping[str, "Rule"]
"""What stands under each key; `*` is for the keys not named, which else take nothing; a `payload` is templates, and lists that are made."""


class Spot(NamedTuple):
    """A scalar, or a text's mapping by language, what may stand in it, and the roots that it sees beside the usual ones."""

    takes: Takes
    part: Leaf | Pairs
    roots: Roots = NO_ROOTS


_OPTIONS: Final = Listed({"label": "text"}, {"value": "template", "label": "text"})
_VALIDATION: Final[Rule] = {"messages": {"*": "text"}, "*": "template"}
_WAIT: Final[dict[str, Rule]] = {"remind": {"after": "template", "text": "text"}, "timeout": {"after": "template"}}
_ASKED: Final[dict[str, Rule]] = {**_WAIT, "retry": "text"}
_CHECK: Final[Rule] = {"that": "expression", "text": "text"}
_FIELD: Final[dict[str, Rule]] = {
    "label": "text",
    "placeholder": "text",
    "help": "text",
    "default": "template",
    "options": _OPTIONS,
    "validation": _VALIDATION,
}
_MOMENT: Final[dict[str, Rule]] = {"for": "template", "until": "template"}
NODE_RULES: Final[dict[str, Rule]] = {
    "message": {"text": "text"},
    "block": {"payload": "payload", "fallback": "text"},
    "ask": {
        "prompt": "text",
        "placeholder": "text",
        "default": "template",
        "options": _OPTIONS,
        "validation": _VALIDATION,
        "check": Seeing(_CHECK, frozenset({"value"})),
        **_ASKED,
    },
    "choice": {"prompt": "text", "options": _OPTIONS, **_ASKED},
    "form": {
        "title": "text",
        "submit_label": "text",
        "fields": Listed(_FIELD, {"name": "template", **_FIELD}),
        "check": Seeing(_CHECK, frozenset({"values"})),
        **_ASKED,
    },
    "switch": {"cases": {"when": "expression"}},
    "set": {"values": "template"},
    "split": {},
    "call": {"inputs": "template"},
    "jump": {"inputs": "template"},
    "wait": {**_MOMENT, "any": _MOMENT, **_WAIT},
    "end": {"result": "template"},
}
FLOW_RULE: Final[dict[str, Rule]] = {
    "title": "label",
    "description": "label",
    "intent": {"label": "label", "subtitle": "label", "description": "label"},
    "inputs": "anything",
    "outputs": "template",
    "commands": {"reply": "text"},
    "nodes": "anything",
}


_KEYS: Final = {str(cls.__struct_config__.tag): frozenset(cls.__struct_encode_fields__) for cls in get_args(Node)}


def spots(outline: Outline) -> Iterator[Spot]:
    """Every scalar and every text of the file, in the file's order; nodes of unknown types are left out."""
    for key, entry in outline.root.entries.items():
        if key == "nodes":
            yield from _node_spots(outline)
        else:
            yield from _walk(entry.value, _rule(FLOW_RULE, key), NO_ROOTS)


def _node_spots(outline: Outline) -> Iterator[Spot]:
    for view in outline.nodes.values():
        kind = view.part.get("type") if isinstance(view.part, Pairs) else None
        if isinstance(kind, Leaf) and str(kind.value) in NODE_RULES:
            yield from _node_walk(view.part, str(kind.value))


def _node_walk(part: Part, kind: str) -> Iterator[Spot]:
    """Keys that the type does not have are left out: they have been refused."""
    for key, entry in part.entries.items() if isinstance(part, Pairs) else ():
        if key in _KEYS[kind]:
            yield from _walk(entry.value, _rule(NODE_RULES[kind], key), NO_ROOTS)


def _rule(rule: Rule, key: str) -> Rule:
    return rule.get(key, rule.get("*", "nothing")) if isinstance(rule, Mapping) else rule


def _walk(part: Part, rule: Rule, roots: Roots) -> Iterator[Spot]:
    match rule, part:
        case Seeing(), _:
            yield from _walk(part, rule.rule, roots | rule.roots)
        case ((Listed() | "payload"), Pairs()) if isinstance(rule, Listed) or is_made(part):
            yield from _made(part, rule.made if isinstance(rule, Listed) else rule, roots)
        case _, Items():
            for item in part.items:
                yield from _walk(item, rule.item if isinstance(rule, Listed) else rule, roots)
        case _, Pairs():
            if rule in ("text", "label"):
                yield Spot(rule, part, roots)
            for key, entry in part.entries.items():
                yield from _walk(entry.value, _rule(rule, key), roots)
        case _, Leaf() if rule != "anything":
            yield Spot("template" if rule == "payload" else rule if isinstance(rule, str) else "nothing", part, roots)
        case _:
            pass


def _made(part: Pairs, rule: Rule, roots: Roots) -> Iterator[Spot]:
    """`each` sees what stands around the list, `do` the item and its place too; a misspelt `as` is believed to name the item."""
    misspelt = {str(entry.value.value) for key, entry in part.entries.items() if key not in MADE and isinstance(entry.value, Leaf)}
    for key, entry in part.entries.items():
        match key:
            case "each":
                yield from _walk(entry.value, "expression" if isinstance(entry.value, Leaf) else "anything", roots)
            case "do":
                yield from _walk(entry.value, rule, roots | {item_name(part), INDEX} | misspelt)
            case _:
                yield from _walk(entry.value, "nothing", roots)


def is_made(part: Pairs) -> bool:
    """Whether a mapping inside a payload stands for a list that is made from data."""
    return {"each", "do"} <= part.entries.keys() <= MADE


def item_name(part: Pairs) -> str:
    """What the items of a list that is made are called."""
    name = part.get("as")
    return name.value if isinstance(name, Leaf) and isinstance(name.value, str) else ITEM
