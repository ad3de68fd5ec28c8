"""What people get wrong: one slip at a time in a flow that was right."""

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct, inspect

from tests.generated.editing import Change, cut, drop, put, rename, repeat, repeat_line
from tests.generated.places import EXPRESSIONS, Path, Place, inside, places, texts
from tests.generated.questions import Written


class Slip(Struct, frozen=True):
    """One change that somebody might make by mistake."""

    kind: str
    path: Path
    change: Change
    wrong: bool
    """Whether the flow is wrong afterwards for certain; else it may be another flow that is right."""


_DISPLAYED: Final = frozenset({"heading", "paragraph", "divider"})
_DATA: Final = frozenset({"variables", "inputs", "payload"})
_VARIABLE: Final = re.compile(r"\bvars\.([a-z][a-z0-9_]*)")


def slips(document: Written) -> Iterator[Slip]:
    """Every slip that can be made in the flow."""
    found = list(places(document))
    for place in found:
        yield from _of_keys(document, place)
        yield from _of_values(document, place)
    yield from _of_names(document, found)
    yield from _of_lines(document, found)
    yield from _of_lists(document, found)
    yield from _of_templates(document, found)


def _of_keys(document: Written, place: Place) -> Iterator[Slip]:
    path = place.path
    if place.owner:
        needed = place.required or _is_needed(document, place)
        yield Slip("required key dropped" if needed else "optional key dropped", path, drop(path), needed)
        yield Slip("key misspelt", path, rename(path, f"{place.key}z"), True)
    if place.key == "type" or len(path) == 1:
        yield Slip("unknown key added", path, put((*path[:-1], "colour"), "red"), True)
    if len(path) == 1 and place.key != "nodes":
        yield Slip("key twice", path, repeat_line(path), True)


def _is_needed(document: Written, place: Place) -> bool:
    """What a flow cannot be without, although its type could."""
    owner: Any = inside(document, place.path[:-1])
    match place.owner, place.key:
        case (("Ask" | "Choice" | "Form"), "on_exhausted"):
            return "attempts" in owner
        case "Choice", "next":
            return True
        case "Form", "save":
            return isinstance(owner["fields"], dict)
        case (("FormField" | "MadeField"), "name"):
            return owner["type"] not in _DISPLAYED
        case (("Ask" | "FormField" | "MadeField"), "options"):
            return owner.get("input", owner["type"]) in {"select", "radio", "multi_select"}
        case (("Wait" | "Cause"), ("for" | "until" | "any")):
            return True
        case "Command", ("next" | "reply"):
            return True
        case _:
            return False


def _of_values(document: Written, place: Place) -> Iterator[Slip]:
    path, value = place.path, inside(document, place.path)
    if place.key == "type" and len(path) == 3:
        for other in ("message", "ask", "choice", "form", "switch", "set", "split", "call", "jump", "wait", "end", "block"):
            if other != value:
                yield Slip("node type swapped", path, put(path, other), False)
        yield Slip("node type misspelt", path, put(path, f"{value}s"), True)
    elif place.key in ("type", "input") and isinstance(value, str):
        for other in ("text", "number", "date", "boolean", "multi_select", "rating", "file_upload"):
            if other != value:
                yield Slip("input type swapped", path, put(path, other), False)
        yield Slip("input type misspelt", path, put(path, f"{value}s"), True)
    elif not place.is_target:
        yield from (Slip("wrong type", path, put(path, wrong), True) for wrong in _wrong(place.type))
    for wrong in _BAD.get(place.key, ()):
        if isinstance(value, str) and not ("{{" in value and place.key == "pattern"):
            yield Slip(f"bad {_BAD_NAMES[place.key]}", path, put(path, wrong), True)
    for wrong in _OUT_OF_BOUNDS.get((place.owner, place.key), ()):
        yield Slip("out of bounds", path, put(path, wrong), True)


