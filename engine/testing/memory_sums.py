"""What the memory store adds up and picks out, where a database does it by SQL."""

from collections.abc import Sequence

from engine.runtime.store.port import RunFilter, RunView, UsageSum
from engine.runtime.store.rows import UsageRow


def sum_of(key: str, rows: Sequence[UsageRow]) -> UsageSum:
    """What the rows come to together."""
    return UsageSum(
        key=key,
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.completion_tokens for row in rows),
        cost_micros=sum(row.cost_micros or 0 for row in rows),
        unpriced_tokens=sum(row.prompt_tokens + row.completion_tokens for row in rows if row.cost_micros is None),
    )


def is_chosen(view: RunView, chosen: RunFilter) -> bool:
    """Whether the filter lets the run through."""
    run = view.run
    return (
        (chosen.conversation_id is None or run.conversation_id == chosen.conversation_id)
        and (chosen.customer_id is None or view.customer_id == chosen.customer_id)
        and (not chosen.open_only or run.ended_at is None)
        and (chosen.status is None or run.status == chosen.status)
        and (chosen.intent is None or run.intent == chosen.intent)
    )
