"""The conversation that every engine holds: four turns, a branch in the third, every reply known beforehand.

What runs in the peers' environment needs nothing but the standard library and the peer itself.
"""

from typing import Final

TURNS: Final = 4
PARTY: Final = 8
"""More guests than this are a party, and asked otherwise."""

ASK_NAME: Final = "What is your name?"
_NAMES: Final = ("Ada", "Ben", "Cleo", "Dora", "Emil")
_DAYS: Final = ("Monday", "Friday")


def ask_guests(name: str) -> str:
    """The second reply."""
    return f"Hello {name}. How many guests?"


def ask_day(guests: int) -> str:
    """The third reply."""
    return f"A party of {guests}. Which day?" if guests > PARTY else f"A table for {guests}. Which day?"


def told(name: str, guests: int, day: str) -> str:
    """The last reply."""
    return f"Booked: {guests} guests on {day}, {name}."


def answers(number: int) -> tuple[str, int, str]:
    """What the customer of the conversation of that number says in its second, third and fourth turn."""
    return _NAMES[number % len(_NAMES)], number % 12 + 1, _DAYS[number % len(_DAYS)]


def expected(number: int) -> tuple[str, ...]:
    """The four replies of the conversation of that number."""
    name, guests, day = answers(number)
    return ASK_NAME, ask_guests(name), ask_day(guests), told(name, guests, day)
