"""The allow-list: syntax trees to evaluators, and nothing but what stands here."""

from difflib import get_close_matches
from typing import Final, cast

from jinja2 import nodes
from msgspec import Struct

from engine.errors import ExpressionError
from engine.expressions import operators
from engine.expressions.catalogue import FILTER_TABLE, TEST_TABLE, Entry, matches
from engine.expressions.operators import Evaluate
from engine.expressions.patterns import compile_pattern
from engine.expressions.scope import Scope
from engine.expressions.tokens import forbidden, parse_expression, wrong_syntax
from engine.expressions.values import present
from engine.model.values import Json

TREE_DEPTH: Final = 100
"""Operations within operations, dots and filters included."""
_LONGEST_NAME: Final = 64
_SYMBOLS: Final = {nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//", nodes.Mod: "%"}


class Reference(Struct, frozen=True):
    """A root that a template reads, with the literal keys that lead on from it; `offset` counts characters of the template."""

    root: str
    path: tuple[str | int, ...]
    offset: int


class Compiled(Struct, frozen=True, eq=False):
    """One expression, ready to run."""

    evaluate: Evaluate
    references: tuple[Reference, ...]
    plain: bool
    """True: it only reads a path or a literal, and spends nothing."""


def compile_source(source: str, roots: frozenset[str]) -> Compiled:
    """Parse one expression and check it against the allow-list; offsets count from its start."""
    translation = _Translation(roots)
    try:
        tree = parse_expression(source)
        evaluate = translation.of(tree)
    except RecursionError as error:
        raise wrong_syntax("The expression is nested too deeply.", 0) from error
    return Compiled(evaluate, tuple(translation.references), isinstance(tree, nodes.Name | nodes.Const) or _literal_path(tree) is not None)


class _Translation:
    """One walk over a tree; it collects the references on its way."""

    def __init__(self, roots: frozenset[str]) -> None:
        self.references: list[Reference] = []
        self._roots = roots
        self._depth = 0

    def of(self, node: nodes.Expr) -> Evaluate:
        self._depth += 1
        if self._depth > TREE_DEPTH:
            raise wrong_syntax("The expression is nested too deeply.", node.lineno)
        evaluate = self._operation(node)
        self._depth -= 1
        return evaluate

    def _operation(self, node: nodes.Expr) -> Evaluate:
        match node:
            case nodes.Const(value=value):
                return lambda _: value
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self._reading(node)
            case nodes.List(items=items):
                return operators.list_of(tuple(self.of(item) for item in items))
            case nodes.Dict(items=pairs):
                return operators.mapping_of(tuple((_key(pair), self.of(pair.value)) for pair in pairs))
            case nodes.Compare(expr=first, ops=steps):
                return operators.comparison(self.of(first), tuple((operators.RELATIONS[step.op], self.of(step.expr)) for step in steps))
            case nodes.CondExpr(test=test, expr1=then, expr2=otherwise):
                # Without `else` the other value is null, which prints as nothing.
                return operators.choice(self.of(test), self.of(then), self.of(otherwise) if otherwise else lambda _: None)
            case nodes.Concat(nodes=parts):
                return operators.concatenation(tuple(self.of(part) for part in parts))
            case nodes.Filter() | nodes.Test():
                return self._application(node)
            case nodes.BinExpr(left=left, right=right):
                return self._binary(node, left, right)
            case nodes.UnaryExpr(node=operand):
                return self._unary(node, self.of(operand))
            case _:
                raise forbidden(_refusal(node), node.lineno)

    def _binary(self, node: nodes.BinExpr, left: nodes.Expr, right: nodes.Expr) -> Evaluate:
        match node:
            case nodes.And():
                return operators.conjunction(self.of(left), self.of(right))
            case nodes.Or():
                return operators.disjunction(self.of(left), self.of(right))
            case nodes.Add():
                return operators.addition(self.of(left), self.of(right))
            case nodes.Sub() | nodes.Mul() | nodes.Div() | nodes.FloorDiv() | nodes.Mod():
                symbol = _SYMBOLS[type(node)]
                for side in (left, right):
                    if _never_a_number(side):
                        raise forbidden(f"`{symbol}` takes numbers alone.", side.lineno)
                return operators.arithmetic(symbol, self.of(left), self.of(right))
            case _:
                raise forbidden(_refusal(node), node.lineno)

    def _unary(self, node: nodes.UnaryExpr, operand: Evaluate) -> Evaluate:
        match node:
            case nodes.Not():
                return operators.inversion(operand)
            case nodes.Neg():
                return operators.negation(operand)
            case nodes.Pos():
                return operators.same_sign(operand)
            case _:
                raise forbidden(_refusal(node), node.lineno)

    def _reading(self, node: nodes.Name | nodes.Getattr | nodes.Getitem) -> Evaluate:
        if isinstance(node, nodes.Name) and node.name == "null":
            return lambda _: None
        found = _literal_path(node)
        if found is not None:
            name, keys = found
            if len(keys) > TREE_DEPTH:
                raise wrong_syntax("The expression is nested too deeply.", node.lineno)
            if name.name not in self._roots:
                raise unknown("name", name.name, self._roots, name.lineno, root=name.name)
            self.references.append(Reference(name.name, keys, name.lineno))
            return operators.path(name.name, keys)
        match node:
            case nodes.Getattr(node=container, attr=key):
                return operators.subscript(self.of(container), lambda _: key, key)
            case nodes.Getitem(node=container, arg=nodes.Expr() as argument) if not isinstance(argument, nodes.Slice | nodes.Tuple):
                return operators.subscript(self.of(container), self.of(argument), "A key or position")
            case _:
                raise forbidden("An index is one key or one position.", node.lineno)

    def _application(self, node: nodes.Filter | nodes.Test) -> Evaluate:
        sort, table = ("filter", FILTER_TABLE) if isinstance(node, nodes.Filter) else ("test", TEST_TABLE)
        entry = table.get(node.name)
        if entry is None:
            raise unknown(sort, node.name, frozenset(table), node.lineno)
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise forbidden(f"The arguments of `{node.name}` are written out one by one.", node.lineno)
        arguments = _arranged(node, entry)
        if node.name == "matching" and isinstance(arguments[0], nodes.Const) and isinstance(arguments[0].value, str):
            return self._literal_match(node.node, arguments[0])
        return _applied(entry, self.of(node.node), tuple(self._argument(item) for item in arguments))

    def _argument(self, item: nodes.Expr | Json) -> Evaluate:
        if isinstance(item, nodes.Expr):
            written = self.of(item)
            return lambda scope: present(written(scope))
        return lambda _: item

    def _literal_match(self, subject: nodes.Expr, pattern: nodes.Const) -> Evaluate:
        try:
            compiled = compile_pattern(pattern.value)
        except ExpressionError as error:
            raise wrong_syntax(str(error), pattern.lineno) from error
        value = self.of(subject)
        return lambda scope: matches(scope, present(value(scope)), compiled)


def unknown(sort: str, name: str, names: frozenset[str], offset: int, *, root: str | None = None) -> ExpressionError:
    """The error for a name that nothing has, with the nearest one that something has."""
    near = get_close_matches(name[:_LONGEST_NAME], sorted(names), n=1)
    hint = f"did you mean `{near[0]}`?" if near else None
    return ExpressionError("expression.unknown", f"There is no {sort} `{name[:_LONGEST_NAME]}`.", offset=offset, hint=hint, root=root)


def _literal_path(node: nodes.Expr) -> tuple[nodes.Name, tuple[str | int, ...]] | None:
    """The name and literal keys of a path such as `vars.order.items[0]`; None for any other expression."""
    keys: list[str | int] = []
    while True:
        match node:
            case nodes.Getattr(node=container, attr=key):
                keys.append(key)
                node = container
            case nodes.Getitem(node=container, arg=nodes.Const(value=str() | int() as key)) if not isinstance(key, bool):
                keys.append(key)
                node = container
            case nodes.Name() if node.name != "null":
                return node, tuple(reversed(keys))
            case _:
                return None


def _key(pair: nodes.Pair) -> str:
    if isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str):
        return pair.key.value
    raise forbidden("A key of a mapping is a text in quotes.", pair.key.lineno)


