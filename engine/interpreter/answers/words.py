# ruff: noqa: RUF001 - words and signs of many scripts
"""Yes, no and "and" in the languages that people answer in, and how their numbers are written."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from msgspec import Struct

from engine.expressions.locales import known_locale, language
from engine.interpreter.answers.folding import folded_text

_YES: Final[dict[str, str]] = {
    "en": "yes y yeah yep yup sure ok okay|i agree|agree|accept|i accept|of course",
    "de": "ja j jo jawohl klar gerne natürlich ok okay|ich stimme zu|einverstanden|auf jeden fall",
    "fr": "oui o ouais ok|d'accord|bien sûr|j'accepte",
    "es": "sí si s claro vale ok|de acuerdo|acepto|por supuesto",
    "it": "sì si s certo ok|d'accordo|accetto|va bene",
    "nl": "ja j jawel zeker graag ok oké|akkoord|natuurlijk",
    "pt": "sim s claro ok|de acordo|aceito|com certeza",
    "pl": "tak t jasne oczywiście ok zgoda|zgadzam się",
    "tr": "evet e tamam olur ok|kabul ediyorum",
    "sv": "ja j jo jodå japp ok okej|visst|javisst",
    "da": "ja j jo jep ok okay|gerne",
    "nb": "ja j jo jepp ok okei|gjerne",
    "fi": "kyllä k joo juu ok|totta kai",
    "cs": "ano a jo jasně ok|souhlasím",
    "sk": "áno ano a hej jasné ok|súhlasím",
    "hu": "igen i ja ok|persze|rendben",
    "ro": "da d ok|sigur|de acord",
    "el": "ναι ν οκ|βεβαίως|συμφωνώ",
    "ru": "да д ага конечно ок|согласен|согласна",
    "uk": "так т авжеж ок|згоден|згодна",
    "ja": "はい ええ うん|同意します",
    "zh": "是 是的 好 好的 对 同意",
    "ko": "네 예 응 동의",
    "ar": "نعم أجل موافق",
    "he": "כן בטח",
}
_NO: Final[dict[str, str]] = {
    "en": "no n nope nah|no thanks|no thank you|i disagree|not at all",
    "de": "nein n nö nee|nein danke|auf keinen fall",
    "fr": "non n|non merci|pas du tout",
    "es": "no n|no gracias",
    "it": "no n|no grazie",
    "nl": "nee n neen|nee bedankt",
    "pt": "não nao n|não obrigado|não obrigada",
    "pl": "nie n|nie dziękuję",
    "tr": "hayır hayir h yok",
    "sv": "nej n nä|nej tack",
    "da": "nej n|nej tak",
    "nb": "nei n|nei takk",
    "fi": "ei e|ei kiitos",
    "cs": "ne n|ne děkuji",
    "sk": "nie n|nie ďakujem",
    "hu": "nem n|nem köszönöm",
    "ro": "nu n|nu mulțumesc",
    "el": "όχι οχι ο",
    "ru": "нет н неа",
    "uk": "ні н",
    "ja": "いいえ いや",
    "zh": "否 不 不是 不要 不同意",
    "ko": "아니요 아니오 아니",
    "ar": "لا كلا",
    "he": "לא",
}
_MORE_ANDS: Final = {"es": ("e",), "cs": ("i",), "el": ("κι",)}
"""Other forms of the language's "and", beside the one that CLDR lists."""
_COMMAS: Final = ",、،"
_GROUPING: Final = (3, 3)


class Figures(Struct, frozen=True):
    """How a language writes numbers: the decimal mark, the marks between groups, and the sizes of the last and the other groups."""

    decimal: str
    groups: str
    last: int
    others: int


def yes_or_no(key: str, locale: str) -> bool | None:
    """What a folded text says in the locale's language; a language that we do not know is read as English."""
    return _answers(_spoken(locale)).get(key)


def yes_and_no(locale: str) -> tuple[str, str]:
    """The plain words for yes and no in the language that the locale's answers are read in."""
    known = _spoken(locale)
    return _YES[known].split()[0], _NO[known].split()[0]


def _spoken(locale: str) -> str:
    tongue = language(locale)
    spoken = "nb" if tongue in {"no", "nn"} else tongue
    return spoken if spoken in _YES else "en"


@lru_cache(maxsize=64)
def _answers(known: str) -> dict[str, bool]:
    return dict.fromkeys(_listed(_NO[known]), False) | dict.fromkeys(_listed(_YES[known]), True)


def _listed(words: str) -> list[str]:
    singles, *phrases = words.split("|")
    # An apostrophe may be typed straight or curled.
    straight = [folded_text(word) for word in (*singles.split(), *phrases)]
    return straight + [word.replace("'", "’") for word in straight if "'" in word]


@lru_cache(maxsize=256)
def separators(locale: str) -> re.Pattern[str]:
    """What stands between the items of a list: commas, and the language's "and", in folded text."""
    patterns = known_locale(locale).list_patterns.get("standard", {})
    between = {patterns[place].partition("{0}")[2].partition("{1}")[0] for place in ("2", "start", "middle", "end") if place in patterns}
    between |= {f" {word} " for word in _MORE_ANDS.get(language(locale), ())}
    # Longer ones first, so that a word is not taken for the beginning of another.
    joined = sorted({word for raw in between if (word := _joint(raw))}, key=len, reverse=True)
    return re.compile("|".join((f"[{_COMMAS}]", *joined)))


def _joint(raw: str) -> str:
    """A pattern for what CLDR puts between two items, its commas aside; empty where nothing is left."""
    rest = raw.lstrip(_COMMAS)
    word = folded_text(rest.strip())
    if not word:
        return ""
    return (r"(?<=\s)" if rest[:1].isspace() else "") + re.escape(word) + (r"(?=\s)" if rest[-1:].isspace() else "")


@lru_cache(maxsize=256)
def figures(locale: str, *, native: bool = False) -> Figures:
    """How the locale writes numbers, with the digits 0 to 9 or its native ones, in NFKC; one that is not known writes as English does."""
    known = known_locale(locale)
    latin = known.number_symbols.get("latn", {})
    # A language may list only those of its native marks that differ.
    symbols = {**latin, **known.number_symbols.get(known.default_numbering_system, {})} if native else latin
    format_ = known.decimal_formats.get(None)
    last, others = getattr(format_, "grouping", _GROUPING)
    group = unicodedata.normalize("NFKC", symbols.get("group", ","))
    alike = {" ": " ", "’": "’'"}
    decimal = unicodedata.normalize("NFKC", symbols.get("decimal", "."))
    return Figures(decimal=decimal, groups=alike.get(group, group), last=last, others=others)
