"""What readers ask, declared over the tables and compiled once; no question reads a clock, each is answered as of one moment."""

from functools import cache
from typing import Any, Final

from sqlalchemy import CTE, BigInteger, ColumnElement, FromClause, and_, bindparam, case, func, literal_column, null, select, union_all

from engine.runtime.store.changes import DAY
from engine.runtime.store.port import UsageKey
from engine.runtime.store.rows import ConversationRow, EffectResultRow, MessageRow, RunRow, SignalRow, TurnRow, UsageRow
from engine.runtime.store.sqlite.statements import CONVERSATION, MESSAGE, RUN, SIGNAL, TURN, WAIT, columns, named
from engine.runtime.store.tables import METADATA

_USAGE: Final = METADATA.tables["usage"]
_RESULT: Final = METADATA.tables["effect_result"]
_CONNECTION: Final = METADATA.tables["connection"]
_WEBHOOK: Final = METADATA.tables["webhook"]

ANYTHING: Final = named(select(literal_column("1")))

_DUE = WAIT.c.ended_at.is_(None) & (WAIT.c.due_at <= bindparam("now"))
_DUE_COLUMNS = (WAIT.c.tenant_id, WAIT.c.run_id, WAIT.c.id, WAIT.c.due_at)

DUE: Final = named(select(*_DUE_COLUMNS).where(_DUE).order_by(WAIT.c.due_at, WAIT.c.id).limit(bindparam("limit")))
"""The oldest due waits, whoever owns them."""

NEXT_DUE: Final = named(
    select(WAIT.c.due_at).where(WAIT.c.ended_at.is_(None)).order_by(WAIT.c.due_at).limit(literal_column("1")),
)


def _due_tenants() -> str:
    """Tenants with due waits, the longest waiting first: one look-up for each tenant with open waits, however many these are."""
    open_of = WAIT.alias("open_of")
    known = select(func.min(WAIT.c.tenant_id).label("id")).where(WAIT.c.ended_at.is_(None)).cte("known", recursive=True)
    following = select(func.min(open_of.c.tenant_id)).where(open_of.c.tenant_id > known.c.id, open_of.c.ended_at.is_(None))
    known = known.union_all(select(following.scalar_subquery()).where(known.c.id.is_not(None)))
    oldest = (
        select(func.min(WAIT.c.due_at)).where(WAIT.c.tenant_id == known.c.id, WAIT.c.ended_at.is_(None)).correlate(known).scalar_subquery()
    )
    by_age = select(known.c.id, oldest.label("oldest")).where(known.c.id.is_not(None)).subquery()
    return named(select(by_age.c.id).where(by_age.c.oldest <= bindparam("now")).order_by(by_age.c.oldest).limit(bindparam("limit")))


DUE_TENANTS: Final = _due_tenants()


def _due_of_tenants() -> str:
    """The oldest due waits of each tenant in a JSON list, so many of each."""
    tenant = func.json_each(bindparam("tenants")).table_valued("value", name="tenant")
    inner = WAIT.alias("inner_wait")
    oldest = (
        select(inner.c.id)
        .where(inner.c.tenant_id == tenant.c.value, inner.c.ended_at.is_(None), inner.c.due_at <= bindparam("now"))
        .order_by(inner.c.due_at, inner.c.id)
        .limit(bindparam("each"))
        .correlate(tenant)
    )
    return named(select(*_DUE_COLUMNS).select_from(tenant.join(WAIT, and_(WAIT.c.tenant_id == tenant.c.value, WAIT.c.id.in_(oldest)))))


DUE_OF_TENANTS: Final = _due_of_tenants()

LAPSED: Final = named(
    select(RUN.c.tenant_id, RUN.c.id, RUN.c.attempts)
    .where(RUN.c.lease_until <= bindparam("now"))
    .order_by(RUN.c.lease_until)
    .limit(bindparam("limit"))
)
RESULT: Final = named(
    select(*columns(_RESULT, EffectResultRow)).where(
        _RESULT.c.tenant_id == bindparam("tenant"),
        _RESULT.c.run_id == bindparam("run"),
        _RESULT.c.rev == bindparam("rev"),
        _RESULT.c.step == bindparam("step"),
    )
)
OLDEST_SIGNAL: Final = named(
    select(*columns(SIGNAL, SignalRow))
    .where(SIGNAL.c.tenant_id == bindparam("tenant"), SIGNAL.c.name == bindparam("name"))
    .order_by(SIGNAL.c.at, SIGNAL.c.id)
    .limit(literal_column("1"))
)

CONVERSATION_BY_ID: Final = named(
    select(*columns(CONVERSATION, ConversationRow)).where(
        CONVERSATION.c.tenant_id == bindparam("tenant"), CONVERSATION.c.id == bindparam("id")
    )
)


