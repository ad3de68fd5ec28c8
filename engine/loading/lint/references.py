"""What expressions read must exist, and what is set should be read."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from engine.interpreter.waiting import causes
from engine.loading.findings import Findings, shown
from engine.loading.lint.names import assigned, is_name
from engine.loading.lint.outline import NodeView, Outline, leaves, saved
from engine.loading.lint.spots import CALLBACKS, NODE_RULES
from engine.loading.lint.templates import Read
from engine.loading.tree import Items, Leaf, Pairs, Part, Torn
from engine.model.inputs import DISPLAYS, MadeFields
from engine.model.nodes import Ask, Call, Choice, Form, Http, Task, Wait

_PARTS: Final = {
    "trigger": frozenset({"text", "intent", "context", "data"}),
    "run": frozenset({"id", "flow", "version", "locale", "visits"}),
}
_ANSWERED: Final = frozenset({"value", "last", "attempts"})
_FILLED: Final = frozenset({"values", "last", "attempts"})
_ENDED: Final = frozenset({"by", "name", "data"})
_RETURNED: Final = frozenset({"status", "headers", "json", "text", "retries"})
_ERROR: Final = "error"
"""The variable that a failure sets; every flow has it."""
_FAILED: Final = frozenset({"code", "message", "node", "status"})
"""What it holds, unless the flow sets one of its own."""


def check_references(outline: Outline, reads: Iterable[Read], findings: Findings, *, whole: bool) -> None:
    """Reports names that nothing defines, and, where the reads are the whole of them, variables that nothing reads."""
    foreign = set(_foreign_names(outline))
    known = {*_variables(outline), *foreign, _ERROR}
    inputs = {*outline.entries("inputs"), *foreign}
    called = {view.id for view in outline.nodes.values() if _may_be_called(view)}
    read: set[str] = set()
    for one in reads:
        root, path = one.reference.root, one.reference.path
        if root == "vars":
            whole = whole and bool(path) and isinstance(path[0], str)
            if path and outline.nodes and not outline.tree.diagnostics:  # what could not be read may set anything
                read.update(_read(str(path[0]), one, known, findings))
                _check_error_part(one, path, foreign, outline, findings)
        elif root == "inputs":
            if path and isinstance(path[0], str) and path[0] not in inputs and not outline.tree.diagnostics:
                _missing("the flow declares no input", path[0], inputs, one, findings)
        elif root == CALLBACKS:
            _check_callback(one, path, called, findings, sure=bool(outline.nodes) and not outline.tree.diagnostics)
        elif outline.nodes:
            _check(one, root, path, outline, findings)
    if whole and outline.nodes and not _is_hidden(outline) and all(_is_known(view) for view in outline.nodes.values()):
        for name, start in _explicit(outline).items():
            if name not in read and is_name(name):
                findings.add("variable.unread", start, f"the variable {shown(name)} is set and never read")


def _foreign_names(outline: Outline) -> Iterator[str]:
    """Whatever is named under keys that nothing has, or in a wrong form: a misspelt `save` is believed to mean what it says."""
    wrong = [part for part in map(outline.root.get, ("variables", "inputs")) if isinstance(part, Items | Leaf)]
    parts: list[Part] = [*outline.decoding.foreign, *wrong]
    while parts:
        match parts.pop():
            case Leaf(value=str() as name):
                yield name
            case Items(items=items):
                parts.extend(items)
            case Pairs(entries=entries):
                yield from entries
                parts.extend(entry.value for entry in entries.values())
            case _:
                pass


def _is_hidden(outline: Outline) -> bool:
    """Whether something that could not be read, or stands under a key that nothing has, may read a variable."""
    foreign = (leaf.value for part in outline.decoding.foreign for leaf in leaves(part))
    return bool(outline.tree.diagnostics) or any(isinstance(value, str) and "vars" in value for value in foreign)


def _is_known(view: NodeView) -> bool:
    """Whether the node's type is one whose templates were looked at."""
    kind = view.part.get("type") if isinstance(view.part, Pairs) else None
    return isinstance(kind, Leaf) and kind.value in NODE_RULES


def _read(name: str, one: Read, known: Collection[str], findings: Findings) -> set[str]:
    """The variable meant: of a misspelt name the nearest one, so that one slip is not reported as two."""
    if name in known:
        return {name}
    near = findings.nearest(name, known)
    findings.add("variable.unknown", one.start, f"nothing in this flow sets the variable {shown(name)}", findings.did_you_mean(near))
    return set() if near is None else {near}


