"""The one table of what can be wrong with a flow file: every code, how grave it is, and what it means."""

from typing import Final, Literal

from msgspec import Struct

Severity = Literal["error", "warning"]


class Code(Struct, frozen=True):
    """How grave a problem is, and its meaning in one sentence."""

    severity: Severity
    meaning: str


def _error(meaning: str) -> Code:
    return Code("error", meaning)


def _warning(meaning: str) -> Code:
    return Code("warning", meaning)


CODES: Final[dict[str, Code]] = {
    "yaml.alias": _error("An alias names no anchor, stands inside its own anchor, or expands past the size bound."),
    "yaml.depth": _error("Lists and mappings are nested too deeply."),
    "yaml.document": _error("The file holds no document, or more than one."),
    "yaml.duplicate_key": _error("A key stands twice in one mapping."),
    "yaml.encoding": _error("The file is not UTF-8 text."),
    "yaml.key": _error("A key is empty, a list or a mapping."),
    "yaml.merge_key": _error("Merge keys are no part of YAML 1.2."),
    "yaml.number": _error("A number is infinite, not a number, or too large to be kept exactly."),
    "yaml.syntax": _error("The text is not YAML."),
    "yaml.tag": _error("A tag is not one of the core ones, or does not fit its value."),
    "key.conflict": _error("Two keys stand together of which there may be one."),
    "key.missing": _error("A key that must be there is not."),
    "key.unavailable": _error("The key is part of the language, but not available in this version."),
    "key.unknown": _error("Nothing has a key of this name here."),
    "type.wrong": _error("The value has the wrong type."),
    "value.wrong": _error("The value has the right type, but is not one that may stand here."),
    "flow.duplicate": _error("Another flow has this id."),
    "flow.empty": _error("A flow has no nodes."),
    "flow.unknown": _error("A call or a jump names a flow that does not exist."),
    "flow.too_large": _error("The file, its values, nodes or expressions pass a bound."),
    "intent.duplicate": _error("Another flow has this intent."),
    "name.bad": _error("An id is not made of lower-case letters, digits and underscores, or is longer than 64 characters."),
    "name.reserved": _error("The name means something else already: `end` cannot be a node, nor a root the name of an item."),
    "node.unavailable": _error("The node type is part of the language, but not available in this version."),
    "node.unknown": _error("There is no node type of this name."),
    "node.unreachable": _error("No way leads to the node."),
    "node.never": _warning("Only branches of a `split` that have no weight lead to the node."),
    "cycle.no_wait": _error("A cycle, of nodes or of flows that call each other, has no wait on it, and no edge leaves it."),
    "cycle.condition": _warning("A cycle has no wait on it, and its only way out is a condition."),
    "wait.no_timeout": _warning("A flow that others call waits for an answer, a result or an event without a `timeout`."),
    "target.missing": _error("A node does not say where it leads."),
    "target.unknown": _error("There is no node of this name."),
    "attempts.no_exit": _error("A node counts attempts, but does not say where the last wrong one leads."),
    "retry.never": _warning("A node says what follows a wrong answer that counts, but none does."),
    "route.unknown": _error("A route stands for an answer or a failure that can never come, or for a cause that the wait has not."),
    "case.repeated": _warning("A case of a `switch` has the condition of an earlier one."),
    "cause.duplicate": _error("Two things that a `wait` waits for have the same name."),
    "remind.never": _warning("A reminder comes when the wait is over."),
    "timeout.never": _warning("A wait for a time ends by itself before its timeout comes."),
    "http.url": _error("The address of a request is neither one of the web nor, with a connection, a path."),
    "http.url_host": _error("An expression stands in the scheme, host or port of an address."),
    "connection.unknown": _error("A request goes over a connection that is not there; told when a flow is published."),
    "retry.unsafe": _error("A request is to be tried again although it is not repeatable."),
    "error.unhandled": _warning("A request does not say where its failure leads."),
    "command.duplicate": _error("Two commands could be meant by the same word."),
    "variable.unknown": _error("The flow reads a variable that it never sets."),
    "variable.unread": _warning("The flow sets a variable that it never reads."),
    "reference.unknown": _error("An expression names a node, an input or a part of a root that does not exist."),
    "callback.exposed": _error("The address of a callback stands where a customer may see it."),
    "template.syntax": _error("An expression does not parse."),
    "template.forbidden": _error("An expression uses a statement, a call or another thing that expressions may not."),
    "template.unknown": _error("An expression uses a root, filter or test that does not exist here."),
    "template.misplaced": _error("An expression stands where none is evaluated."),
    "option.duplicate": _error("Two options have values that fold to the same answer."),
    "option.label": _error("Two options could be meant by the same words."),
    "options.empty": _error("There is nothing to pick from."),
    "field.duplicate": _error("Two fields of a form have the same name."),
    "field.unknown": _error("A check is about a field that the form has not."),
    "field.unnamed": _error("A field that collects an answer has no name."),
    "input.unfit": _error("A key or rule makes no sense for the input's type."),
    "input.unknown": _error("A call or a jump passes an input that the flow it names does not declare."),
    "range.empty": _error("No value lies between the lower and the upper bound."),
    "pattern.bad": _error("A pattern is not a regular expression that runs in linear time."),
    "duration.bad": _error("A duration is not a number with s, m, h, d or w, or lies outside its bounds."),
    "timezone.unknown": _error("There is no IANA time zone of this name."),
    "locale.bad": _error("A language is not written like en or de-AT."),
    "locale.missing": _error("A text lacks a language of `locales`."),
    "locale.partial": _warning("A text lacks a language that others have, or the flow's own."),
}
