"""Checks a positioned tree against a msgspec type and makes the value, reporting every problem at its exact place."""

import re
from collections.abc import Collection, Hashable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import Struct
from msgspec import inspect as mi

from engine.loading.findings import Findings, shown
from engine.loading.kinds import fits, found, is_known, word
from engine.loading.partial import Partial, partial
from engine.loading.shapes import advice_on_shape
from engine.loading.tree import Items, Leaf, Pairs, Part, Torn, Tree, plain
from engine.model.problems import Diagnostic
from engine.model.values import Duration, EventName, Locale, Name

T = TypeVar("T")


class Vocabulary(Struct, frozen=True):
    """What a language says about its own words, beyond the types."""

    later_tags: frozenset[str] = frozenset()
    """Tags that the language has and this version has not."""
    later_keys: Mapping[type, frozenset[str]] = {}
    """Keys likewise; those of a class hold for its subclasses."""
    missing: Mapping[str, str] = {}
    """Key to the code that says it is missing; `key.missing` for the others."""
    unknown_tag: str = "value.wrong"
    elsewhere: Mapping[tuple[type, str], str] = {}
    """Class and key that it has not, to a hint where such a key belongs."""


ADVISED: Final = 500
"""Values of the wrong type in one file that get a hint: of a file full of them the first alone."""
PLAIN_WORDS: Final = Vocabulary()


class _Failed:
    """Stands for a value that could not be made."""


_FAILED: Final = _Failed()


def _pattern(annotated: Any) -> str:
    info = mi.type_info(annotated)
    return info.pattern or "" if isinstance(info, mi.StrType) else ""


_PATTERNS: Final = {
    _pattern(Name): ("name.bad", "is not an id", "lower-case letters, digits and _, beginning with a letter, at most 64"),
    _pattern(EventName): ("value.wrong", "is not the name of an event", "lower-case words with dots between, such as order.paid"),
    _pattern(Locale): ("locale.bad", "is not a language", "write it like en or de-AT"),
    _pattern(Duration): ("duration.bad", "is not a duration", "write it like 30s, 10m, 24h, 3d or 1w"),
}


class _Shape(Struct, frozen=True):
    """A Struct type, ready to be filled."""

    cls: type
    fields: dict[str, mi.Field]
    tag_field: str | None
    tag: Any
    strict: bool


@lru_cache(maxsize=512)
def _shape(cls: type) -> _Shape:
    info = _kind(cls)
    if not isinstance(info, mi.StructType):
        raise TypeError(f"{cls} is not a Struct")
    fields = {field.encode_name: field for field in info.fields}
    return _Shape(cls, fields, info.tag_field, info.tag, info.forbid_unknown_fields)


@lru_cache(maxsize=64)
def _kind(type_: Hashable) -> mi.Type:
    """Made once: of a large type that takes longer than to read a small file."""
    return mi.type_info(type_)


def decode(tree: Tree, type_: type[T], words: Vocabulary = PLAIN_WORDS) -> tuple[T | None, list[Diagnostic]]:
    """The tree as a value of the type, or None; and all that is wrong with it, the tree's own problems first."""
    findings = Findings(tree.file, tree.lines)
    value = Decoding(tree, findings, words).root(type_)
    return value, [*tree.diagnostics, *findings.sorted()]


