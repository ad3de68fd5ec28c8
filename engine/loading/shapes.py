"""What most often is meant where a value of the wrong type stands: a hint that shows the form that is asked for."""

from collections.abc import Collection, Iterator
from typing import Final

from msgspec import inspect as mi

from engine.loading.advice import advice_on_nothing
from engine.loading.findings import shown
from engine.loading.kinds import fits
from engine.loading.tree import Items, Leaf, Pairs, Part

SWITCHES: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
"""What people write for a boolean, in lower case, and what YAML 1.2 has for it."""
_TEXT: Final = Leaf("", 0, 0)


def advice_on_shape(text: str, part: Part, kinds: Collection[mi.Type]) -> str | None:
    """A hint for a part that is of none of the kinds; None where nothing is likely."""
    wanted = [member for kind in kinds for member in _members(kind)]
    match part:
        case Leaf(value=None):
            inner = any(isinstance(kind, mi.StructType | mi.DictType) for kind in wanted) and not any(fits(_TEXT, kind) for kind in wanted)
            return advice_on_nothing(text, part.start, inner=inner) if part.start == part.end else None
        case Leaf():
            return _on_scalar(text, part, wanted)
        case Items(items=items):
            if any(isinstance(kind, mi.DictType | mi.StructType) for kind in wanted):
                return "a mapping has a key before each value, and no dashes"
            return "only one may stand here: leave the dash or the brackets out" if len(items) == 1 else None
        case Pairs():
            return next((_on_mapping(part, member) for kind in _lists(wanted) for member in _members(kind.item_type)), None)
        case _:
            return None


def _on_scalar(text: str, part: Leaf, wanted: list[mi.Type]) -> str | None:
    written = shown(text[part.start : part.end]).strip("`")
    if isinstance(part.value, str) and any(isinstance(kind, mi.BoolType) for kind in wanted):
        meant = SWITCHES.get(part.value.lower())
        return f"in YAML 1.2 this is text; write {meant}" if meant else None
    if not isinstance(part.value, str) and any(isinstance(kind, mi.StrType | mi.LiteralType) for kind in wanted):
        return f'quote it: "{text[part.start : part.end]}"'
    for kind in wanted:
        if isinstance(kind, mi.StructType) and (form := _form(kind, part, written)) is not None:
            return f"write it like {form}"
    for kind in _lists(wanted):
        forms = (_form(one, part, written) if isinstance(one, mi.StructType) else written for one in _members(kind.item_type))
        return next((f"write it like [{form}]" for form in forms if form is not None), None)
    return None


def _on_mapping(part: Pairs, wanted: mi.Type) -> str | None:
    """A mapping where a list of such should stand, or where its keys are what the items of a list should say."""
    if not isinstance(wanted, mi.StructType):
        return None
    if any((value := part.get(field.encode_name)) is not None and _takes(field, value) for field in wanted.fields):
        return "it is a list, even of one: put a dash and a space before it"
    form = _form(wanted, None, "")
    return None if form is None else f"write a list of items like {form}"


def _form(kind: mi.StructType, part: Leaf | None, written: str) -> str | None:
    """The keys that a mapping must have, with what is written under the first that takes it; None where it must have none."""
    required = [field for field in kind.fields if field.required]
    home = next((field for field in required if part is not None and _takes(field, part)), None)
    keys = ", ".join(f"{field.encode_name}: {written if field is home else '...'}" for field in required)
    return f"{{{keys}}}" if keys else None


def _takes(field: mi.Field, part: Part) -> bool:
    """Whether the part may well stand under the key."""
    for kind in _members(field.type):
        if isinstance(kind, mi.LiteralType):
            if isinstance(part, Leaf) and part.value in kind.values:
                return True
        elif fits(part, kind):
            return True
    return False


def _lists(kinds: Collection[mi.Type]) -> Iterator[mi.ListType | mi.VarTupleType]:
    return (kind for kind in kinds if isinstance(kind, mi.ListType | mi.VarTupleType))


def _members(kind: mi.Type) -> Iterator[mi.Type]:
    """The kinds that a union, or a kind with metadata, stands for."""
    match kind:
        case mi.UnionType(types=types):
            for one in types:
                yield from _members(one)
        case mi.Metadata(type=inner):
            yield from _members(inner)
        case _:
            yield kind
