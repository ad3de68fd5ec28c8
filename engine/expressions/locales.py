"""Locales such as de-AT: what is known of them, and which language they are of."""

import re
from functools import lru_cache

from babel import Locale, UnknownLocaleError


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
