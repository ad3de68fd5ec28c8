"""The nodes that decide where a run goes, and what it remembers."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from engine.model.nodes.common import Common, Target
from engine.model.values import Expression, Name


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


class Share(Struct, frozen=True, forbid_unknown_fields=True):
    """One way out of a `split`, and how often it is taken in proportion to the others."""

    weight: Annotated[float, Meta(ge=0)]
    next: Target


class Split(Common, frozen=True, kw_only=True, tag="split"):
    """Takes a branch at random, by weight; the run's seed decides, so that a run that is played again goes the same way.

    ```yaml
    type: split
    branches:
      - {weight: 80, next: usual}
      - {weight: 20, next: new_offer}
    ```
    """

    branches: Annotated[list[Share], Meta(min_length=1)]


class Call(Common, frozen=True, kw_only=True, tag="call"):
    """Runs another flow and comes back with its outputs.

    ```yaml
    type: call
    flow: take_address
    inputs: {country: "{{ vars.country }}"}
    save: address
    on_failed: sorry
    next: confirm
    ```
    """

    flow: Name
    next: Target
    inputs: dict[str, Any] = field(default_factory=dict)
    """Input name to value or template."""
    save: Name | None = None
    """The variable that takes the called flow's outputs."""
    on_expired: Target | None = None
    """Where to go on when the called flow was left waiting; None: `next`, with every output null."""
    on_failed: Target | None = None
    """Where to go on when the called flow failed; None: this flow fails too."""


class Jump(Common, frozen=True, kw_only=True, tag="jump"):
    """Runs another flow in the place of this one, and never comes back.

    ```yaml
    type: jump
    flow: main_menu
    inputs: {greeted: true}
    ```
    """

    flow: Name
    inputs: dict[str, Any] = field(default_factory=dict)


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