_BAD: Final[dict[str, tuple[Any, ...]]] = {
    "expires_after": ("10x", "ten minutes", "10 m", "0s", "31d", "-5m"),
    "after": ("10x", "soon", "5", "0s", "400d"),
    "for": ("10x", "soon", "1.5h", "0s", "60w"),
    "until": ("tomorrow", "2026-13-01", "8:00", "2026-01-06 at 8"),
    "timezone": ("Europe/Berln", "CEST+2", "Mars/Olympus", "europe/berlin"),
    "pattern": ("[A-Z", "(?<=a)b", "a{2,1}", "(a)\\1", "*"),
    "locale": ("english", "EN", "en_US", ""),
    "flow": ("Not An Id", "1st", ""),
    "save": ("Not An Id", "with-dash"),
}
_BAD_NAMES: Final = {
    **dict.fromkeys(("expires_after", "after", "for"), "duration"),
    **dict.fromkeys(("flow", "save"), "id"),
    "until": "moment",
    "timezone": "time zone",
    "pattern": "pattern",
    "locale": "language",
}
_OUT_OF_BOUNDS: Final[dict[tuple[str, str], tuple[Any, ...]]] = {
    **{(owner, "attempts"): (0, 11, -1) for owner in ("Ask", "Choice", "Form")},
    **{(owner, "progress"): (-1, 101) for owner in ("Message", "ShowBlock", "Ask", "Switch", "Assign", "Split", "Wait", "End")},
    **{(owner, "remind"): ([{"after": f"{n}s", "text": "Hm"} for n in range(1, 7)],) for owner in ("Ask", "Choice", "Form", "Wait")},
    ("Share", "weight"): (-1, -0.5),
    ("Split", "branches"): ([],),
    ("Switch", "cases"): ([],),
    ("Choice", "options"): ([],),
    ("Form", "fields"): ([],),
    ("Command", "say"): ([], [" "]),
    ("Wait", "any"): ([],),
    ("Flow", "nodes"): ({},),
}


def _wrong(kind: inspect.Type) -> list[Any]:
    """Values of a type that may not stand there."""
    match kind:
        case inspect.StrType() | inspect.LiteralType():
            return [7, ["a"], {"a": "b"}, True]
        case inspect.IntType() | inspect.FloatType():
            return ["many", [1], None, True]
        case inspect.BoolType():
            return ["perhaps", 1]
        case inspect.ListType() | inspect.DictType() | inspect.StructType():
            return [7, "a"]
        case inspect.UnionType(types=kinds):
            if any(isinstance(one, inspect.AnyType) for one in kinds):
                return []
            whole = [one for one in kinds if not isinstance(one, inspect.NoneType)]
            if len(whole) == 1:
                return [wrong for wrong in _wrong(whole[0]) if wrong is not None]
            return [["", ["a"]]] if not any(isinstance(one, inspect.ListType) for one in kinds) else [7]
        case _:
            return []


def _of_names(document: Written, found: list[Place]) -> Iterator[Slip]:
    targets = [(place.path[:2], inside(document, place.path)) for place in found if place.is_target]
    nodes = list(document["nodes"])
    for node in nodes:
        path: Path = ("nodes", node)
        namers = {owner for owner, target in targets if target == node}
        yield Slip("node dropped", path, drop(path), bool(namers - {path}))
        yield Slip("node renamed", path, rename(path, f"{node}_2"), bool(namers))
        yield Slip("node twice", path, repeat_line(path), True)
    for place in (place for place in found if place.is_target):
        target = inside(document, place.path)
        yield Slip("target misspelt", place.path, put(place.path, f"{target}s"), True)
        others = [node for node in nodes if node != target]
        if others:
            other = others[len(str(place.path)) % len(others)]
            yield Slip("target another node", place.path, put(place.path, other), False)
    yield from _of_variables(document, found)
    yield from _of_calls(document)


def _of_variables(document: Written, found: list[Place]) -> Iterator[Slip]:
    """A variable that is read, and written in one place alone, is not there any more when that is called otherwise."""
    read = {name for _, text in texts(document) for name in _VARIABLE.findall(text)}
    writers: list[tuple[str, Path]] = [(name, ("variables", name)) for name in document.get("variables", {})]
    for name, node in document["nodes"].items():
        if node["type"] == "set":
            writers += [(one, ("nodes", name, "values", one)) for one in node["values"] if "." not in one]
    saved = [(str(inside(document, place.path)), place.path) for place in found if place.key == "save"]
    implied = [name for name, node in document["nodes"].items() if node["type"] in ("ask", "choice") and "save" not in node]
    fields = [inside(document, place.path) for place in found if place.owner == "FormField" and place.key == "name"]
    everywhere = [name for name, _ in (*writers, *saved)] + implied + fields
    for name, path in writers:
        certain = name in read and everywhere.count(name) == 1
        yield Slip("variable renamed", path, rename(path, f"{name}_2"), certain)
    for name, path in saved:
        yield Slip("variable renamed", path, put(path, f"{name}_2"), name in read and everywhere.count(name) == 1)


