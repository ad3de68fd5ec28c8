"""The nodes that wait for the customer's answer."""

from typing import Annotated

from msgspec import Meta, Struct, field

from engine.model.inputs import Branch, FormField, InputType, MadeFields, MadeOptions, Option, Validation
from engine.model.nodes.common import Asked, Target
from engine.model.values import Expression, Json, Name, Text


class Check(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule over the whole answer, held against it after the rules of its values; false is a wrong answer like any other.

    The answer is the root `value` of an `ask`, and `values` of a form. What is about one value is not asked where that is null.
    """

    that: Expression
    text: Text
    """Told where it is false."""
    field: Name | None = None
    """The form's field that it is about; None: the form as a whole."""


class Ask(Asked, frozen=True, kw_only=True, tag="ask"):
    """Asks one question and waits for the answer.

    ```yaml
    type: ask
    prompt: "What's your order number?"
    input: text
    validation: {pattern: "[A-Z]-[0-9]+"}
    attempts: 3
    retry: That does not look like an order number.
    on_exhausted: give_up
    save: order_number
    timeout: {after: 10m, next: give_up}
    next: look_up
    ```
    """

    prompt: Text
    next: Target
    input: InputType = "text"
    options: list[Option] | MadeOptions | None = None
    validation: Validation | None = None
    required: bool = True
    multiple: bool = False
    placeholder: Text | None = None
    default: Json = None
    check: list[Check] = field(default_factory=list)
    use_trigger_text: bool = False
    """True: the text that triggered the run is tried as the answer, once, at no cost; where it fits, nothing is asked."""
    routes: dict[str, Target] = field(default_factory=dict)


class Choice(Asked, frozen=True, kw_only=True, tag="choice"):
    """Offers options, each of which leads somewhere.

    ```yaml
    type: choice
    prompt: What would you like to do?
    options:
      - {value: track, label: Track my order, next: ask_number}
      - {value: leave, label: Nothing, next: end}
    ```
    """

    prompt: Text
    options: list[Branch] | MadeOptions
    next: Target | None = None
    """Where options that are made from data lead; those that are written out say it themselves."""


class Form(Asked, frozen=True, kw_only=True, tag="form"):
    """Shows several fields at once and waits until they are filled in.

    ```yaml
    type: form
    title: Where shall we send it?
    fields:
      - {name: street, type: text, label: Street, required: true}
      - {name: city, type: text, label: City, required: true}
    submit_label: Send
    next: thanks
    ```
    """

    title: Text
    fields: Annotated[list[FormField], Meta(min_length=1)] | MadeFields
    next: Target
    check: list[Check] = field(default_factory=list)
    submit_label: Text | None = None
