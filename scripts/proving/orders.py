"""Every order in which an answer, a deadline, a cancel and crashes can meet in a wait, and workers and a cancel in a call."""

import time

from msgspec import Struct

from tests.races.exploring import Broken
from tests.races.scenes import CHECK_THEN_ACT, NO_EPOCH, Scene

_SHORT = (
    ("asking", ("answer", "deadline", "cancel"), 1),
    ("asking", ("answer", "second answer"), 2),
    ("calling", ("worker", "takeover"), 2),
    ("calling", ("worker", "takeover", "cancel"), 0),
)
_LONG = (("asking", ("answer", "deadline", "cancel"), 2), ("asking", ("answer", "second answer", "deadline", "cancel"), 1))


class Walked(Struct, frozen=True):
    """What came of one exploration."""

    contenders: tuple[str, ...]
    crashes: int
    orders: int
    moves: int
    seconds: float
    broken: str = ""


def prove(*, quick: bool) -> list[Walked]:
    """Without a fault; then the two variants that have one, whose fault is told."""
    return [_walk(*plan) for plan in (_SHORT if quick else (*_SHORT, *_LONG))]


def caught() -> dict[str, str]:
    """What is found in the variants that leave out the epoch, and that check and then act."""
    found: dict[str, str] = {}
    for name, scene, contenders, careless in (
        ("no epoch", "calling", ("worker", "takeover"), NO_EPOCH),
        ("check, then act", "asking", ("answer", "deadline", "cancel"), CHECK_THEN_ACT),
    ):
        try:
            Scene(scene).explore(*contenders, careless=careless)
        except Broken as broken:
            found[name] = str(broken)
    return found


def _walk(scene: str, contenders: tuple[str, ...], crashes: int) -> Walked:
    begun = time.monotonic()
    try:
        walk = Scene(scene).explore(*contenders, crashes=crashes)
    except Broken as broken:
        return Walked(contenders, crashes, 0, 0, time.monotonic() - begun, str(broken))
    return Walked(contenders, crashes, walk.orders, walk.moves, time.monotonic() - begun)
