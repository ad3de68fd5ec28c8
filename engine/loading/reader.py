"""Reads YAML 1.2 text into a positioned tree, whatever the text is.

The parser's events are taken one at a time and never as a whole: nothing here recurses, so depth, size and aliases are bounded
before memory or the stack is. A file of one anchor repeated a million times costs what a short file costs.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

from engine.loading.findings import Findings, shown
from engine.loading.scalars import BadNumber, BadTag, is_core_tag, resolve, tagged
from engine.loading.tree import Entry, Items, Leaf, Lines, Pairs, Part, Plain, Source, Torn, Tree

FILE_BYTES: Final = 524_288
VALUES: Final = 60_000
"""Keys and values in one file; one of full size with ten bytes for each has fewer."""
DEPTH: Final = 64

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG_DIRECTIVE: Final = re.compile(r"^%TAG\b", re.MULTILINE)
_PROPERTIES: Final = re.compile(r"(?:[&!][^\s]*\s+)+")
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _start(event: Any) -> int:
    """The offset in the text: events have marks, although their annotations doubt it."""
    return int(event.start_mark.index)


def _end(event: Any) -> int:
    return int(event.end_mark.index)


class _Refused(Exception):
    """The rest of the file is not worth reading."""


class _Open:
    """A list or mapping whose end has not come."""

    def __init__(self, start: int, anchor: str | None, entries: dict[str, Entry] | None, *, torn: bool) -> None:
        self.start = start
        self.anchor = anchor
        self.entries = entries
        self.items: list[Part] = []
        self.torn = torn
        self.key: str | None = None
        self.key_start = 0
        self.awaits_key = entries is not None
        self.weight = 1
        self.height = 1

    def close(self) -> _Built:
        part: Part = Items(tuple(self.items), self.start) if self.entries is None else Pairs(self.entries, self.start)
        return _Built(Torn(self.start) if self.torn else part, self.weight, self.height)


class _Built(NamedTuple):
    """A finished part, the characters it stands for when its aliases are written out, and how deep it then is."""

    part: Part
    weight: int
    height: int


class _Builder:
    """Builds the tree from the parser's events, one at a time."""

    def __init__(self, text: str, findings: Findings) -> None:
        self._text = text
        self._findings = findings
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Built] = {}
        self._values = 0
        self._weight = 0
        self.root: Part | None = None
        self.documents = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._count(event)
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._count(event)
                self._begin(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                opened = self._stack.pop()
                self._place(opened.close(), opened.anchor)
            case yaml.AliasEvent():
                self._count(event)
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._document(event)
            case _:
                pass

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self._findings.add("yaml.document", _start(event), "a second document begins here", "one file holds one document")
            raise _Refused

    def _count(self, event: yaml.Event) -> None:
        self._values += 1
        if self._values > VALUES:
            self._findings.add("flow.too_large", _start(event), f"the file holds more than {VALUES:,} keys and values")
            raise _Refused

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        start = self._content(event)
        if len(self._stack) >= DEPTH:
            self._findings.add("yaml.depth", start, f"lists and mappings are nested more than {DEPTH} deep")
            raise _Refused
        mapping = isinstance(event, yaml.MappingStartEvent)
        torn = not is_core_tag(event.tag, "map" if mapping else "seq")
        if torn:
            self._findings.add("yaml.tag", _start(event), f"the tag {shown(event.tag or '')} means nothing here")
        self._stack.append(_Open(start, event.anchor, {} if mapping else None, torn=torn))

    def _alias(self, event: yaml.AliasEvent) -> None:
        start = _start(event)
        built = self._anchors.get(event.anchor or "")
        if built is None:
            open_one = any(opened.anchor == event.anchor for opened in self._stack)
            message = "stands inside its own anchor" if open_one else "names no anchor"
            self._findings.add("yaml.alias", start, f"the alias {shown(event.anchor or '')} {message}")
            self._place(_Built(Torn(start), 1, 0), None)
            return
        self._weight += built.weight
        if self._weight > FILE_BYTES or len(self._stack) + built.height > DEPTH:
            self._findings.add("yaml.alias", start, f"the aliases of this file expand past 512 KiB, or deeper than {DEPTH}")
            raise _Refused
        self._place(built, None)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        opened = self._stack[-1] if self._stack else None
        if opened is not None and opened.awaits_key:
            self._key(opened, event)
        else:
            weight = len(event.value) + 1
            self._weight += weight
            self._place(_Built(self._leaf(event), weight, 0), event.anchor)

    def _leaf(self, event: yaml.ScalarEvent) -> Part:
        start = self._content(event)
        try:
            value = _resolved(event)
        except BadNumber:
            self._findings.add("yaml.number", start, f"the number {shown(event.value)} cannot be kept exactly", "quote it to make it text")
        except BadTag:
            self._findings.add("yaml.tag", _start(event), f"the tag {shown(event.tag or '')} means nothing here")
        else:
            return Leaf(value, start, _end(event))
        return Torn(start)

    def _key(self, opened: _Open, event: yaml.ScalarEvent) -> None:
        opened.awaits_key = False
        opened.key, opened.key_start = None, self._content(event)
        if event.value == "<<" and event.implicit[0]:
            self._findings.add("yaml.merge_key", opened.key_start, "merge keys are no part of YAML 1.2", "write the keys out")
        elif not event.value and event.implicit[0]:
            self._findings.add("yaml.key", opened.key_start, "a key is empty")
        elif not (event.tag is None or is_core_tag(event.tag, "str")):
            self._findings.add("yaml.tag", _start(event), f"the tag {shown(event.tag)} means nothing here")
        elif opened.entries is not None and event.value in opened.entries:
            message = f"the key {shown(event.value)} stands here for the second time"
            self._findings.add("yaml.duplicate_key", opened.key_start, message)
        else:
            opened.key = event.value
            opened.weight += len(event.value) + 1
            self._weight += len(event.value) + 1
        if event.anchor is not None:
            self._anchors[event.anchor] = _Built(Leaf(event.value, opened.key_start, _end(event)), len(event.value) + 1, 0)

    def _place(self, built: _Built, anchor: str | None) -> None:
        """Puts a finished part where it belongs."""
        part = built.part
        if anchor is not None:
            self._anchors[anchor] = built
        if not self._stack:
            self.root = part
            return
        opened = self._stack[-1]
        opened.weight += built.weight
        opened.height = max(opened.height, built.height + 1)
        if opened.entries is None:
            opened.items.append(part)
        elif opened.awaits_key:
            self._refuse_key(opened, part)
        else:
            opened.awaits_key = True
            if opened.key is not None:
                opened.entries[opened.key] = Entry(opened.key_start, part)

    def _refuse_key(self, opened: _Open, part: Part) -> None:
        braces = self._text[opened.start : opened.start + 2] == "{{"
        hint = "quote a text that begins with {{" if braces else None
        self._findings.add("yaml.key", part.start, "a key must be a text, not a list, a mapping or an alias", hint)
        opened.torn, opened.awaits_key, opened.key = True, False, None

    def _content(self, event: yaml.Event) -> int:
        """The offset of what is written, behind its anchor and tag."""
        start = _start(event)
        found = _PROPERTIES.match(self._text, start) if self._text[start : start + 1] in {"&", "!"} else None
        return found.end() if found else start


def _resolved(event: yaml.ScalarEvent) -> Plain:
    if event.tag is not None:
        return tagged(event.tag, event.value)
    return resolve(event.value) if event.implicit[0] else event.value


def read_yaml(source: Source) -> Tree:
    """Reads one document; without a root, or with parts torn out of it, the tree's diagnostics say why.

    Guarantees: never raises, bounded time and memory for any text of any length, places exact to the character.
    """
    text, bad = _text(source.text)
    lines = Lines(text)
    findings = Findings(source.name, lines)
    root = None
    if bad is not None:
        findings.add(*bad)
    else:
        root = _parse(text, findings)
    return Tree(source.name, text, lines, root, tuple(findings.sorted()))


def _text(raw: str | bytes) -> tuple[str, tuple[str, int, str, str | None] | None]:
    """The text without its byte order mark, and what keeps it from being parsed at all."""
    if len(raw) > FILE_BYTES or (isinstance(raw, str) and len(raw.encode("utf-8", "surrogatepass")) > FILE_BYTES):
        return "", ("flow.too_large", 0, "the file is larger than 512 KiB", None)
    if isinstance(raw, bytes):
        try:
            text = raw.decode()
        except UnicodeDecodeError as problem:
            text = raw[: problem.start].decode()
            offset = len(text) - text.startswith("\ufeff")
            return text.removeprefix("\ufeff"), ("yaml.encoding", offset, "the file is not UTF-8 text", "save it as UTF-8")
    else:
        text = raw
    text = text.removeprefix("\ufeff")
    return text, _unreadable(text)


def _unreadable(text: str) -> tuple[str, int, str, str | None] | None:
    if found := _FORBIDDEN.search(text):
        return "yaml.syntax", found.start(), f"the character U+{ord(found[0]):04X} may not stand in YAML", None
    if found := _TAG_DIRECTIVE.search(text):
        return "yaml.tag", found.start(), "tags of one's own mean nothing here", "leave the directive out"
    return None


def _parse(text: str, findings: Findings) -> Part | None:
    builder = _Builder(text, findings)
    try:
        for event in _events(text):
            builder.take(event)
    except _Refused:
        return None
    except yaml.YAMLError as problem:
        _report(problem, text, findings)
        return None
    if builder.root is None or (isinstance(builder.root, Leaf) and builder.root.value is None):
        findings.add("yaml.document", 0, "the file is empty")
        return None
    return builder.root


def _events(text: str) -> Iterator[yaml.Event]:
    loader = _LOADER(text)
    try:
        while (event := loader.get_event()) is not None:
            yield event
    finally:
        loader.dispose()


def _report(problem: yaml.YAMLError, text: str, findings: Findings) -> None:
    mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    offset = min(mark.index, len(text)) if mark is not None else 0
    message = getattr(problem, "problem", None) or "the text is not YAML"
    findings.add("yaml.syntax", offset, str(message), _advice(text, offset))


def _advice(text: str, offset: int) -> str | None:
    """What most often is wrong on a line that does not parse."""
    begin = text.rfind("\n", 0, offset) + 1
    line = text[begin : begin + 1000].partition("\n")[0]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not with tabs"
    if "{{" in line:
        return "quote a text that holds {{ }}"
    if line.count(": ") > 1:
        return "quote a text that holds a colon and a space"
    return None
