"""Builds a positioned tree from the events of a YAML parser, one event at a time.

Nothing here recurses, so depth, size and aliases are bounded before memory or the stack is; an alias shares the part it names.
"""

import re
from typing import Any, Final, NamedTuple

import yaml

from engine.loading.findings import Findings, shown
from engine.loading.scalars import BadNumber, BadTag, is_core_tag, resolve, tagged
from engine.loading.tree import Entry, Items, Leaf, Pairs, Part, Plain, Torn

EXPANDED: Final = 524_288
"""Characters of all keys and values, aliases written out: the size that a file itself may have."""
VALUES: Final = 40_000
"""Keys and values in one file; forty for each node of the largest flow."""
DEPTH: Final = 64

_PROPERTIES: Final = re.compile(r"(?:[&!][^\s]*\s+)+")


class Unreadable(Exception):
    """The rest of the file is not worth reading; the reason has been noted."""


class _Built(NamedTuple):
    """A finished part, the characters it stands for when its aliases are written out, and how deep it then is."""

    part: Part
    weight: int
    height: int


class _Open:
    """A list or mapping whose end has not come."""

    __slots__ = ("anchor", "awaits_key", "entries", "height", "items", "key", "key_start", "start", "torn", "weight")

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


class Builder:
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
        """Takes the next event; raises `Unreadable`, its reason noted, when the rest is not worth reading."""
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
            raise Unreadable

    def _count(self, event: yaml.Event) -> None:
        self._values += 1
        if self._values > VALUES:
            self._findings.add("flow.too_large", _start(event), f"the file holds more than {VALUES:,} keys and values")
            raise Unreadable

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        start = self._content(event)
        if len(self._stack) >= DEPTH:
            self._findings.add("yaml.depth", start, f"lists and mappings are nested more than {DEPTH} deep")
            raise Unreadable
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
        if self._weight > EXPANDED or len(self._stack) + built.height > DEPTH:
            self._findings.add("yaml.alias", start, f"the aliases of this file expand past 512 KiB, or deeper than {DEPTH}")
            raise Unreadable
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
        if self._text[opened.start : opened.start + 2] == "{{":
            self._findings.add("yaml.key", opened.start, "YAML takes {{ for a mapping", "quote a text that begins with {{")
        else:
            self._findings.add("yaml.key", part.start, "a key must be a text, not a list, a mapping or an alias")
        opened.torn, opened.awaits_key, opened.key = True, False, None

    def _content(self, event: yaml.Event) -> int:
        """The offset of what is written, behind its anchor and tag."""
        start = _start(event)
        found = _PROPERTIES.match(self._text, start, max(_end(event), start)) if self._text[start : start + 1] in {"&", "!"} else None
        return found.end() if found else start


def _resolved(event: yaml.ScalarEvent) -> Plain:
    if event.tag is not None:
        return tagged(event.tag, event.value)
    return resolve(event.value) if event.implicit[0] else event.value


def _start(event: Any) -> int:
    """The offset in the text: events have marks, although their annotations doubt it."""
    return int(event.start_mark.index)


def _end(event: Any) -> int:
    return int(event.end_mark.index)
