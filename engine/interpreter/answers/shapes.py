"""The form of texts that mean something: addresses, phone numbers, dates and times.

Each pattern is written so that Python, ECMAScript and RE2-like engines read it alike: it is what we check and what the schema publishes.
"""

import re
from typing import Final

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])$"

_LETTER: Final = r"A-Za-z0-9_\u00a1-\u167f\u1681-\u1fff\u2c00-\u2fff\u3001-\ud7ff\uf900-\ufdcf"
_HOST: Final = rf"(?:[{_LETTER}](?:[{_LETTER}.-]*[{_LETTER}])?\.?|\[[0-9A-Fa-f:.]+\])"
_AFTER_HOST: Final = r"[^\u0000-\u0020\u0022<>\\\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_URL: Final = rf"^[Hh][Tt][Tt][Pp][Ss]?://{_HOST}(?::[0-9]{{1,5}})?(?:[/?#]{_AFTER_HOST}*)?$"

_SEPARATORS: Final = r"[ ().\/-]*"
_TEL: Final = rf"^\(?\+?(?:{_SEPARATORS}[0-9]){{5,15}}\)?$"

_DATE: Final = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_ZONE: Final = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_DATETIME: Final = rf"^{_DATE}T{_TIME}(?:(?::[0-5][0-9](?:\.[0-9]{{1,9}})?){_ZONE}?)?$"

PATTERNS: Final[dict[str, str]] = {
    "email": _EMAIL,
    "url": _URL,
    "tel": _TEL,
    "date": rf"^{_DATE}$",
    "time": rf"^{_TIME}(?::[0-5][0-9])?$",
    "datetime": _DATETIME,
}
"""Input type to the pattern of its texts: RFC 3339, or without a zone for a time that is local."""
HTTPS: Final = "^[Hh][Tt][Tt][Pp][Ss]:"
EMAIL_LENGTH: Final = 254
_EMAIL_LOCAL_LENGTH: Final = 64

_COMPILED: Final = {kind: re.compile(pattern) for kind, pattern in PATTERNS.items()}
_AUTHORITY: Final = re.compile(r"[A-Za-z]+://(\[[^\]]*\]|[^/?#:]*)")


def has_shape(kind: str, text: str) -> bool:
    """Whether the text has the form of that input type; whether a day exists is another question."""
    # `$` lets a line feed follow in Python alone, so the whole text must be the match.
    return _COMPILED[kind].fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Whether it looks like an address that mail could be sent to: ASCII, with a dot in its domain."""
    return len(text) <= EMAIL_LENGTH and text.find("@") <= _EMAIL_LOCAL_LENGTH and has_shape("email", text)


def email_domain(email: str) -> str:
    """The domain of an address, in lower case."""
    return email.rpartition("@")[2].lower()


def is_https(url: str) -> bool:
    """Whether the address names https as its scheme."""
    return url[:6].lower() == "https:"


def url_host(url: str) -> str:
    """The host of an http address, in lower case and without its port."""
    found = _AUTHORITY.match(url)
    return found[1].lower().rstrip(".") if found else ""