def _check(one: Read, root: str, path: tuple[Any, ...], outline: Outline, findings: Findings) -> None:
    match root, path:
        case "nodes", (str() as name, *_) if name not in outline.nodes:
            _missing("there is no node", name, outline.nodes, one, findings)
        case "nodes", (str() as name, str() as part, *rest):
            _check_node_part(one, name, part, outline, findings)
            if part == "values" and rest:
                _check_field(one, outline.nodes[name], rest[0], findings)
        case "values", (name, *_):
            _check_field(one, _around(one, outline), name, findings)
        case "run", ("visits", str() as name, *_) if name not in outline.nodes:
            _missing("there is no node", name, outline.nodes, one, findings)
        case (("trigger" | "run"), (str() as name, *_)) if name not in _PARTS[root]:
            _missing(f"`{root}` has no part", name, _PARTS[root], one, findings)
        case _:
            pass


def _check_node_part(one: Read, name: str, part: str, outline: Outline, findings: Findings) -> None:
    parts: frozenset[str]
    match outline.nodes[name].known:
        case Ask() | Choice():
            parts = _ANSWERED
        case Form():
            parts = _FILLED
        case Wait():
            parts = _ENDED
        case Http():
            parts = _RETURNED
        case Task() | Call() | None:  # what comes back is for the worker, or the called flow, to say
            return
        case _:
            parts = frozenset()
    if part not in parts:
        _missing(f"`nodes.{name}` has no part", part, parts, one, findings)


def _check_field(one: Read, view: NodeView, name: Any, findings: Findings) -> None:
    """A form has the values of its fields; which ones are made from data is not known before."""
    form = view.node
    if not isinstance(form, Form) or isinstance(form.fields, MadeFields) or not isinstance(name, str):
        return
    names = {field.name for field in form.fields if field.name and field.type not in DISPLAYS}
    if name not in names:
        _missing(f"the form `{view.id}` asks for no", name, names, one, findings)


def _around(one: Read, outline: Outline) -> NodeView:
    """The node in which the expression stands."""
    return max((view for view in outline.nodes.values() if view.start <= one.start), key=lambda view: view.start)


def _check_error_part(one: Read, path: tuple[Any, ...], foreign: Collection[str], outline: Outline, findings: Findings) -> None:
    match path:
        case (name, str() as part, *_) if name == _ERROR and part not in _FAILED and name not in {*_variables(outline), *foreign}:
            _missing("`vars.error` has no part", part, _FAILED, one, findings)
        case _:
            pass


def _check_callback(one: Read, path: tuple[Any, ...], called: Collection[str], findings: Findings, *, sure: bool) -> None:
    """A callback is that of a wait for an event, and only those who are to call it may see it."""
    if not one.leaves:
        message = "the address of a callback may stand only in what a request, a task or an event sends: a customer must not see it"
        findings.add("callback.exposed", one.start, message)
    elif not path or not isinstance(path[0], str):
        findings.add("reference.unknown", one.start, "a callback needs the name of its wait", "write it like callbacks.paid")
    elif path[0] not in called and sure:
        _missing("there is no wait for an event", path[0], called, one, findings)


def _may_be_called(view: NodeView) -> bool:
    """Whether the node waits for an event; of a broken one the best is believed."""
    match view.known:
        case Wait() as node:
            doubtful = view.seen is None or not view.seen.knows("event", "causes")
            return doubtful or any(cause.event is not None for cause in causes(node))
        case node:
            return node is None


def _missing(what: str, name: str, known: Collection[str], one: Read, findings: Findings) -> None:
    findings.add("reference.unknown", one.start, f"{what} {shown(name)}", findings.meant(name, known))


def _variables(outline: Outline) -> set[str]:
    """Every variable that the flow declares, sets or saves anywhere."""
    names = set(outline.entries("variables"))
    for view in outline.nodes.values():
        names.update(_written(view))
    return names


def _written(view: NodeView) -> Iterator[str]:
    """Everything that the node may write; a broken one is believed to write whatever it names."""
    if view.node is not None:
        yield from (name for name, _ in [*saved(view), *assigned(view)])
    elif isinstance(view.part, Pairs):
        yield view.id
        yield from (str(leaf.value) for key in ("save", "fields") for leaf in leaves(view.part.get(key) or Items((), 0)))
        values = view.part.get("values")
        yield from values.entries if isinstance(values, Pairs) else ()


def _explicit(outline: Outline) -> dict[str, int]:
    """The variables that the author named on purpose, each with the first place that does."""
    named = {name: entry.start for name, entry in outline.entries("variables").items() if not isinstance(entry.value, Torn)}
    for view in outline.nodes.values():
        for name, start in assigned(view):
            if "." not in name:
                named.setdefault(name, start)
        if view.node is not None and getattr(view.node, "save", None) is not None:
            for name, start in saved(view):
                named.setdefault(name, start)
    return dict(sorted(named.items(), key=lambda item: item[1]))
