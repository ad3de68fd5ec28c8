"""Reads YAML 1.2 text into a positioned tree, whatever the text is.

The parser's events are taken one at a time and never as a whole, so that a hostile file is left where it passes a bound.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from engine.loading.builder import Builder, Unreadable
from engine.loading.findings import Findings
from engine.loading.tree import Leaf, Lines, Part, Source, Tree

FILE_BYTES: Final = 524_288

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG_DIRECTIVE: Final = re.compile(r"^%TAG\b", re.MULTILINE)
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    builder = Builder(text, findings)
    try:
        for event in _events(text):
            builder.take(event)
    except Unreadable:
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
    """Points at the problem; where the text just ends, at what was begun and never closed."""
    mark, begun = getattr(problem, "problem_mark", None), getattr(problem, "context_mark", None)
    if mark is None or (begun is not None and not text[mark.index :].strip()):
        mark = begun
    offset = min(mark.index, len(text)) if mark is not None else 0
    message = getattr(problem, "problem", None) or "the text is not YAML"
    findings.add("yaml.syntax", offset, str(message), _advice(text, offset))


def _advice(text: str, offset: int) -> str | None:
    """What most often is wrong on a line that does not parse."""
    if text[offset : offset + 1] in {"'", '"', "[", "{"} and text[offset:].strip():
        return "what begins here is not closed, or has something else inside"
    begin = text.rfind("\n", 0, offset) + 1
    line = text[begin : begin + 1000].partition("\n")[0]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not with tabs"
    if "{{" in line:
        return "quote a text that holds {{ }}"
    if line.count(": ") > 1:
        return "quote a text that holds a colon and a space"
    return None
