"""The words of the flow language that this version does not run yet, or that stand elsewhere than their author thought."""

from typing import Final

from engine.loading.decode import Vocabulary
from engine.model.inputs import Option

LATER_TYPES: Final = frozenset({"llm", "approval", "handoff"})

FLOW_WORDS: Final = Vocabulary(
    later_tags=LATER_TYPES,
    missing={"next": "target.missing", "else": "target.missing"},
    unknown_tag="node.unknown",
    elsewhere={(Option, "next"): "only the options of a `choice` lead on; an `ask` has `routes`"},
)
