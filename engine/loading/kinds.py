"""What msgspec's types look like from outside: which part of a file fits which, and their names in plain words."""

from msgspec import inspect as mi

from engine.loading.findings import shown
from engine.loading.tree import Items, Leaf, Pairs, Part


def is_known(kind: mi.Type) -> bool:
    """Whether the walker reads the type itself; others are left to msgspec."""
    return isinstance(
        kind,
        mi.NoneType
        | mi.BoolType
        | mi.StrType
        | mi.IntType
        | mi.FloatType
        | mi.StructType
        | mi.ListType
        | mi.VarTupleType
        | mi.DictType
        | mi.LiteralType,
    )


def fits(part: Part, kind: mi.Type) -> bool:
    """Whether the part has the type's outer form; ints count as floats, as in JSON."""
    match kind:
        case mi.AnyType() | mi.Metadata() | mi.UnionType():
            return True
        case mi.StructType() | mi.DictType():
            return isinstance(part, Pairs)
        case mi.ListType() | mi.VarTupleType():
            return isinstance(part, Items)
        case _:
            return isinstance(part, Leaf) and _fits_leaf(part, kind)


def _fits_leaf(part: Leaf, kind: mi.Type) -> bool:
    match kind, part.value:
        case (mi.BoolType(), bool()) | (mi.NoneType(), None) | (mi.StrType(), str()) | (mi.FloatType(), float()):
            return True
        case ((mi.IntType() | mi.FloatType()), int()):
            return not isinstance(part.value, bool)
        case mi.LiteralType(), value:
            return any(type(value) is type(one) for one in kind.values)
        case _:
            return False


def word(kind: mi.Type) -> str:
    """What a value of the type is called."""
    match kind:
        case mi.BoolType():
            return "true or false"
        case mi.IntType():
            return "a whole number"
        case mi.FloatType():
            return "a number"
        case mi.ListType() | mi.VarTupleType():
            return "a list"
        case mi.DictType() | mi.StructType():
            return "a mapping"
        case mi.LiteralType():
            return "one of " + ", ".join(str(value) for value in kind.values)
        case mi.NoneType():
            return "nothing"
        case _:
            return "text"


def found(part: Leaf | Items | Pairs) -> str:
    """What stands in the file instead."""
    match part:
        case Items():
            return "a list"
        case Pairs():
            return "a mapping"
        case Leaf(value=None):
            return "nothing"
        case Leaf(value=bool()):
            return "true or false"
        case Leaf(value=int() | float()):
            return "a number"
        case Leaf(value=value):
            return f"the text {shown(str(value))}"
