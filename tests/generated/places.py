"""Where a flow file says something that the language has a word for: each key with what it may hold, found by the types of the model."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from msgspec import Struct, inspect

from engine.model.flow import Flow
from tests.generated.questions import Written

Path = tuple[str | int, ...]

TARGETS: Final = frozenset({"next", "else", "on_exhausted", "on_expired", "on_failed", "start"})
EXPRESSIONS: Final = frozenset({"when", "that", "each"})


class Place(Struct, frozen=True):
    """A key that is there, and what the model says of it."""

    path: Path
    owner: str
    """The Struct that has the key."""
    required: bool
    type: inspect.Type

    @property
    def key(self) -> str:
        """The last word of the path."""
        return str(self.path[-1])

    @property
    def is_target(self) -> bool:
        """Whether it names a node."""
        return self.key in TARGETS or (len(self.path) > 1 and self.path[-2] == "routes")


def places(document: Written) -> Iterator[Place]:
    """Every key of the flow, but for those inside data of the author's own."""
    yield from _walk(document, (), _root())


def words() -> set[tuple[str, str]]:
    """Every key of the language, with the Struct that has it."""
    found: dict[str, inspect.StructType] = {}
    waiting: list[inspect.Type] = [_root()]
    while waiting:
        match waiting.pop():
            case inspect.StructType() as kind if kind.cls.__name__ not in found:
                found[kind.cls.__name__] = kind
                waiting += [field.type for field in kind.fields]
            case inspect.UnionType(types=kinds):
                waiting += kinds
            case inspect.ListType(item_type=kind) | inspect.DictType(value_type=kind):
                waiting.append(kind)
            case _:
                pass
    return {(name, field.encode_name) for name, kind in found.items() for field in kind.fields}


@cache
def _root() -> inspect.Type:
    return inspect.type_info(Flow)


def _walk(value: Any, path: Path, kind: inspect.Type) -> Iterator[Place]:
    kind = _meant(value, kind)
    match kind:
        case inspect.StructType() if isinstance(value, dict):
            if kind.tag_field is not None:
                yield Place((*path, kind.tag_field), kind.cls.__name__, True, inspect.LiteralType((kind.tag,)))
            for field in kind.fields:
                if field.encode_name in value:
                    inner = (*path, field.encode_name)
                    yield Place(inner, kind.cls.__name__, field.required, field.type)
                    yield from _walk(value[field.encode_name], inner, field.type)
        case inspect.ListType() if isinstance(value, list):
            for number, item in enumerate(value):
                yield from _walk(item, (*path, number), kind.item_type)
        case inspect.DictType() if isinstance(value, dict):
            for name, item in value.items():
                if isinstance(kind.value_type, inspect.StrType):
                    yield Place((*path, name), "", False, kind.value_type)
                yield from _walk(item, (*path, name), kind.value_type)
        case _:
            pass


def _meant(value: Any, kind: inspect.Type) -> inspect.Type:
    """Of several types the one that the value is of."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    for one in kind.types:
        match one, value:
            case inspect.StructType(tag=str() as tag), dict() if value.get("type") == tag:
                return one
            case inspect.StructType(tag=None), dict() if "each" in value:
                return one
            case (inspect.ListType(), list()) | (inspect.DictType(), dict()):
                return one
            case inspect.StructType(tag=None), dict() if len([t for t in kind.types if isinstance(t, inspect.StructType)]) == 1:
                return one
            case _:
                continue
    return kind


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text inside a value, with its place."""
    match value:
        case str():
            yield path, value
        case dict():
            for name, item in value.items():
                yield from texts(item, (*path, name))
        case list():
            for number, item in enumerate(value):
                yield from texts(item, (*path, number))
        case _:
            pass


def inside(document: Any, path: Path) -> Any:
    """What stands at the path."""
    for step in path:
        document = document[step]
    return document
