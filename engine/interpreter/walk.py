"""The turn under way: what a run is becoming while its nodes are visited. It lives for one call of `advance` and is seen by nobody else."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, get_args

import msgspec

from engine.errors import ExpressionError
from engine.expressions import Budget, Scope, Template
from engine.expressions.locales import localized
from engine.expressions.moments import zone
from engine.expressions.values import printed
from engine.interpreter.book import Book, CompiledFlow
from engine.interpreter.lists import MOST_ITEMS, Made
from engine.interpreter.outcomes import LimitPassed, NodeFailed
from engine.interpreter.placeholders import placeholder
from engine.model.effects import Effect, Emit, Reached, Visit, Warned
from engine.model.events import Event
from engine.model.nodes import Node
from engine.model.run import Block, Frame, Run
from engine.model.values import LARGEST_INTEGER, Json, Limits, Text

T = TypeVar("T")

_KINDS: Final = {cls: str(cls.__struct_config__.tag) for cls in get_args(Node)}
"""What a flow file calls each type of node."""

_DEEPEST: Final = 100
"""Lists and mappings inside one another, of what an expression gives."""
_ITEM_COST: Final = 8
"""Making one item of a list counts as so many parts."""
_MARKDOWN: Final = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]()<>#+-.!|~&"})


class Walk:
    """The run's frames, variables and effects while they change; the run it came from stays as it was."""

    def __init__(self, book: Book, run: Run, event: Event, limits: Limits) -> None:
        self.book = book
        self.run = run
        self.at = event.at
        self.now = event.at if run.now is None else run.now
        """What the flow is told: it stays the same in a turn, however long its calls take."""
        self.limits = limits
        self.frames = [OpenFrame(book(frame.ref), frame) for frame in run.frames]
        self.frame: OpenFrame
        """The frame that moves."""
        if self.frames:
            self.frame = self.frames[-1]
        self.conversation = dict(event.conversation)
        self.remembered: dict[str, Json] = {}
        self.effects: list[Effect] = []
        self.trace: list[Visit] = []
        self.reached: list[Reached] = []
        """What the visit under way has done outside, until it is left."""
        self.steps = run.steps
        self.calls = run.calls
        self.turns = run.turns
        self.frames_opened = run.frames_opened
        self.taken = run.taken
        self.tried = run.tried
        self.progress = run.progress
        self._budget = Budget()
        self._scope: Scope | None = None

    @property
    def node(self) -> Node:
        """The node where that frame stands."""
        frame = self.frame
        return frame.script.flow.nodes[frame.node]

    def demand_frame(self, *, deeper: bool) -> None:
        """Raises LimitPassed when the run may not open another frame, on top of the others or in the place of the last."""
        if deeper and len(self.frames) >= self.limits.depth:
            raise LimitPassed("limit.depth", f"more than {self.limits.depth} flows call each other")
        if self.frames_opened >= self.limits.frames:
            raise LimitPassed("limit.frames", f"the run has opened {self.limits.frames} frames")

    def push(self, script: CompiledFlow, inputs: Mapping[str, Json]) -> None:
        """Open a frame of that flow."""
        frame = Frame(script.ref, script.flow.first, dict(script.variables), {}, dict(inputs), {}, self.frames_opened)
        self.frame = OpenFrame(script, frame)
        self.frames.append(self.frame)
        self.frames_opened += 1
        self._scope = None

    def pop(self) -> None:
        """Close the frame that moved; its caller's moves next."""
        self.frames.pop()
        if self.frames:
            self.frame = self.frames[-1]
        self._scope = None

    def bring(self, context: Mapping[str, Json]) -> None:
        """Lay more context over what the trigger brought; this turn's expressions and all later ones see it."""
        trigger = msgspec.structs.replace(self.run.trigger, context={**self.run.trigger.context, **context})
        self.run = msgspec.structs.replace(self.run, trigger=trigger)

    def emit(self, kind: str, payload: dict[str, Any]) -> Block:
        """Show a block of the node that is being visited."""
        block = Block(kind, payload, self.frame.node, self.frame.script.ref.flow)
        self.effects.append(Emit(block))
        return block

    def say(self, text: str, style: str = "plain") -> Block:
        """Show a message."""
        return self.emit("message", {"role": "assistant", "text": text, "format": style})

    def left(self, edge: str, target: str | None = None, *, continued: bool = False) -> None:
        """Note by which edge the present node was left."""
        frame = self.frame
        kind = _KINDS[type(self.node)]
        warnings = self._warnings() if self._scope is not None and self._scope.warnings else ()
        number, effects = frame.visits.get(frame.node, 0), tuple(self.reached)
        self.reached.clear()
        self.trace.append(Visit(frame.script.ref.flow, frame.node, kind, number, edge, target, continued, warnings, effects))

    def text(self, text: Text, *, markdown: bool = False) -> str:
        """A text for people in the run's language, its missing parts empty."""
        source = text if isinstance(text, str) else localized(text, self.run.locale, self.frame.script.flow.locale)
        self.count_part(source)
        template = self.frame.script.templates.get(source)
        if template is None:
            return source
        if not markdown:
            return template.render(self.scope)
        self.scope.escape = escaped
        try:
            return template.render(self.scope)
        finally:
            self.scope.escape = None

    def value(self, written: Json) -> Json:
        """What the author wrote, every template in it evaluated; raises ExpressionError where a native value is missing."""
        self.count_part(written)
        match written:
            case str():
                template = self.frame.script.templates.get(written)
                return written if template is None else self._evaluated(template)
            case dict():
                return {name: self.value(inner) for name, inner in written.items()}
            case list():
                return [self.value(inner) for inner in written]
            case _:
                return written

    def printed(self, value: Json) -> str:
        """What was evaluated as a text of a request, as texts for people print it; a list or mapping may be longer than it may there."""
        return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else printed(value, self._budget)

    def encoded(self, written: str, escape: Callable[[str], str]) -> str:
        """A text that is no text for people, each value in it escaped; raises ExpressionError where one is missing."""
        self.count_part(written)
        template = self.frame.script.templates.get(written)
        if template is None:
            return written
        if not template.is_text:
            return escape(self.printed(template.value(self.scope)))
        self.scope.escape = escape
        try:
            return str(template.value(self.scope))
        finally:
            self.scope.escape = None

    def holds(self, condition: str) -> bool:
        """Whether a bare expression is true."""
        return bool(self.frame.script.expressions[condition].value(self.scope))

    def over(self, made: Made, make: Callable[[], T]) -> list[T]:
        """What is made for each item of a list; null is an empty one. The item and its place, from 0, are roots meanwhile."""
        items = self.frame.script.expressions[made.each].value(self.scope)
        if not isinstance(items, list | None):
            raise NodeFailed("each.type", f"`each` needs a list: {items!r:.80}")
        if items is not None and len(items) > MOST_ITEMS:
            raise NodeFailed("each.too_many", f"`each` takes at most {MOST_ITEMS} items, and there are {len(items)}")
        things: list[T] = []
        for index, item in enumerate(items or ()):
            self._budget.copy_parts(_ITEM_COST)
            with self.seeing({made.name: item, "index": index}):
                things.append(make())
        return things

    def count_part(self, written: Json) -> None:
        """Count what the author wrote each time it is shown or kept: in lists that are made, and in loops, it comes again and again."""
        match written:
            case str():
                self._budget.copy_parts(1, len(written))
            case dict():
                self._budget.copy_parts(1, sum(map(len, written)))
            case _:
                self._budget.copy_parts(1)

    @contextmanager
    def seeing(self, roots: Mapping[str, Json]) -> Iterator[None]:
        """More roots for the expressions inside."""
        outer = self.scope
        self._scope = outer.extended(roots)
        try:
            yield
        finally:
            self._scope = outer

    @property
    def scope(self) -> Scope:
        """What expressions of the present frame can see."""
        if self._scope is None:
            self._scope = self._opened_scope()
        return self._scope

    def _evaluated(self, template: Template) -> Json:
        if template.is_text:
            return template.render(self.scope)
        value = template.value(self.scope)
        if isinstance(value, dict | list):  # quoted again and again it would grow unseen
            self.scope.budget.weigh(value)
        return kept(value)

    def _opened_scope(self) -> Scope:
        frame, run = self.frame, self.run
        flow = frame.script.flow
        roots: dict[str, Json] = {
            "vars": frame.variables,
            "nodes": frame.nodes,
            "inputs": frame.inputs,
            "conversation": self.conversation,
            "trigger": msgspec.structs.asdict(run.trigger),
            "run": {
                "id": run.id,
                "flow": flow.flow,
                "version": frame.script.ref.version,
                "locale": run.locale,
                "visits": frame.visits,
            },
            "callbacks": self._callbacks(),
        }
        if frame.script.reads_now:
            roots["now"] = moment(self.now, flow.timezone)
        return Scope(roots, self._budget, locale=run.locale, timezone=flow.timezone)

    def arrive(self) -> None:
        """Count a visit of the present node; callbacks that nobody has waited for yet are those of the next visits."""
        frame = self.frame
        frame.visits[frame.node] = frame.visits.get(frame.node, 0) + 1
        if self._scope is not None and frame.script.callbacks:
            self._scope.roots["callbacks"].update(self._callbacks())

    def callback(self, node: str) -> str:
        """The key of the callback of a wait's present or next visit: unique within the run."""
        frame = self.frame
        visits = frame.visits.get(node, 0)
        return f"{frame.number}/{node}/{visits if frame.node == node else visits + 1}"

    def _callbacks(self) -> dict[str, Json]:
        return {node: placeholder(self.callback(node)) for node in self.frame.script.callbacks}

    def _warnings(self) -> tuple[Warned, ...]:
        said = tuple(Warned("expression.missing", text) for text in self.scope.warnings)
        self.scope.warnings.clear()
        return said


