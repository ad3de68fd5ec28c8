"""What can be wrong with an answer, and the words for it."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from engine.expressions.locales import language
from engine.expressions.values import plain
from engine.interpreter.answers.words import yes_and_no
from engine.model.inputs import Question
from engine.model.problems import Problem
from engine.model.values import Json

Limit = int | float | str | tuple[str, ...] | None
"""The bound that was passed, as messages name it."""


class Fault(Struct, frozen=True):
    """One rule that an answer breaks; `limit` is the bound it passed, `at` the place inside the value."""

    rule: str
    limit: Limit = None
    at: str = ""


Judged = tuple[Json, tuple[Fault, ...]]
"""The value as it would be saved, and what is wrong with it; the value means nothing where there is a fault."""


def fault(rule: str, limit: Limit = None, at: str = "") -> Judged:
    """A verdict of one fault."""
    return None, (Fault(rule, limit, at),)


_ENGLISH: Final[dict[str, str]] = {
    "required": "Please give an answer.",
    "unknown": "This is not asked for.",
    "characters": "This contains characters that cannot be stored.",
    "too_large": "This number is too large.",
    "type": "This is not the kind of answer that is expected.",
    "type.text": "Enter a text.",
    "type.number": "Enter a number.",
    "type.integer": "Enter a whole number.",
    "type.rating": "Enter a whole number.",
    "type.boolean": "Answer {yes} or {no}.",
    "type.checkbox": "Answer {yes} or {no}.",
    "min_length": "Enter at least {limit} characters.",
    "max_length": "Enter at most {limit} characters.",
    "word_min": "Enter at least {limit} words.",
    "word_max": "Enter at most {limit} words.",
    "pattern": "This does not have the expected form.",
    "min": "This must be at least {limit}.",
    "max": "This must be at most {limit}.",
    "step": "This must go in steps of {limit}.",
    "integer": "Enter a whole number.",
    "email": "Enter an email address such as name@example.com.",
    "email_allow_domains": "The address must belong to {limit}.",
    "url": "Enter a web address such as https://example.com.",
    "url_https_only": "The web address must begin with https://.",
    "url_allow_domains": "The web address must belong to {limit}.",
    "tel": "Enter a phone number.",
    "date": "Enter a date such as 2026-01-31.",
    "time": "Enter a time such as 14:30.",
    "datetime": "Enter a date and a time such as 2026-01-31T14:30.",
    "date_min": "This must not be before {limit}.",
    "date_max": "This must not be after {limit}.",
    "date_no_weekends": "This must not be on a weekend.",
    "option": "Choose one of the options.",
    "unique": "Choose each option only once.",
    "select_min": "Choose at least {limit}.",
    "select_max": "Choose at most {limit}.",
    "must_accept": "You have to agree to go on.",
    "file": "This is not a file that was uploaded.",
    "file_max": "Send at most {limit} files.",
    "text.not_accepted": "This cannot be answered with a text.",
}
_GERMAN: Final[dict[str, str]] = {
    "required": "Bitte geben Sie eine Antwort.",
    "unknown": "Danach wird nicht gefragt.",
    "characters": "Darin sind Zeichen, die nicht gespeichert werden können.",
    "too_large": "Diese Zahl ist zu groß.",
    "type": "Diese Art von Antwort wird hier nicht erwartet.",
    "type.text": "Bitte geben Sie einen Text ein.",
    "type.number": "Bitte geben Sie eine Zahl ein.",
    "type.integer": "Bitte geben Sie eine ganze Zahl ein.",
    "type.rating": "Bitte geben Sie eine ganze Zahl ein.",
    "type.boolean": "Bitte antworten Sie mit Ja oder Nein.",
    "type.checkbox": "Bitte antworten Sie mit Ja oder Nein.",
    "min_length": "Bitte geben Sie mindestens {limit} Zeichen ein.",
    "max_length": "Bitte geben Sie höchstens {limit} Zeichen ein.",
    "word_min": "Bitte geben Sie mindestens {limit} Wörter ein.",
    "word_max": "Bitte geben Sie höchstens {limit} Wörter ein.",
    "pattern": "Das hat nicht die erwartete Form.",
    "min": "Der Wert muss mindestens {limit} sein.",
    "max": "Der Wert darf höchstens {limit} sein.",
    "step": "Der Wert muss in Schritten von {limit} gehen.",
    "integer": "Bitte geben Sie eine ganze Zahl ein.",
    "email": "Bitte geben Sie eine E-Mail-Adresse wie name@example.com ein.",
    "email_allow_domains": "Die Adresse muss zu {limit} gehören.",
    "url": "Bitte geben Sie eine Webadresse wie https://example.com ein.",
    "url_https_only": "Die Webadresse muss mit https:// beginnen.",
    "url_allow_domains": "Die Webadresse muss zu {limit} gehören.",
    "tel": "Bitte geben Sie eine Telefonnummer ein.",
    "date": "Bitte geben Sie ein Datum wie 31.1.2026 ein.",
    "time": "Bitte geben Sie eine Uhrzeit wie 14:30 ein.",
    "datetime": "Bitte geben Sie Datum und Uhrzeit wie 31.1.2026 14:30 ein.",
    "date_min": "Das darf nicht vor {limit} liegen.",
    "date_max": "Das darf nicht nach {limit} liegen.",
    "date_no_weekends": "Das darf nicht auf ein Wochenende fallen.",
    "option": "Bitte wählen Sie eine der Möglichkeiten.",
    "unique": "Bitte wählen Sie jede Möglichkeit nur einmal.",
    "select_min": "Bitte wählen Sie mindestens {limit}.",
    "select_max": "Bitte wählen Sie höchstens {limit}.",
    "must_accept": "Sie müssen zustimmen, um fortzufahren.",
    "file": "Das ist keine hochgeladene Datei.",
    "file_max": "Bitte senden Sie höchstens {limit} Dateien.",
    "text.not_accepted": "Darauf kann man nicht mit einem Text antworten.",
}
_TABLES: Final = {"en": _ENGLISH, "de": _GERMAN}

RULES_WITH_WORDS: Final = frozenset(rule for rule in _ENGLISH if not rule.startswith("type."))
"""Every rule that an answer can break: what an author may have own words for."""


def problems(faults: Iterable[Fault], *, field: str, locale: str, question: Question | None = None) -> list[Problem]:
    """The faults as problems of the request; `field` is where the value stands in it."""
    return [Problem(field + fault.at, fault.rule, message(fault, locale, question)) for fault in faults]


def message(fault: Fault, locale: str, question: Question | None = None) -> str:
    """The author's words for the broken rule, else ours in the locale's language, else in English with the words that are read in it."""
    if question is not None and question.validation is not None:
        written = question.validation.messages.get(fault.rule)
        if isinstance(written, str):
            return written
    table = _TABLES.get(language(locale), _ENGLISH)
    kind = question.type if question is not None else ""
    words = table.get(f"{fault.rule}.{kind}", table[fault.rule])
    yes, no = yes_and_no(locale)
    return words.replace("{yes}", yes).replace("{no}", no).replace("{limit}", _shown(fault.limit))


def _shown(limit: Limit) -> str:
    if isinstance(limit, tuple):
        return ", ".join(limit)
    return plain(limit) if isinstance(limit, float) else str(limit)
