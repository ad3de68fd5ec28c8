"""A flow file as the checks see it: its nodes in the file's order, each with its place, whole or broken."""

from collections.abc import Iterator

from msgspec import Struct

from engine.loading.decode import Decoding
from engine.loading.partial import Partial
from engine.loading.tree import Entry, Items, Leaf, Pairs, Part, Torn, Tree
from engine.model.nodes import Ask, Call, Choice, Common, Form, Http, Node, Pausing, Task, Wait


class NodeView(Struct, frozen=True):
    """One node: `start` is the place of its id; `node` is None where it is broken, `seen` only where nothing of it is known."""

    id: str
    start: int
    part: Part
    node: Node | None
    seen: Partial | None

    @property
    def known(self) -> Node | None:
        """The node, whole or with doubtful fields."""
        return None if self.seen is None else self.seen.value

    @property
    def waits(self) -> bool:
        """Whether a visit may wait; of a broken node the best is believed."""
        return self.node is None or isinstance(self.node, Pausing)

    def at(self, *path: str | int) -> int:
        """The offset of the key or list item that the path leads to; as far as the path exists."""
        return place_in(self.part, self.start, path)

    def value_at(self, *path: str | int) -> int:
        """The offset of the value that the path leads to; as far as the path exists."""
        part = self.part
        for step in path:
            inner = _inner(part, step)
            if inner is None:
                break
            part = inner[1]
        return part.start


class Outline(Struct, frozen=True):
    """What the checks look at."""

    tree: Tree
    root: Pairs
    nodes: dict[str, NodeView]
    decoding: Decoding

    def seen(self, part: Part | None) -> Partial | None:
        """What is known of a mapping; None where it is nothing."""
        made = self.decoding.made.get(id(part))
        return self.decoding.broken.get(id(part)) if made is None else Partial(made)

    def entries(self, key: str) -> dict[str, Entry]:
        """The entries of the mapping under a key of the file; empty where there is none."""
        part = self.root.get(key)
        return part.entries if isinstance(part, Pairs) else {}

    def leaf(self, key: str) -> Leaf | None:
        """The text under a key of the file; None where there is none."""
        part = self.root.get(key)
        return part if isinstance(part, Leaf) and isinstance(part.value, str) else None

    def text(self, key: str, default: str) -> str:
        """Likewise, as text."""
        found = self.leaf(key)
        return default if found is None else str(found.value)

    def locales(self) -> list[tuple[str, int]]:
        """The languages of `locales`, each with its place."""
        part = self.root.get("locales")
        items = part.items if isinstance(part, Items) else ()
        return [(item.value, item.start) for item in items if isinstance(item, Leaf) and isinstance(item.value, str)]


def outline(tree: Tree, root: Pairs, decoding: Decoding) -> Outline:
    """The outline of a file; the decoding knows what became of its mappings."""
    part = root.get("nodes")
    entries = part.entries if isinstance(part, Pairs) else {}
    found = Outline(tree, root, {}, decoding)
    for name, entry in entries.items():
        seen = found.seen(entry.value)
        seen = seen if seen is not None and isinstance(seen.value, Common) else None
        whole = seen is not None and id(entry.value) in decoding.made
        found.nodes[name] = NodeView(name, entry.start, entry.value, seen.value if seen is not None and whole else None, seen)
    return found


def place_in(part: Part, start: int, path: tuple[str | int, ...]) -> int:
    """The offset of the key or item at the end of the path; as far as the path exists."""
    for step in path:
        inner = _inner(part, step)
        if inner is None:
            break
        start, part = inner
    return start


def _inner(part: Part, step: str | int) -> tuple[int, Part] | None:
    match part, step:
        case Pairs(), str() if step in part.entries:
            return part.entries[step].start, part.entries[step].value
        case Items(), int() if step < len(part.items):
            return part.items[step].start, part.items[step]
        case _:
            return None


def leaves(part: Part) -> Iterator[Leaf]:
    """Every scalar value inside the part."""
    match part:
        case Leaf():
            yield part
        case Items():
            for item in part.items:
                yield from leaves(item)
        case Pairs():
            for entry in part.entries.values():
                yield from leaves(entry.value)
        case Torn():
            pass


def is_torn(part: Part) -> bool:
    """Whether something inside the part could not be read."""
    match part:
        case Leaf():
            return False
        case Items():
            return any(is_torn(item) for item in part.items)
        case Pairs():
            return any(is_torn(entry.value) for entry in part.entries.values())
        case Torn():
            return True


def saved(view: NodeView) -> list[tuple[str, int]]:
    """The variables that the answer, the outcome or the outputs are saved in, each with its place."""
    match view.node:
        case Ask(save=None) | Choice(save=None):
            return [(view.id, view.start)]
        case Form(save=None, fields=list() as fields):
            named = enumerate(fields)
            return [(field.name, view.value_at("fields", number, "name")) for number, field in named if field.name is not None]
        case Ask(save=str() as name) | Choice(save=str() as name) | Form(save=str() as name):
            return [(name, view.value_at("save"))]
        case Call(save=str() as name) | Http(save=str() as name) | Task(save=str() as name) | Wait(save=str() as name):
            return [(name, view.value_at("save"))]
        case _:
            return []
