"""The words of the flow language that this version does not run yet."""

from typing import Final

from engine.loading.decode import Vocabulary
from engine.model.flow import Flow
from engine.model.nodes import Ask, Choice, Form

LATER_TYPES: Final = frozenset({"split", "call", "jump", "http", "llm", "task", "wait", "approval", "handoff", "emit"})

LATER_KEYS: Final[dict[type, frozenset[str]]] = {
    Flow: frozenset({"commands", "on_event"}),
    Ask: frozenset({"check", "remind", "use_trigger_text"}),
    Choice: frozenset({"remind"}),
    Form: frozenset({"check", "remind"}),
}

FLOW_WORDS: Final = Vocabulary(
    later_tags=LATER_TYPES,
    later_keys=LATER_KEYS,
    later_lists=frozenset({"each"}),
    missing={"next": "target.missing", "else": "target.missing"},
    unknown_tag="node.unknown",
)
