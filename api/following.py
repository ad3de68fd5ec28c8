"""A run as it is now, or once there is news of it: the same GET on both surfaces."""

from typing import Final

from api.asked import Asked
from api.endpoints import Parameter
from api.parameters import demand_fit, whole_number
from api.wire import known_tags
from engine.runtime.reading import Reader, tag
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller

_LONGEST: Final = 30
WAIT: Final = Parameter("wait", "query", {"type": "integer", "minimum": 0, "maximum": _LONGEST}, "Seconds to wait for news.")


async def followed(reader: Reader, caller: Caller, asked: Asked) -> TurnReply:
    """The run's reply; with `?wait=` once it differs from `If-None-Match`, or from what it was on arrival, for at most so many seconds."""
    run_id, query = asked.path_id("execution_id"), asked.query()
    seconds = whole_number(asked, query, "wait", 0, (0, _LONGEST))
    reply = await reader.latest(caller, run_id)
    demand_fit(asked, query)
    known = asked.header(b"if-none-match")
    if seconds and (known is None or f'"{tag(reply)}"' in known_tags(known)):
        return await reader.follow(caller, run_id, tag(reply), seconds)
    return reply