def _never_a_number(node: nodes.Expr) -> bool:
    if isinstance(node, nodes.Const):
        return isinstance(node.value, str | bool) or node.value is None
    return isinstance(node, nodes.List | nodes.Dict | nodes.Concat)


def _arranged(node: nodes.Filter | nodes.Test, entry: Entry) -> list[nodes.Expr | Json]:
    """One argument for each parameter: an expression of the author's, or the default."""
    if len(node.args) > len(entry.parameters):
        raise wrong_syntax(f"`{node.name}` takes at most {len(entry.parameters)} arguments.", node.lineno)
    given: dict[str, nodes.Expr] = dict(zip(entry.parameters, node.args, strict=False))
    for keyword in cast("list[nodes.Keyword]", node.kwargs):  # Jinja annotates them as pairs, which its parser never puts there
        if keyword.key not in entry.parameters:
            raise unknown(f"argument of `{node.name}` named", keyword.key, frozenset(entry.parameters), keyword.lineno)
        if keyword.key in given:
            raise wrong_syntax(f"`{node.name}` is given `{keyword.key}` twice.", keyword.lineno)
        given[keyword.key] = keyword.value
    for name in entry.parameters[: entry.required]:
        if name not in given:
            raise wrong_syntax(f"`{node.name}` needs `{name}`.", node.lineno)
    defaults = dict(zip(entry.parameters[entry.required :], entry.defaults, strict=True))
    return [given.get(name, defaults.get(name)) for name in entry.parameters]


def _applied(entry: Entry, subject: Evaluate, arguments: tuple[Evaluate, ...]) -> Evaluate:
    function = entry.function
    if entry.takes_missing:
        return lambda scope: function(scope, subject(scope), *[argument(scope) for argument in arguments])
    if not arguments:
        return lambda scope: function(scope, present(subject(scope)))

    def evaluate(scope: Scope) -> Json:
        return function(scope, present(subject(scope)), *[argument(scope) for argument in arguments])

    return evaluate


def _refusal(node: nodes.Node) -> str:
    match node:
        case nodes.Call():
            return "Nothing can be called; use a filter, such as `vars.x|length`."
        case nodes.Pow():
            return "`**` is not part of expressions."
        case nodes.Tuple():
            return "A list is written in square brackets."
        case nodes.Slice():
            return "An index is one key or one position."
        case _:
            return "This is not part of expressions."
