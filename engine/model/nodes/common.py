"""What nodes share: the keys of all, where they lead, and what every wait may have."""

from typing import Annotated

from msgspec import Meta, Struct

from engine.model.values import Name, Template, Text

Target = str
"""A node's id, or `end`."""


class Common(Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True, omit_defaults=True):
    """The keys that every node may have."""

    progress: Annotated[int, Meta(ge=0, le=100)] | None = None
    """How far the customer has come, in percent, once this node was visited."""
    irreversible: bool | None = None
    """True: no edit may take the conversation back across this node."""
    repeatable: bool | None = None
    """True: an effect whose result was lost may be made again."""


class Timeout(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a wait goes by itself, and after how long."""

    after: Template
    """A duration such as 10m, or a template that gives one when the wait begins."""
    next: Target


class Reminder(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said while a wait goes on, and after how long; token, attempts and deadline stay."""

    after: Template
    """A duration such as 3m, or a template that gives one when the wait begins."""
    text: Text


class Waiting(Common, frozen=True, kw_only=True):
    """The keys that every wait may have."""

    remind: Annotated[list[Reminder], Meta(max_length=5)] = []
    timeout: Timeout | None = None


class Asked(Waiting, frozen=True, kw_only=True):
    """The keys that every wait for the customer's answer may have."""

    save: Name | None = None
    """The variable that takes the answer; None: the node's id, or, in a form, one variable for each field."""
    attempts: Annotated[int, Meta(ge=1, le=10)] | None = None
    """How many tries there are; None: a wrong answer is refused, and counts for nothing."""
    retry: Text | None = None
    """Said after a wrong answer that counted."""
    on_exhausted: Target | None = None
    """Where the last wrong answer leads."""
