"""Named places where tests let the process die or the machine fail, to see that nothing acknowledged is lost.

The settings name one as `before_commit` or `before_commit:3` (the third time it is reached); without a name nothing happens.
"""

import os
import signal
from collections.abc import Callable
from typing import Final, Literal, get_args

from engine.errors import SettingsError

StoreFault = Literal["before_commit", "after_commit", "before_reply"]
CallFault = Literal["before_call", "after_call", "after_result"]
DeliveryFault = Literal["before_delivery", "after_delivery"]
FaultName = StoreFault | CallFault | DeliveryFault
STORE_FAULTS: Final[tuple[StoreFault, ...]] = get_args(StoreFault)
CALL_FAULTS: Final[tuple[CallFault, ...]] = get_args(CallFault)
DELIVERY_FAULTS: Final[tuple[DeliveryFault, ...]] = get_args(DeliveryFault)
FAULT_NAMES: Final[tuple[FaultName, ...]] = (*STORE_FAULTS, *CALL_FAULTS, *DELIVERY_FAULTS)


def die(_: FaultName) -> None:
    """End this process at once, as a power cut would: nothing is flushed, nothing is said."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail(name: FaultName) -> None:
    """Fail as a broken disk would."""
    raise OSError(f"fault point {name}")


class FaultPoints:
    """What is to happen where: each name counts down to the one time that it acts."""

    def __init__(self, armed: dict[FaultName, int], act: Callable[[FaultName], None] = die) -> None:
        self._left = dict(armed)
        self._act = act

    def reach(self, name: FaultName) -> None:
        """Act, when this is the place and the time."""
        if name in self._left:
            self._left[name] -= 1
            if self._left[name] == 0:
                self._act(name)


def parse_faults(setting: str | None) -> FaultPoints | None:
    """The fault points that `name[:n]` asks for; None for None or an empty text."""
    if not setting:
        return None
    name, _, count = setting.partition(":")
    known: dict[str, FaultName] = {known: known for known in FAULT_NAMES}
    if name not in known or (count and not count.isdecimal()) or count == "0":
        raise SettingsError(f"A fault point is one of {', '.join(FAULT_NAMES)}, with an optional :n from 1 on; {setting!r} is not.")
    return FaultPoints({known[name]: int(count or 1)})
