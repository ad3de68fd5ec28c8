"""What is measured: a flow that goes round for ever, and beside it a route that does nothing."""

from collections.abc import Iterator
from itertools import cycle
from typing import Final

from litestar import post
from litestar.params import JSONBody
from msgspec import Struct

from engine.loading import Source
from engine.model.values import Limits
from engine.runtime.administration import KeyTerms, NewTenant, create_tenant, publish
from engine.runtime.runtime import Runtime

FLOW: Final = "round_trip"
NOOP_PATH: Final = "/bench/noop"
SECRET: Final = b"a key for benchmarks and nothing else"
MOST_TURNS: Final = Limits().turns - 10
"""Turns after which a run is left alone and the next one is triggered: a run may not take more than 500."""

_TOLD: Final = "You went {{ vars.word }}. " + "The way goes on between two hedges, and ends at another fork. " * 22
_WORDS: Final = ("left", "right", "straight")
SOURCE: Final = f"""\
flow: {FLOW}
intent: {{label: Go round}}
expires_after: 1d
nodes:
  ask_word:
    type: ask
    prompt: Where do you go?
    save: word
    next: fork
  fork:
    type: switch
    cases:
      - {{when: vars.word == 'left', next: tell_left}}
      - {{when: vars.word == 'right', next: tell_right}}
    else: tell_on
  tell_left: {{type: message, text: "{_TOLD}", next: ask_word}}
  tell_right: {{type: message, text: "{_TOLD}", next: ask_word}}
  tell_on: {{type: message, text: "{_TOLD}", next: ask_word}}
"""
"""A turn of it: the answer taken, then switch, message and ask visited; the reply has about 2 kB."""


class Moved(Struct, frozen=True):
    """A body like that of an answer."""

    executionId: str  # noqa: N815 - as it is sent
    waitToken: str  # noqa: N815 - the same
    values: dict[str, str]


class Told(Struct, frozen=True):
    """An answer as long as a turn's."""

    text: str


_PADDING: Final = Told("x" * 1_950)


def words() -> Iterator[str]:
    """Answers without end, so that every branch of the flow is taken."""
    return cycle(_WORDS)


async def prepare(runtime: Runtime) -> NewTenant:
    """A tenant with the flow published, and a key for clients that are no browsers."""
    at = runtime.store.now()
    tenant = await create_tenant(runtime.registry, "bench", KeyTerms(native=True), at)
    await publish(runtime.registry, tenant.tenant_id, [Source(f"{FLOW}.yaml", SOURCE)], at)
    await runtime.catalog.refresh()
    return tenant


@post(NOOP_PATH, name="noop", status_code=200)
async def noop(data: JSONBody[Moved]) -> Told:  # noqa: ARG001 - it is read, and nothing comes of it
    """A handler as whoever uses Litestar writes it, in the same application behind the same server.

    What it shows is the limit that framework and server set, however little is done behind them: a body as long as a turn's is read to
    its end and decoded into a type, and a value of 2 kB is encoded and sent. No credential or origin is checked, no rate limit counted, no
    line of log written; executor and store are not touched. It is the reference of the bars. A turn's own route may do with less than it:
    what Litestar makes for its handlers is left out there (`api.endpoints.route`), and that counts for the turn.
    """
    return _PADDING
