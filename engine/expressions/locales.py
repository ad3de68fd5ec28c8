"""Locales such as de-AT: what is known of them, which language they are of, and which text people of one read."""

import re
from collections.abc import Iterator
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from engine.model.values import Text


def language(locale: str) -> str:
    """The locale's language in lower case: `de` of de-AT and DE_at."""
    return re.split("[-_]", locale, maxsplit=1)[0].lower()


@lru_cache(maxsize=256)
def known_locale(locale: str) -> Locale:
    """What CLDR knows of the locale, else of its language alone, else of English."""
    for candidate in (locale, language(locale)):
        try:
            return Locale.parse(candidate.replace("-", "_"))
        except (ValueError, TypeError, UnknownLocaleError):
            continue
    return Locale("en")


def localized(text: Text, locale: str, fallback: str) -> str:
    """The text in the locale's language: de-AT falls back to de, then to the other locale, then to the first there is."""
    if isinstance(text, str):
        return text
    if locale in text:
        return text[locale]
    written = {name.lower(): one for name, one in text.items()}
    return next((written[tag] for tag in (*_wider(locale), *_wider(fallback)) if tag in written), next(iter(text.values()), ""))


def _wider(locale: str) -> Iterator[str]:
    """The language and those that it falls back to, in lower case, which makes no difference in a language's name."""
    tag = locale.lower()
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]
