"""The words of the flow language that this version does not run yet."""

from typing import Final

from engine.loading.decode import Vocabulary

LATER_TYPES: Final = frozenset({"llm", "approval", "handoff"})

FLOW_WORDS: Final = Vocabulary(
    later_tags=LATER_TYPES,
    missing={"next": "target.missing", "else": "target.missing"},
    unknown_tag="node.unknown",
)
