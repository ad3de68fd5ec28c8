"""Callbacks in what leaves a run: their addresses are known to the shell alone, which puts them in place of these."""

import re
from typing import Final


def placeholder(callback: str) -> str:
    """What stands for a callback's URL until an effect leaves. No text from outside holds the signs around it."""
    return f"\0callback:{callback}\0"


PLACEHOLDER: Final = re.compile(placeholder("([^\0]+)"))
"""Finds each, and the callback's key in it."""
