"""Texts in several languages: none may be missing, and none should be."""

from collections.abc import Collection, Iterable

from engine.loading.findings import Findings
from engine.loading.lint.names import check_locale
from engine.loading.lint.outline import Outline
from engine.loading.lint.spots import Spot
from engine.loading.tree import Pairs


def check_texts(outline: Outline, found: Iterable[Spot], findings: Findings) -> None:
    """Reports texts that lack a language of `locales` (error), one that other texts have, or the flow's own (warning)."""
    texts = [spot.part for spot in found if isinstance(spot.part, Pairs)]
    demanded = [locale for locale, _ in outline.locales()]
    expected = {language for text in texts for language in text.entries} | {outline.text("locale", "en")}
    for text in texts:
        for language, entry in text.entries.items():
            check_locale(language, entry.start, findings)
        lacking = _lacking(text, demanded)
        if lacking or not text.entries:
            findings.add("locale.missing", text.start, f"the text is missing in {_listed(lacking) or 'every language'}")
        desired = [language for language in _lacking(text, expected) if language not in lacking]
        if desired and text.entries:
            findings.add("locale.partial", text.start, f"the text is not written in {_listed(sorted(desired))}, which others are")


def _lacking(text: Pairs, languages: Collection[str]) -> list[str]:
    """The languages that the text has neither itself nor, like de for de-AT, in general."""
    return [one for one in languages if one not in text.entries and one.partition("-")[0] not in text.entries]


def _listed(languages: list[str]) -> str:
    return ", ".join(languages[:5]) + (", ..." if len(languages) > 5 else "")  # noqa: PLR2004 - a line's worth
