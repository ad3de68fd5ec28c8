"""The names that an expression of a flow can read, and what has to stand before them."""

from collections.abc import Iterator, Mapping

from engine.loading.lint.names import assigned
from engine.loading.lint.outline import NodeView, Outline, leaves, saved
from engine.loading.tree import Items, Pairs


def paths(outline: Outline) -> Mapping[str, str]:
    """Every name to the path that reads it: `vars.plan` for a variable, `inputs.plan` for an input, `nodes.ask` for a node."""
    found = {name: f"nodes.{name}" for name in outline.nodes}
    found.update((name, f"inputs.{name}") for name in outline.entries("inputs"))
    found.update((name, f"vars.{name}") for name in variables(outline))
    return found


def variables(outline: Outline) -> set[str]:
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
