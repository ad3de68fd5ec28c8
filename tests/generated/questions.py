"""Questions of every input type, with options, rules and defaults that make sense together."""

from typing import Any, Final

from tests.generated.dice import Dice
from tests.generated.vocabulary import LABELS, MADE_FROM, NUMBERS, SAID, SAID_IN_GERMAN, SHOWN, WORDS

Written = dict[str, Any]

PICKED: Final = ("select", "radio", "multi_select")
PLAIN: Final = ("text", "textarea", "email", "tel", "url", "date", "time", "datetime", "number", "integer")
FILES: Final = ("file_upload", "image_upload", "signature")
INPUTS: Final = (*PICKED, *PLAIN, *FILES, "boolean", "checkbox", "rating")

_RULES: Final[dict[str, dict[str, tuple[Any, ...]]]] = {
    "text": {
        "min_length": (2, 0, "{{ 1 + 1 }}"),
        "max_length": (12, 40, "{{ vars.items | length + 12 }}"),
        "word_min": (0, 1),
        "word_max": (3, "{{ 5 }}"),
        "pattern": ("[A-Z]-[0-9]+", ".*", "{{ '[A-Z]' }}-[0-9]+", "(?i)[a-z ]+"),
    },
    "textarea": {"min_length": (1,), "max_length": (200,)},
    "email": {"email_allow_domains": (["example.com"], "{{ ['example.com', 'shop.example'] }}"), "max_length": (60,)},
    "tel": {"min_length": (5,)},
    "url": {"url_https_only": (True, False, "{{ vars.flag }}"), "url_allow_domains": (["example.com", "shop.example"],)},
    "date": {
        "date_min": ("2026-01-01", "{{ now | date('yyyy-MM-dd') }}"),
        "date_max": ("2026-12-31", "{{ now | add('30d') | date('yyyy-MM-dd') }}"),
        "date_no_weekends": (True, "{{ vars.flag }}"),
    },
    "datetime": {"date_min": ("2026-01-01T00:00", "2025-06-01")},
    "number": {"min": (0, -5.5), "max": (100, "{{ vars.items | length + 10 }}"), "step": (0.5, 0.1), "integer": (True, False)},
    "integer": {"min": (0, 1), "max": (50, "{{ 5 * 4 }}"), "step": (1, "{{ 1 }}")},
    "boolean": {"must_accept": (True, False, "{{ vars.flag }}")},
    "checkbox": {"must_accept": (True,)},
    "multi_select": {"select_min": (0, 1), "select_max": (2, "{{ 1 + 1 }}")},
    "rating": {"max": (3, 10, "{{ 7 }}")},
}
_DEFAULTS: Final[dict[str, tuple[Any, ...]]] = {
    "text": ("A-1", "{{ vars.name }}"),
    "textarea": ("nothing",),
    "email": ("ada@example.com",),
    "date": ("2026-01-09", "{{ now | date('yyyy-MM-dd') }}"),
    "time": ("08:00",),
    "number": (3.5, "{{ vars.price }}"),
    "integer": (3,),
    "boolean": (True, False),
    "rating": (2,),
}


class Inquirer:
    """Writes questions; in a flow of several languages every text is in all of them."""

    def __init__(self, dice: Dice, *, translated: bool) -> None:
        self.dice = dice
        self._translated = translated

    def text(self, *, shows: float = 0.5) -> Any:
        """Something that a person sees, in many cases with a value in it."""
        place = self.dice.number(0, len(SAID) - 1)
        value = f" {self.dice.one(SHOWN)}." if self.dice.yes(shows) else "."
        return self.translated(f"{SAID[place]}{value}", f"{SAID_IN_GERMAN[place]}{value}")

    def translated(self, english: str, german: str) -> Any:
        """One text, or one for each language."""
        return {"en": english, "de": german} if self._translated or self.dice.yes(0.1) else english

    def question(self, kind: str) -> Written:
        """All that an `ask` and a field have in common, but for the key that holds the type."""
        written: Written = {}
        if kind in PICKED or (kind in PLAIN and self.dice.yes(0.1)):
            written["options"] = self.made_options() if self.dice.yes(0.3) else self.options()
        elif kind in _DEFAULTS and self.dice.yes(0.4):
            written["default"] = self.dice.one(_DEFAULTS[kind])
        if kind in FILES and self.dice.yes():
            written["multiple"] = True
        rules = self._rules(kind, written)
        if rules:
            written["validation"] = rules
        if self.dice.yes(0.2):
            written["placeholder"] = self.text()
        return written

    def options(self, *, labelled: float = 0.7) -> list[Written]:
        """Options that are written out; no two could be meant by the same words."""
        words = self.dice.shuffled(range(len(WORDS)))[: self.dice.number(2, 5)]
        numbers = self.dice.shuffled(NUMBERS)
        found: list[Written] = []
        for place in words:
            option: Written = {"value": numbers.pop() if self.dice.yes(0.25) else WORDS[place]}
            if self.dice.yes(labelled):
                said = self.dice.one(("", " {{ vars.name }}")) if self.dice.yes(0.2) else ""
                option["label"] = self.translated(f"{LABELS[place]}{said}", f"{LABELS[place]} bitte{said}")
            found.append(option)
        return found

    def made_options(self) -> Written:
        """Options for each item of a list."""
        if self.dice.yes(0.2):
            return {"each": "['a', 'b', 'c']", "do": {"value": "{{ item }}{{ index }}"}}
        label = self.dice.one(("{{ index + 1 }}. {{ thing.what }}", "{{ thing.what }} for {{ thing.price | money('EUR') }}"))
        return {"each": self.dice.one(MADE_FROM), "as": "thing", "do": {"value": "{{ thing.id }}", "label": self.translated(label, label)}}

    def _rules(self, kind: str, written: Written) -> Written:
        known = dict(_RULES.get(kind, {}))
        if kind in FILES and "multiple" in written:
            known = {"file_max": (2, 1)}
        if not known or self.dice.yes(0.3) or (kind in PLAIN and "options" in written):
            return {}
        rules = {rule: self.dice.one(known[rule]) for rule in self.dice.some(list(known), 1, 3)}
        if self.dice.yes(0.2):
            rules["messages"] = {rule: self.text(shows=0.3) for rule in self.dice.some(list(rules), 1, 2)}
        return rules