class OpenFrame:
    """A frame while it changes; `closed` gives the frozen one."""

    def __init__(self, script: CompiledFlow, frame: Frame) -> None:
        self.script = script
        self.node = frame.node
        self.number = frame.number
        self.variables = dict(frame.variables)
        self.nodes = {**script.nodes, **frame.nodes}
        self.visits = dict(frame.visits)
        self.inputs = frame.inputs

    def closed(self) -> Frame:
        """The frame as it is stored."""
        return Frame(self.script.ref, self.node, self.variables, self.nodes, self.inputs, self.visits, self.number)


def kept(value: Json, depth: int = 0) -> Json:
    """What an expression gave, as it is at this moment: `vars` itself and its like go on changing. Refuses what cannot be stored."""
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise ExpressionError("expression.value", "A whole number is too large to be kept.")
    if not isinstance(value, dict | list):
        return value
    if depth > _DEEPEST:
        raise ExpressionError("expression.budget", f"A value is nested more than {_DEEPEST} deep.")
    if isinstance(value, list):
        return [kept(item, depth + 1) for item in value]
    return {name: kept(item, depth + 1) for name, item in value.items()}


def escaped(value: str) -> str:
    """Text that means itself in Markdown."""
    return value.translate(_MARKDOWN)


def moment(at: int, timezone: str) -> str:
    """Milliseconds since 1970 as ISO 8601 text with the zone's offset."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).astimezone(zone(timezone)).isoformat(timespec="milliseconds")
