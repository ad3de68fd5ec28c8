"""Which parts of a flow file are texts, templates, bare expressions, or neither."""

from collections.abc import Mapping
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
_CAUSE: Final[dict[str, Rule]] = {"for": "template", "until": "template", "match": "template"}
CALLBACKS: Final = "callbacks"
"""The root that is seen only by what leaves for somebody else than the customer."""
_SENT: Final = frozenset({CALLBACKS})
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
    "http": {
        "idempotency_key": "template",
        **dict.fromkeys(("url", "query", "headers", "json", "body"), Seeing("template", _SENT)),
    },
    "task": {"payload": Seeing("payload", _SENT), **_WAIT},
    "wait": {**_CAUSE, "any": _CAUSE, **_WAIT},
    "emit": {"data": Seeing("template", _SENT)},
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


def spots(outline: Outline) -> list[Spot]:
    """Every scalar and every text of the file, in the file's order; nodes of unknown types are left out."""
    found: list[Spot] = []
    for key, entry in outline.root.entries.items():
        if key == "nodes":
            for view in outline.nodes.values():
                _add_node(view.part, found)
        else:
            _add(entry.value, _rule(FLOW_RULE, key), NO_ROOTS, found)
    return found


def _add_node(part: Part, found: list[Spot]) -> None:
    """Keys that the type does not have are left out: they have been refused."""
    kind = part.get("type") if isinstance(part, Pairs) else None
    rule = NODE_RULES.get(str(kind.value)) if isinstance(kind, Leaf) else None
    if rule is None or not isinstance(kind, Leaf) or not isinstance(part, Pairs):
        return
    for key, entry in part.entries.items():
        if key in _KEYS[str(kind.value)]:
            _add(entry.value, _rule(rule, key), NO_ROOTS, found)


def _rule(rule: Rule, key: str) -> Rule:
    return rule.get(key, rule.get("*", "nothing")) if isinstance(rule, Mapping) else rule


def _add(part: Part, rule: Rule, roots: Roots, found: list[Spot]) -> None:
    """Adds to one list: to yield from level to level takes several times as long."""
    if isinstance(rule, Seeing):
        roots = roots | rule.roots
        rule = rule.rule
    if isinstance(part, Leaf):
        if rule != "anything":
            found.append(Spot("template" if rule == "payload" else rule if isinstance(rule, str) else "nothing", part, roots))
    elif isinstance(part, Items):
        item_rule = rule.item if isinstance(rule, Listed) else rule
        for item in part.items:
            _add(item, item_rule, roots, found)
    elif isinstance(part, Pairs):
        if isinstance(rule, Listed) or (rule == "payload" and is_made(part)):
            _add_made(part, rule.made if isinstance(rule, Listed) else rule, roots, found)
            return
        if rule in ("text", "label"):
            found.append(Spot(rule, part, roots))
        for key, entry in part.entries.items():
            _add(entry.value, _rule(rule, key), roots, found)


def _add_made(part: Pairs, rule: Rule, roots: Roots, found: list[Spot]) -> None:
    """`each` sees what stands around the list, `do` the item and its place too; a misspelt `as` is believed to name the item."""
    misspelt = {str(entry.value.value) for key, entry in part.entries.items() if key not in MADE and isinstance(entry.value, Leaf)}
    for key, entry in part.entries.items():
        match key:
            case "each":
                _add(entry.value, "expression" if isinstance(entry.value, Leaf) else "anything", roots, found)
            case "do":
                _add(entry.value, rule, roots | {item_name(part), INDEX} | misspelt, found)
            case _:
                _add(entry.value, "nothing", roots, found)


def is_made(part: Pairs) -> bool:
    """Whether a mapping inside a payload stands for a list that is made from data."""
    return {"each", "do"} <= part.entries.keys() <= MADE


def item_name(part: Pairs) -> str:
    """What the items of a list that is made are called."""
    name = part.get("as")
    return name.value if isinstance(name, Leaf) and isinstance(name.value, str) else ITEM
