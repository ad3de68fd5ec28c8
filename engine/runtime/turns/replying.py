"""The reply of a turn, as it is stored with it."""

from collections.abc import Sequence

from msgspec import Struct

from engine.interpreter.answers import published
from engine.model.effects import Emit, Step, Visit
from engine.model.run import Block
from engine.model.values import Millis
from engine.runtime.ids import NewId
from engine.runtime.replies import Price, ReplyBlock, TurnReply
from engine.runtime.store.rows import UsageRow, WaitRow
from engine.runtime.traces import TurnTrace
from engine.runtime.turns.occasion import Occasion


class Numbers(Struct, frozen=True):
    """Which turn of its run it is, its id, and that of the one before it."""

    rev: int
    turn_id: str
    previous_id: str | None


def draft_reply(
    occasion: Occasion,
    step: Step,
    numbers: Numbers,
    trace: TurnTrace,
    opened: WaitRow | None,
    usage: tuple[UsageRow, ...],
    new_id: NewId,
    latency_ms: Millis,
) -> TurnReply:
    """What the turn answers; blocks that an earlier commit of the turn has said come first and keep their ids."""
    run = step.run
    frame = None if run.ended else run.frame
    before = None if occasion.begun is None else occasion.begun.reply
    rules, called, failed = _passed(trace.visits)
    said = tuple(_block(effect.block, new_id(occasion.now)) for effect in step.effects if isinstance(effect, Emit))
    return TurnReply(
        execution_id=occasion.run_id,
        conversation_id=occasion.conversation.id,
        turn_id=numbers.turn_id,
        rev=numbers.rev,
        status=run.status,
        blocks=said if before is None else (*before.blocks, *said),
        expected_input=None if run.pause is None else published(run.pause.expectation),
        answerable=opened is not None and opened.answerable,
        wait_id=None if opened is None else opened.id,
        wait_expires_at=None if opened is None else opened.deadline,
        usage=tuple(map(_price, usage)) if before is None else before.usage,
        flow=None if frame is None else frame.ref.flow,
        version=None if frame is None else frame.ref.version,
        node=None if frame is None else frame.node,
        progress=run.progress,
        latency_ms=latency_ms,
        end_reason=run.end_reason,
        end_code=run.end_code,
        matched_rules=rules,
        tools_called=called,
        tools_failed=failed,
        started=(occasion.flow, occasion.version),
    )


def _block(block: Block, block_id: str) -> ReplyBlock:
    return ReplyBlock(block_id, block.type, block.payload, block.node, block.flow)


def _price(row: UsageRow) -> Price:
    return Price(row.model, row.prompt_tokens, row.completion_tokens, row.cached_prompt_tokens, row.cost_micros)


def _passed(visits: Sequence[Visit]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The cases of switches on the way, and the nodes that have called, and that have failed to."""
    rules: list[str] = []
    called: list[str] = []
    failed: list[str] = []
    for visit in visits:
        if visit.type == "switch":
            rules.append(f"{visit.flow}/{visit.node}#{visit.edge.removeprefix('case:')}")
        elif visit.type == "http":
            if visit.edge.startswith("calls"):
                called.append(f"{visit.flow}/{visit.node}")
            if visit.edge.startswith("error:"):
                failed.append(f"{visit.flow}/{visit.node}")
    return tuple(rules), tuple(called), tuple(failed)