def _of_calls(document: Written) -> Iterator[Slip]:
    for name, node in document["nodes"].items():
        if node["type"] not in ("call", "jump"):
            continue
        yield Slip("called flow misspelt", ("nodes", name, "flow"), put(("nodes", name, "flow"), f"{node['flow']}s"), True)
        for passed in node.get("inputs", {}):
            path = ("nodes", name, "inputs", passed)
            yield Slip("input misspelt", path, rename(path, f"{passed}s"), True)
    for declared in document.get("inputs", {}):
        read = any(f"inputs.{declared}" in text for _, text in texts(document))
        yield Slip("declared input renamed", ("inputs", declared), rename(("inputs", declared), f"{declared}_2"), read)


def _of_lines(document: Written, found: list[Place]) -> Iterator[Slip]:
    """Keys that do not go together, languages left out, and what the YAML is made of."""
    for name, node in document["nodes"].items():
        path: Path = ("nodes", name)
        yield Slip("bracket lost", path, cut(path, -1), True)
        yield Slip("colon lost", path, cut(path, 0), True)
        match node:
            case {"type": "wait"}:
                yield Slip("keys that exclude each other", path, put((*path, "for" if "until" in node else "until"), "1h"), True)
            case {"type": "choice", "options": list()}:
                yield Slip("keys that exclude each other", path, put((*path, "next"), "end"), True)
            case _:
                pass
    for number, command in enumerate(document.get("commands", [])):
        other = "next" if "reply" in command else "reply"
        where: Path = ("commands", number, other)
        yield Slip("keys that exclude each other", where, put(where, "end"), True)
    for place in found:
        if not place.owner and place.key in document.get("locales", []):
            yield Slip("language left out", place.path, drop(place.path), True)


def _of_lists(document: Written, found: list[Place]) -> Iterator[Slip]:
    for place in found:
        value = inside(document, place.path)
        if (
            not isinstance(value, list)
            or not value
            or place.key not in ("options", "fields", "commands", "any", "locales", "cases", "check")
        ):
            continue
        for number, item in enumerate(value):
            path: Path = (*place.path, number)
            certain = place.key in ("options", "commands", "locales", "cases") or (place.key in ("fields", "any") and "name" in item)
            yield Slip(f"{place.key.removesuffix('s')} twice", path, repeat(path), certain)
    for name, node in document["nodes"].items():
        for route in node.get("routes", {}):
            closed = node["type"] == "wait" or isinstance(node.get("options"), list) or node.get("input") in ("boolean", "checkbox")
            path = ("nodes", name, "routes", route)
            yield Slip("route misspelt", path, rename(path, f"{route} no"), closed)
        for number, check in enumerate(node.get("check", [])):
            if "field" in check:
                field: Path = ("nodes", name, "check", number, "field")
                yield Slip("checked field misspelt", field, put(field, f"{check['field']}s"), True)


def _of_templates(document: Written, found: list[Place]) -> Iterator[Slip]:
    bare = {place.path for place in found if place.key in EXPRESSIONS}
    for path, text in texts(document):
        if path[0] == "inputs" or not ("{{" in text or path in bare):
            continue
        if "{{" in text:
            at = text.rindex("}}")
            yield Slip("braces left open", path, put(path, text[:at] + text[at + 2 :]), True)
            yield Slip("unknown filter", path, put(path, text[:at] + "| shout " + text[at:]), True)
        for wrong, kind in (
            ("vars.nobody_sets_this", "unknown variable"),
            ("elsewhere.x", "unknown root"),
            ("nodes.nowhere", "unknown node read"),
        ):
            yield Slip(kind, path, put(path, f"{text} {{{{ {wrong} }}}}" if "{{" in text and path not in bare else wrong), True)
        yield Slip("statement", path, put(path, "{% if true %}x{% endif %}"), True)
        yield Slip("syntax", path, put(path, "{{ 1 + }}"), True)
