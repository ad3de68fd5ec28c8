"""What a person can be asked for: input types, options, rules and fields."""

from typing import Final, Literal, get_args

from msgspec import Struct, field

from engine.model.values import Expression, Json, Name, Scalar, Template, Text

InputType = Literal[
    "text",
    "textarea",
    "email",
    "tel",
    "url",
    "date",
    "time",
    "datetime",
    "number",
    "integer",
    "boolean",
    "checkbox",
    "select",
    "radio",
    "multi_select",
    "rating",
    "file_upload",
    "image_upload",
    "signature",
]
DisplayType = Literal["heading", "paragraph", "divider"]
DISPLAYS: Final[frozenset[InputType | DisplayType]] = frozenset(get_args(DisplayType))
"""What a form shows and nobody answers."""
OPTIONED: Final[frozenset[InputType | DisplayType]] = frozenset({"select", "radio", "multi_select"})
"""What is nothing without options."""
FILES: Final[frozenset[InputType | DisplayType]] = frozenset({"file_upload", "image_upload", "signature"})

Bound = int | float | Template
"""A number, or a template that gives one when the wait begins."""
Switch = bool | Template


class Option(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that can be picked; without a label its value is shown."""

    value: Scalar
    label: Text | None = None


class Branch(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An option of a `choice`: picking it leads to `next`."""

    value: Scalar
    next: str
    label: Text | None = None


class MadeOptions(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"name": "as"}):
    """Options made when the wait begins: one for each item of a list."""

    each: Expression
    do: Option
    """The option; its texts see the item under its name, and its place, from 0, as `index`."""
    name: Name = "item"


class Validation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rules for one answer; a bound of 0 is a bound, an absent one is none."""

    min_length: Bound | None = None
    max_length: Bound | None = None
    word_min: Bound | None = None
    word_max: Bound | None = None
    pattern: str | None = None
    min: Bound | None = None
    max: Bound | None = None
    step: Bound | None = None
    integer: Switch | None = None
    email_allow_domains: list[str] | Template | None = None
    url_https_only: Switch | None = None
    url_allow_domains: list[str] | Template | None = None
    date_min: Template | None = None
    date_max: Template | None = None
    date_no_weekends: Switch | None = None
    select_min: Bound | None = None
    select_max: Bound | None = None
    must_accept: Switch | None = None
    file_max: Bound | None = None
    messages: dict[str, Text] = field(default_factory=dict)
    """Rule name to the text shown when that rule is broken."""


class FormField(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One field of a form as its author wrote it; `heading`, `paragraph` and `divider` collect nothing and need no name."""

    type: InputType | DisplayType
    name: Name | None = None
    label: Text | None = None
    required: bool = False
    placeholder: Text | None = None
    help: Text | None = None
    options: list[Option] | MadeOptions | None = None
    validation: Validation | None = None
    default: Json = None
    multiple: bool = False


class MadeField(FormField, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A field that is made from an item; so that the names differ, the name is a template."""

    name: Template | None = None


class MadeFields(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"name": "as"}):
    """Fields made when the wait begins: one for each item of a list."""

    each: Expression
    do: MadeField
    name: Name = "item"


class ShownOption(Struct, frozen=True):
    """An option as a wait froze it: its label in the run's language."""

    value: Scalar
    label: str


class Question(Struct, frozen=True, omit_defaults=True):
    """One property of an answer, frozen when the wait began: evaluated, in the run's language."""

    name: str
    type: InputType | DisplayType
    label: str = ""
    required: bool = False
    placeholder: str | None = None
    help: str | None = None
    options: tuple[ShownOption, ...] = ()
    validation: Validation | None = None
    default: Json = None
    multiple: bool = False


ExpectationKind = Literal["text", "choice", "upload", "form", "timer", "task", "event", "approval", "handoff"]


class Expectation(Struct, frozen=True, omit_defaults=True):
    """What a wait will accept next; for `text`, `choice` and `upload` there is exactly one question."""

    kind: ExpectationKind
    node: str
    questions: tuple[Question, ...] = ()
    attempts_left: int | None = None
    """Tries that remain; None where wrong answers are refused without counting."""
