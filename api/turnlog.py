"""One line in the log for each turn that a request took: ids, status and time, and nothing that anybody said."""

from typing import Any

from api.asked import Asked
from api.logs import log
from engine.runtime.executor import Taken


class TurnLog:
    """Writes the lines of one surface."""

    def __init__(self, surface: str) -> None:
        self._log: Any = log.bind(surface=surface)

    def taken(self, asked: Asked, tenant_id: str, taken: Taken) -> None:
        """A turn was taken, or its stored reply given again."""
        reply = taken.reply
        self._log.info(
            "turn_taken",
            request=asked.request_id,
            tenant=tenant_id,
            conversation=reply.conversation_id,
            execution=reply.execution_id,
            turn=reply.turn_id,
            status=reply.status,
            latency_ms=reply.latency_ms,
            replayed=taken.replayed,
        )