class Decoding:
    """One tree as it is decoded; `made` keeps what became of each mapping, by the mapping's identity, `broken` what is left of others."""

    def __init__(self, tree: Tree, findings: Findings, words: Vocabulary) -> None:
        self._tree = tree
        self._findings = findings
        self._words = words
        self.made: dict[int, Any] = {}
        self.broken: dict[int, Partial] = {}
        self.foreign: list[Part] = []
        """What stands under keys that nothing has."""
        self._wrongs = 0

    def root(self, type_: type[T]) -> T | None:
        """The whole document as a value of the type; None when anything in it is wrong."""
        if self._tree.root is None:
            return None
        value = self._value(self._tree.root, _kind(cast("Hashable", type_)), self._tree.root.start)
        return None if isinstance(value, _Failed) or self._tree.diagnostics else value

    def _value(self, part: Part, kind: mi.Type, at: int) -> Any:
        """`at` is where a missing key is reported: the key that the part stands under, else the part."""
        if isinstance(part, Torn):
            return _FAILED
        match kind:
            case mi.AnyType():
                return plain(part)
            case mi.Metadata():
                return self._value(part, kind.type, at)
            case mi.UnionType():
                return self._union(part, kind, at)
            case mi.StructType() if isinstance(part, Pairs):
                return self._tagged(part, [kind], at) if kind.tag_field else self._struct(part, kind, at)
            case mi.ListType() | mi.VarTupleType() if isinstance(part, Items):
                return self._items(part, kind)
            case mi.DictType() if isinstance(part, Pairs):
                return self._mapping(part, kind)
            case mi.LiteralType() if isinstance(part, Leaf):
                return self._literal(part, kind)
            case _:
                return self._leaf(part, kind) if isinstance(part, Leaf) else self._wrong(part, [kind])

    def _union(self, part: Part, kind: mi.UnionType, at: int) -> Any:
        fitting = [member for member in kind.types if fits(part, member)]
        structs = [member for member in fitting if isinstance(member, mi.StructType)]
        literals = [member for member in fitting if isinstance(member, mi.LiteralType)]
        if not fitting:
            return self._wrong(part, kind.types)
        if len(literals) == len(fitting):
            return self._value(part, mi.LiteralType(tuple(value for one in literals for value in one.values)), at)
        if structs and isinstance(part, Pairs):
            if structs[0].tag_field:
                return self._tagged(part, structs, at)
            lists = [member for member in kind.types if isinstance(member, mi.ListType | mi.VarTupleType)]
            if lists and not any(part.entries.keys() & _shape(one.cls).fields.keys() for one in structs):
                return self._wrong(part, lists)  # whoever writes none of its keys meant no such mapping
            return self._struct(part, max(structs, key=lambda one: len(part.entries.keys() & _shape(one.cls).fields.keys())), at)
        if len(fitting) > 1 and any(isinstance(one, mi.StrType) and one.pattern is None for one in fitting):
            fitting = [one for one in fitting if isinstance(one, mi.StrType) and one.pattern is None]
        return self._value(part, fitting[0], at)

    def _tagged(self, part: Pairs, structs: list[mi.StructType], at: int) -> Any:
        key = structs[0].tag_field or "type"
        entry = part.entries.get(key)
        if entry is None:
            self._findings.add("key.missing", at, f"the key `{key}` is missing")
            return _FAILED
        if not isinstance(entry.value, Leaf) or not isinstance(entry.value.value, str):
            return self._wrong(entry.value, [mi.StrType()])
        tag, tags = entry.value.value, {str(one.tag): one for one in structs}
        if tag in self._words.later_tags:
            self._findings.add("node.unavailable", entry.value.start, f"the type {shown(tag)} is not available in this version")
            return _FAILED
        if tag not in tags:
            near = self._findings.meant(tag, tags.keys() | self._words.later_tags)
            hint = near or self._findings.chosen(tag, sorted(tags))
            self._findings.add(self._words.unknown_tag, entry.value.start, f"there is no type {shown(tag)}", hint)
            return _FAILED
        return self._struct(part, tags[tag], at)

    def _struct(self, part: Pairs, kind: mi.StructType, at: int) -> Any:
        known = self.made.get(id(part))
        if type(known) is kind.cls:
            return known
        shape = _shape(kind.cls)
        values: dict[str, Any] = {}
        whole, strange = True, False
        for key, entry in part.entries.items():
            field = shape.fields.get(key)
            if field is not None:
                values[field.name] = self._value(entry.value, field.type, entry.start)
                whole = whole and values[field.name] is not _FAILED
            elif key != shape.tag_field and shape.strict:
                whole = False
                strange = self._unknown(key, entry.start, shape) or strange
                self.foreign.append(entry.value)
        for field in shape.fields.values():
            if field.required and field.encode_name not in part.entries:
                whole = False
                code = self._words.missing.get(field.encode_name, "key.missing")
                self._findings.add(code, at, f"the key `{field.encode_name}` is missing")
        return self._make(part, shape, values) if whole else self._keep(part, shape, values, strange=strange)

    def _keep(self, part: Pairs, shape: _Shape, values: dict[str, Any], *, strange: bool) -> _Failed:
        sound = {name: value for name, value in values.items() if value is not _FAILED}
        rest = partial(shape.cls, shape.fields.values(), sound, values.keys() - sound.keys(), strange=strange)
        if rest is not None:
            self.broken[id(part)] = rest
        return _FAILED

    def _make(self, part: Pairs, shape: _Shape, values: dict[str, Any]) -> Any:
        try:
            made = shape.cls(**values)
        except (TypeError, ValueError) as problem:
            self._findings.add("value.wrong", part.start, str(problem))
            return _FAILED
        self.made[id(part)] = made
        return made

    def _unknown(self, key: str, start: int, shape: _Shape) -> bool:
        """Reports the key; whether it may be another one, misspelt."""
        later = {name for cls, names in self._words.later_keys.items() if issubclass(shape.cls, cls) for name in names}
        if key in later:
            self._findings.add("key.unavailable", start, f"the key {shown(key)} is not available in this version")
            return False
        known = [*shape.fields, *([shape.tag_field] if shape.tag_field else [])]
        hint = self._words.elsewhere.get((shape.cls, key)) or self._findings.meant(key, known)
        self._findings.add("key.unknown", start, f"there is no key {shown(key)} here", hint)
        return True

    def _items(self, part: Items, kind: mi.ListType | mi.VarTupleType) -> Any:
        made = [self._value(item, kind.item_type, item.start) for item in part.items]
        if any(item is _FAILED for item in made) or not self._sized(part, len(made), kind):
            return _FAILED
        return made if isinstance(kind, mi.ListType) else tuple(made)

    def _mapping(self, part: Pairs, kind: mi.DictType) -> Any:
        made: dict[Any, Any] = {}
        whole = self._sized(part, len(part.entries), kind)
        for key, entry in part.entries.items():
            name = self._leaf(Leaf(key, entry.start, entry.start), kind.key_type)
            made[name] = self._value(entry.value, kind.value_type, entry.start)
            whole = whole and name is not _FAILED and made[name] is not _FAILED
        return made if whole else _FAILED

    def _sized(self, part: Items | Pairs, size: int, kind: mi.ListType | mi.VarTupleType | mi.DictType) -> bool:
        if size >= (kind.min_length or 0) and (kind.max_length is None or size <= kind.max_length):
            return True
        bound = f"at least {kind.min_length}" if size < (kind.min_length or 0) else f"at most {kind.max_length}"
        self._findings.add("value.wrong", part.start, f"there must be {bound} of them, and there are {size}")
        return False

    def _literal(self, part: Leaf, kind: mi.LiteralType) -> Any:
        if any(part.value == value and type(part.value) is type(value) for value in kind.values):
            return part.value
        if not isinstance(part.value, str):
            return self._wrong(part, [kind])
        known = [str(value) for value in kind.values]
        self._findings.add("value.wrong", part.start, f"{shown(part.value)} may not stand here", self._findings.chosen(part.value, known))
        return _FAILED

    def _leaf(self, part: Leaf, kind: mi.Type) -> Any:
        match kind:
            case mi.AnyType():
                return part.value
            case mi.NoneType() if part.value is None:
                return None
            case mi.BoolType() if isinstance(part.value, bool):
                return part.value
            case mi.StrType() if isinstance(part.value, str):
                return self._text(part, part.value, kind)
            case mi.IntType() | mi.FloatType() if fits(part, kind) and not isinstance(part.value, bool | str | None):
                return self._number(part, part.value, kind)
            case _:
                return self._wrong(part, [kind]) if is_known(kind) else self._other(part, kind)

    def _other(self, part: Leaf, kind: mi.Type) -> Any:
        """Types that msgspec reads from text: dates, enums, UUIDs."""
        cls = getattr(kind, "cls", None)
        try:
            return msgspec.convert(part.value, cls) if cls is not None else self._wrong(part, [kind])
        except msgspec.ValidationError as problem:
            self._findings.add("value.wrong", part.start, str(problem))
            return _FAILED

    def _text(self, part: Leaf, text: str, kind: mi.StrType) -> Any:
        if kind.pattern is not None and re.fullmatch(kind.pattern, text) is None:
            code, message, hint = _PATTERNS.get(kind.pattern, ("value.wrong", "does not have the form that is asked for", kind.pattern))
            self._findings.add(code, part.start, f"{shown(text)} {message}", hint)
            return _FAILED
        if len(text) < (kind.min_length or 0) or (kind.max_length is not None and len(text) > kind.max_length):
            self._findings.add("value.wrong", part.start, f"{shown(text)} is too short or too long")
            return _FAILED
        return text

    def _number(self, part: Leaf, number: float, kind: mi.IntType | mi.FloatType) -> Any:
        low, high = kind.ge, kind.le
        outside = (low is not None and number < low) or (high is not None and number > high)
        if outside or (kind.gt is not None and number <= kind.gt) or (kind.lt is not None and number >= kind.lt):
            bounds = f"{'' if low is None else low}..{'' if high is None else high}"
            self._findings.add("value.wrong", part.start, f"the number {number} lies outside {bounds}")
            return _FAILED
        return float(number) if isinstance(kind, mi.FloatType) else number

    def _wrong(self, part: Part, kinds: Collection[mi.Type]) -> _Failed:
        if isinstance(part, Torn):
            return _FAILED
        wanted = " or ".join(dict.fromkeys(word(kind) for kind in kinds if not isinstance(kind, mi.NoneType)))
        self._wrongs += 1
        hint = advice_on_shape(self._tree.text, part, kinds) if self._wrongs <= ADVISED else None
        self._findings.add("type.wrong", part.start, f"expected {wanted}, found {found(part)}", hint)
        return _FAILED
