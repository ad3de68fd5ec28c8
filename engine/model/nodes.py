"""The nodes of a flow: one Struct a type, in one closed union.

A node is a mapping in the flow file whose `type` picks the Struct; its id is the key it stands under.
To add a node type: its Struct here, its function in `engine.interpreter`, its checks in `engine.loading`, a conversation test.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from engine.model.inputs import Branch, FormField, InputType, Option, Validation
from engine.model.values import Expression, Json, Name, Template, Text

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


class Message(Common, frozen=True, kw_only=True, tag="message"):
    """Says a text.

    ```yaml
    type: message
    text: "Order {{ vars.order_number }} has shipped."
    next: end
    ```
    """

    text: Text
    next: Target
    format: Literal["plain", "markdown"] = "plain"


class ShowBlock(Common, frozen=True, kw_only=True, tag="block"):
    """Shows a block of any other kind; `fallback` is for clients that do not know it.

    ```yaml
    type: block
    block: card
    payload: {title: "Order {{ vars.order_number }}", image: https://shop.example/a-1.png}
    fallback: "Order {{ vars.order_number }}"
    next: end
    ```
    """

    block: Name
    next: Target
    payload: dict[str, Any] = field(default_factory=dict)
    fallback: Text | None = None


class Ask(Common, frozen=True, kw_only=True, tag="ask"):
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
    options: list[Option] | None = None
    validation: Validation | None = None
    required: bool = True
    multiple: bool = False
    placeholder: Text | None = None
    default: Json = None
    save: Name | None = None
    attempts: Annotated[int, Meta(ge=1, le=10)] | None = None
    retry: Text | None = None
    on_exhausted: Target | None = None
    routes: dict[str, Target] = field(default_factory=dict)
    timeout: Timeout | None = None


class Choice(Common, frozen=True, kw_only=True, tag="choice"):
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
    options: list[Branch]
    save: Name | None = None
    attempts: Annotated[int, Meta(ge=1, le=10)] | None = None
    retry: Text | None = None
    on_exhausted: Target | None = None
    timeout: Timeout | None = None


class Form(Common, frozen=True, kw_only=True, tag="form"):
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
    fields: Annotated[list[FormField], Meta(min_length=1)]
    next: Target
    submit_label: Text | None = None
    save: Name | None = None
    attempts: Annotated[int, Meta(ge=1, le=10)] | None = None
    retry: Text | None = None
    on_exhausted: Target | None = None
    timeout: Timeout | None = None


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """One way out of a `switch`."""

    when: Expression
    next: Target


class Switch(Common, frozen=True, kw_only=True, tag="switch", rename={"otherwise": "else"}):
    """Takes the first case that is true.

    ```yaml
    type: switch
    cases:
      - {when: vars.score >= 70, next: hot}
    else: cold
    ```
    """

    cases: Annotated[list[Case], Meta(min_length=1)]
    otherwise: Target


class Assign(Common, frozen=True, kw_only=True, tag="set"):
    """Assigns variables, in order; `conversation.NAME` writes the conversation's own.

    ```yaml
    type: set
    values: {tries: "{{ vars.tries + 1 }}", conversation.plan: pro}
    next: ask_again
    ```
    """

    values: dict[str, Any]
    next: Target


class Http(Common, frozen=True, kw_only=True, tag="http"):
    """One HTTP request: the first node whose work is done outside the run.

    No flow file can name it yet (`engine.loading` refuses the type); the path that its Invoke and Returned take is whole.

    ```yaml
    type: http
    method: GET
    url: https://shop.example/orders
    save: answer
    next: end
    on_error: sorry
    ```
    """

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    url: Template
    next: Target
    save: Name | None = None
    on_error: Target | None = None


class End(Common, frozen=True, kw_only=True, tag="end"):
    """Ends the flow.

    ```yaml
    type: end
    result: {found: true}
    ```
    """

    result: dict[str, Any] = field(default_factory=dict)
    status: Literal["completed", "failed"] = "completed"
    code: str | None = None


Node = Message | ShowBlock | Ask | Choice | Form | Switch | Assign | Http | End
"""Every node there is. `split`, `call`, `jump`, `llm`, `task`, `wait`, `approval`, `handoff` and `emit` take their places here."""

Asking = Ask | Choice | Form
"""The nodes that wait for the customer."""

__all__ = [
    "Ask",
    "Asking",
    "Assign",
    "Case",
    "Choice",
    "Common",
    "End",
    "Form",
    "Http",
    "Message",
    "Node",
    "ShowBlock",
    "Switch",
    "Target",
    "Timeout",
]
