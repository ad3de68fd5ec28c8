"""The state machine of the everyday suite, with other examples each time, and many of them."""

import time

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from msgspec import Struct

from tests.stateful.test_machine import STORES


class Examined(Struct, frozen=True):
    """What came of one store."""

    store: str
    examples: int
    failure: str
    seconds: float


def prove(examples: int) -> list[Examined]:
    """So many examples of fifty steps, on each store."""
    return [_examined(name, examples) for name in STORES]


def _examined(name: str, examples: int) -> Examined:
    begun = time.monotonic()
    plan = settings(max_examples=examples, stateful_step_count=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    failure = ""
    try:
        run_state_machine_as_test(STORES[name], settings=plan)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the steps that led to it
        failure = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])
    return Examined(name, examples, failure, time.monotonic() - begun)
