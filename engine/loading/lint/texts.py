"""Texts: none may be cut off, and in several languages none may be missing, and none should be."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from engine.loading.findings import Findings, shown
from engine.loading.lint.names import check_locale, is_locale
from engine.loading.lint.outline import Outline
from engine.loading.lint.spots import Spot
from engine.loading.tree import Entry, Leaf, Pairs, Tree

_CUT: Final = re.compile(r"[ \t]+(#\w[^\r\n]{0,100})")
_COMMA: Final = "quote a text that has a comma in it"


def check_texts(outline: Outline, found: Collection[Spot], findings: Findings) -> None:
    """Reports texts that lack a language of `locales` (error), one that other texts have, or the flow's own (warning), or an end."""
    for spot in found:
        if spot.takes in ("text", "label") and isinstance(spot.part, Leaf) and isinstance(spot.part.value, str):
            _check_end(spot.part, outline.tree, findings)
    texts = [spot.part for spot in found if isinstance(spot.part, Pairs)]
    demanded = _with_general(locale for locale, _ in outline.locales())
    written = {one for text in texts for one in text.entries if not _is_nothing(text.entries[one])}
    expected = _with_general(written | {outline.text("locale", "en")})
    for text in texts:
        for language, entry in text.entries.items():
            check_locale(language, entry.start, findings, _COMMA if " " in language or _is_nothing(entry) else None)
        lacking = _lacking(text, demanded)
        if lacking or not text.entries:
            findings.add("locale.missing", text.start, f"the text is missing in {_listed(lacking) or 'every language'}")
        demanded_here = set(lacking)
        desired = [language for language in _lacking(text, expected) if language not in demanded_here]
        if desired and text.entries and all(map(is_locale, text.entries)):  # what is misspelt may be what is lacking
            findings.add("locale.partial", text.start, f"the text is not written in {_listed(sorted(desired))}, which others are")


def _check_end(leaf: Leaf, tree: Tree, findings: Findings) -> None:
    """Warns of a text without quotes that goes on behind it in a comment, such as Order #5; other comments have a space behind the #."""
    cut = None if tree.text[leaf.start : leaf.start + 1] in "'\"|>" else _CUT.match(tree.text, leaf.end)
    if cut is not None:
        message = f"the text ends before {shown(cut[1])}: a # behind a space begins a comment"
        findings.add("text.cut", cut.start(1), message, "quote the text, or put a space behind the #")


def _is_nothing(entry: Entry) -> bool:
    """Whether nothing stands there, as after a comma in a text without quotes, which makes a key of what comes behind it."""
    return isinstance(entry.value, Leaf) and entry.value.value is None


def _with_general(languages: Iterable[str]) -> list[tuple[str, str]]:
    """The languages, each with what it is in general, like de for de-AT; what is none has been reported once, and is not asked for."""
    return [(one, one.partition("-")[0]) for one in languages if is_locale(one)]


def _lacking(text: Pairs, languages: Iterable[tuple[str, str]]) -> list[str]:
    """The languages that the text has neither itself nor in general."""
    written = text.entries
    return [one for one, general in languages if one not in written and general not in written]


def _listed(languages: list[str]) -> str:
    return ", ".join(languages[:5]) + (", ..." if len(languages) > 5 else "")  # noqa: PLR2004 - a line's worth