def _turns_of(runs: FromClause, *, since_input: bool = False) -> CTE:
    """The turns of the runs, each found by the one behind it; `since_input` those since the customer's last input."""
    last = select(*TURN.c).select_from(runs.join(TURN, and_(TURN.c.tenant_id == runs.c.tenant_id, TURN.c.id == runs.c.turn_id)))
    input_rev = runs.c.input_rev if since_input else literal_column("0")
    turns = last.add_columns(input_rev.label("input_rev")).cte("turns", recursive=True)
    before = and_(TURN.c.tenant_id == turns.c.tenant_id, TURN.c.id == turns.c.previous_id, TURN.c.rev >= turns.c.input_rev)
    in_order = TURN.c.rev == turns.c.rev - literal_column("1")  # so that a damaged row cannot make it go round for ever
    return turns.union_all(select(*TURN.c, turns.c.input_rev).select_from(turns.join(TURN, and_(before, in_order))))


_OF_CONVERSATION = (RUN.c.tenant_id == bindparam("tenant"), RUN.c.conversation_id == bindparam("conversation"))
_SAID = _turns_of(select(RUN).where(*_OF_CONVERSATION).cte("runs"))
MESSAGES: Final = named(
    select(*columns(MESSAGE, MessageRow), _SAID.c.reply)
    .select_from(_SAID.join(MESSAGE, and_(MESSAGE.c.tenant_id == _SAID.c.tenant_id, MESSAGE.c.turn_id == _SAID.c.id)))
    .order_by(MESSAGE.c.sequence, MESSAGE.c.id)
)
_TAKEN = _turns_of(select(RUN).where(RUN.c.tenant_id == bindparam("tenant"), RUN.c.id == bindparam("run")).cte("runs"))
TURNS: Final = named(select(*columns(_TAKEN, TurnRow)).order_by(_TAKEN.c.rev))
USAGE_OF_TURN: Final = named(
    select(*columns(_USAGE, UsageRow))
    .where(_USAGE.c.tenant_id == bindparam("tenant"), _USAGE.c.turn_id == bindparam("turn"))
    .order_by(_USAGE.c.id)
)


def _usage_by(key: ColumnElement[Any]) -> str:
    """Sums of each key: prompt and completion tokens, cost, and tokens without one."""
    tokens = _USAGE.c.prompt_tokens + _USAGE.c.completion_tokens
    unpriced = case((_USAGE.c.cost_micros.is_(null()), tokens), else_=literal_column("0"))
    spent = (_USAGE.c.prompt_tokens, _USAGE.c.completion_tokens, func.coalesce(_USAGE.c.cost_micros, literal_column("0")), unpriced)
    return named(select(key, *map(func.sum, spent)).where(_USAGE.c.tenant_id == bindparam("tenant")).group_by(key).order_by(key))


USAGE_BY: Final[dict[UsageKey, str]] = {
    "day": _usage_by(_USAGE.c.at // literal_column(str(DAY), BigInteger)),
    "model": _usage_by(_USAGE.c.model),
    "flow": _usage_by(_USAGE.c.flow),
}
"""For days the key is the number of days since 1970."""


_OF_RUN = and_(CONVERSATION.c.tenant_id == RUN.c.tenant_id, CONVERSATION.c.id == RUN.c.conversation_id)
_RUNS = select(RUN.c.tenant_id, RUN.c.id, RUN.c.turn_id, RUN.c.input_rev).select_from(RUN.outerjoin(CONVERSATION, _OF_RUN))
_RUNS = _RUNS.where(RUN.c.tenant_id == bindparam("tenant"))


def _views(runs: CTE) -> str:
    """Each run of the selection with its customer and its turns since the last input: one row a turn, so that all are of one moment."""
    turns = _turns_of(runs, since_input=True)
    of_run = and_(RUN.c.tenant_id == turns.c.tenant_id, RUN.c.id == turns.c.run_id)
    shown = turns.join(RUN, of_run).outerjoin(CONVERSATION, _OF_RUN)
    wanted = (*columns(RUN, RunRow), CONVERSATION.c.customer_id, *columns(turns, TurnRow))
    return named(select(*wanted).select_from(shown).order_by(RUN.c.id.desc(), turns.c.rev))


RUN_VIEW: Final = _views(_RUNS.where(RUN.c.id == bindparam("run")).cte("chosen"))

_CHOICES: Final[dict[str, ColumnElement[bool]]] = {
    "conversation_id": RUN.c.conversation_id == bindparam("conversation_id"),
    "customer_id": CONVERSATION.c.customer_id == bindparam("customer_id"),
    "open_only": RUN.c.ended_at.is_(null()),
    "status": RUN.c.status == bindparam("status"),
    "intent": RUN.c.intent == bindparam("intent"),
}


@cache
def run_views(chosen_by: frozenset[str]) -> str:
    """The newest runs that every choice named lets through, up to :limit."""
    chosen = _RUNS.where(*(_CHOICES[name] for name in sorted(chosen_by))).order_by(RUN.c.id.desc()).limit(bindparam("limit"))
    return _views(chosen.cte("chosen"))


SEALED: Final = named(
    union_all(
        select(_CONNECTION.c.secret),
        select(_WEBHOOK.c.secret).where(_WEBHOOK.c.status != literal_column("'deleted'")),
        select(_WEBHOOK.c.old_secret).where(_WEBHOOK.c.old_secret.is_not(None)),
    )
)
"""The secrets of all tenants' connections and webhooks; an endpoint that was deleted has none."""
