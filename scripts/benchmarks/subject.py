"""What is measured: a flow that goes round for ever, and a route that does nothing."""

from collections.abc import Iterator
from itertools import cycle
from typing import Final

from api.asked import Asked
from api.body import read_json
from api.endpoints import Endpoint
from api.wire import Answer, json_answer
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

_PADDING: Final = {"text": "x" * 1_950}


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


def noop_endpoint() -> Endpoint:
    """A POST that goes through the same uvicorn, gate, router and endpoint as a turn does.

    It reads a body as long as a turn's to its end, encodes 2 kB of JSON and answers with them. It does not parse the body, check a
    credential or an origin, count against a rate limit, write a line of log, or touch executor and store.
    """
    return Endpoint(method="POST", path=NOOP_PATH, act=_noop, name="noop", summary="Nothing", answer=dict)


async def _noop(asked: Asked) -> Answer:
    await read_json(asked)
    return json_answer(_PADDING)
