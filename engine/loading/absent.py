"""The words of the flow language that this version does not run yet."""

from typing import Final

from engine.loading.decode import Vocabulary
from engine.model.flow import Flow
from engine.model.nodes import Cause, Wait

LATER_TYPES: Final = frozenset({"http", "llm", "task", "approval", "handoff", "emit"})

LATER_KEYS: Final[dict[type, frozenset[str]]] = {
    Flow: frozenset({"on_event"}),
    Wait: frozenset({"event", "match"}),
    Cause: frozenset({"event", "match"}),
}

FLOW_WORDS: Final = Vocabulary(
    later_tags=LATER_TYPES,
    later_keys=LATER_KEYS,
    missing={"next": "target.missing", "else": "target.missing"},
    unknown_tag="node.unknown",
)
