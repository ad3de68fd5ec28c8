"""The statements of the outbox and its deliveries, declared and compiled as those of turns are."""

from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, literal_column, null, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from engine.runtime.store.deliveries import DeliveryState
from engine.runtime.store.rows import DeliveryRow, OutboxRow
from engine.runtime.store.sqlite.statements import FIRST, META, columns, named, positional
from engine.runtime.store.tables import METADATA

OUTBOX: Final = METADATA.tables["outbox"]
DELIVERY: Final = METADATA.tables["delivery"]
_ONE: Final[ColumnElement[int]] = literal_column("1")
_TOLD = and_(
    OUTBOX.c.tenant_id == DELIVERY.c.tenant_id,
    OUTBOX.c.run_id == DELIVERY.c.run_id,
    OUTBOX.c.rev == DELIVERY.c.rev,
    OUTBOX.c.n == DELIVERY.c.n,
)
_WHOLE = select(*columns(DELIVERY, DeliveryRow), *columns(OUTBOX, OutboxRow)).select_from(DELIVERY.join(OUTBOX, _TOLD))

OUTLOOK: Final = named(
    select(
        exists(select(_ONE).select_from(OUTBOX).where(OUTBOX.c.wanted.is_(None))),
        select(func.min(DELIVERY.c.due_at)).where(DELIVERY.c.due_at.is_not(None)).scalar_subquery(),
    )
)

UNSPREAD: Final = named(
    select(OUTBOX.c.tenant_id, OUTBOX.c.run_id, OUTBOX.c.rev, OUTBOX.c.n, OUTBOX.c.type)
    .where(OUTBOX.c.wanted.is_(None))
    .order_by(OUTBOX.c.at, OUTBOX.c.tenant_id, OUTBOX.c.run_id, OUTBOX.c.rev, OUTBOX.c.n)
    .limit(bindparam("limit"))
)
_ITS_EVENT = (
    OUTBOX.c.tenant_id == bindparam("its_tenant"),
    OUTBOX.c.run_id == bindparam("its_run"),
    OUTBOX.c.rev == bindparam("its_rev"),
    OUTBOX.c.n == bindparam("its_n"),
)
_EVENT_NAMES = ("its_tenant", "its_run", "its_rev", "its_n")
MARK_SPREAD: Final = positional(
    update(OUTBOX).values(wanted=bindparam("is_wanted")).where(*_ITS_EVENT),
    "is_wanted",
    *_EVENT_NAMES,
)
MARK_UNWANTED: Final = positional(
    update(OUTBOX)
    .values(wanted=literal_column("0"))
    .where(
        *_ITS_EVENT,
        ~exists(
            select(_ONE)
            .select_from(DELIVERY)
            .where(
                DELIVERY.c.tenant_id == OUTBOX.c.tenant_id,
                DELIVERY.c.run_id == OUTBOX.c.run_id,
                DELIVERY.c.rev == OUTBOX.c.rev,
                DELIVERY.c.n == OUTBOX.c.n,
            )
        ),
    ),
    *_EVENT_NAMES,
)
"""Where no delivery of it is left."""


def _make_delivery() -> str:
    """Due now, or behind what is left for the endpoint of the same run."""
    left = DELIVERY.alias("left_over")
    behind = exists(
        select(_ONE)
        .select_from(left)
        .where(
            left.c.tenant_id == bindparam("its_tenant"),
            left.c.endpoint_id == bindparam("its_endpoint"),
            left.c.run_id == bindparam("its_run"),
            left.c.ended_at.is_(None),
        )
    )
    return positional(
        insert(DELIVERY)
        .values(
            tenant_id=bindparam("tenant"),
            run_id=bindparam("run"),
            rev=bindparam("rev"),
            n=bindparam("n"),
            endpoint_id=bindparam("endpoint"),
            due_at=case((behind, null()), else_=bindparam("now")),
            tries=literal_column("0"),
        )
        .on_conflict_do_nothing(),
        *("tenant", "run", "rev", "n", "endpoint", "its_tenant", "its_endpoint", "its_run", "now"),
    )


MAKE_DELIVERY: Final = _make_delivery()


def _due() -> str:
    """What is due for the endpoints in a JSON list of [tenant, endpoint], so many of each."""
    asked = func.json_each(bindparam("endpoints")).table_valued("value", name="asked")
    tenant, endpoint = (
        func.json_extract(asked.c.value, literal_column("'$[0]'")),
        func.json_extract(asked.c.value, literal_column("'$[1]'")),
    )
    inner = DELIVERY.alias("inner_delivery")
    first = (
        select(inner.c.run_id, inner.c.rev, inner.c.n)
        .where(inner.c.tenant_id == tenant, inner.c.endpoint_id == endpoint, inner.c.due_at <= bindparam("now"))
        .order_by(inner.c.due_at, inner.c.run_id, inner.c.rev, inner.c.n)
        .limit(bindparam("each"))
        .correlate(asked)
    )
    chosen = and_(
        DELIVERY.c.tenant_id == tenant,
        DELIVERY.c.endpoint_id == endpoint,
        tuple_(DELIVERY.c.run_id, DELIVERY.c.rev, DELIVERY.c.n).in_(first),
    )
    whole = select(*columns(DELIVERY, DeliveryRow), *columns(OUTBOX, OutboxRow))
    joined = asked.join(DELIVERY, chosen).join(OUTBOX, _TOLD)
    return named(whole.select_from(joined).order_by(DELIVERY.c.due_at, DELIVERY.c.run_id, DELIVERY.c.rev, DELIVERY.c.n))


DUE_DELIVERIES: Final = _due()

_THAT_CHANGE = ("due_at", "tries", "status", "code", "ended_at", "ended_as")
_ITS_KEY = (
    DELIVERY.c.tenant_id == bindparam("its_tenant"),
    DELIVERY.c.run_id == bindparam("its_run"),
    DELIVERY.c.rev == bindparam("its_rev"),
    DELIVERY.c.n == bindparam("its_n"),
    DELIVERY.c.endpoint_id == bindparam("its_endpoint"),
)
_KEY_NAMES = ("its_tenant", "its_run", "its_rev", "its_n", "its_endpoint")
NOTE: Final = positional(
    update(DELIVERY)
    .values({name: bindparam(f"new_{name}") for name in _THAT_CHANGE})
    .where(*_ITS_KEY, DELIVERY.c.tries == bindparam("was_tries"), DELIVERY.c.ended_at.is_(None)),
    *(f"new_{name}" for name in _THAT_CHANGE),
    *_KEY_NAMES,
    "was_tries",
)
RENEW: Final = positional(
    update(DELIVERY)
    .values(due_at=null(), tries=literal_column("0"), status=null(), code=null(), ended_at=null(), ended_as=null())
    .where(*_ITS_KEY, DELIVERY.c.ended_at.is_not(None)),
    *_KEY_NAMES,
)
"""What has ended begins again, behind whatever is left of its run."""


def _promote() -> str:
    """The earliest delivery that is left of a run for an endpoint is due from now on."""
    left = DELIVERY.alias("left_over")
    earliest = (
        select(left.c.rev, left.c.n)
        .where(
            left.c.tenant_id == bindparam("same_tenant"),
            left.c.endpoint_id == bindparam("same_endpoint"),
            left.c.run_id == bindparam("same_run"),
            left.c.ended_at.is_(None),
        )
        .order_by(left.c.rev, left.c.n)
        .limit(literal_column("1"))
        .offset(FIRST)
    )
    return positional(
        update(DELIVERY)
        .values(due_at=bindparam("now"))
        .where(
            DELIVERY.c.tenant_id == bindparam("its_tenant"),
            DELIVERY.c.endpoint_id == bindparam("its_endpoint"),
            DELIVERY.c.run_id == bindparam("its_run"),
            tuple_(DELIVERY.c.rev, DELIVERY.c.n).in_(earliest),
            DELIVERY.c.due_at.is_(None),
        ),
        *("now", "its_tenant", "its_endpoint", "its_run", "same_tenant", "same_endpoint", "same_run"),
    )


PROMOTE: Final = _promote()

_OF_ENDPOINT = (DELIVERY.c.tenant_id == bindparam("tenant"), DELIVERY.c.endpoint_id == bindparam("endpoint"))
_PLACES = select(DELIVERY.c.tenant_id, DELIVERY.c.run_id, DELIVERY.c.rev, DELIVERY.c.n, DELIVERY.c.endpoint_id)
FIND_PARKED: Final = named(
    _PLACES.where(
        *_OF_ENDPOINT,
        DELIVERY.c.run_id >= bindparam("since"),
        DELIVERY.c.ended_as == literal_column("'parked'"),
        DELIVERY.c.ended_at <= bindparam("until"),
    )
    .order_by(DELIVERY.c.run_id, DELIVERY.c.rev, DELIVERY.c.n)
    .limit(bindparam("limit"))
)
FIND_EVENT: Final = named(
    _PLACES.select_from(DELIVERY.join(OUTBOX, _TOLD)).where(
        *_OF_ENDPOINT, OUTBOX.c.id == bindparam("event"), DELIVERY.c.ended_at.is_not(None)
    )
)

_STATES = {
    "pending": DELIVERY.c.ended_at.is_(None),
    "delivered": DELIVERY.c.ended_as == literal_column("'delivered'"),
    "parked": DELIVERY.c.ended_as == literal_column("'parked'"),
}


def _list(state: DeliveryState | None) -> str:
    chosen = _WHOLE.where(*_OF_ENDPOINT) if state is None else _WHOLE.where(*_OF_ENDPOINT, _STATES[state])
    return named(chosen.order_by(DELIVERY.c.run_id.desc(), DELIVERY.c.rev.desc(), DELIVERY.c.n.desc()).limit(bindparam("limit")))


DELIVERIES: Final[dict[DeliveryState | None, str]] = {state: _list(state) for state in (None, "pending", "delivered", "parked")}
COUNT_PARKED: Final = named(
    select(func.count())
    .select_from(DELIVERY)
    .where(DELIVERY.c.ended_as == literal_column("'parked'"), DELIVERY.c.ended_at.is_not(None))  # as the index has it
)


DROP: Final = positional(DELIVERY.delete().where(*_ITS_KEY), *_KEY_NAMES)
FIND_OF_ENDPOINT: Final = named(_PLACES.where(*_OF_ENDPOINT).limit(bindparam("limit")))
FIND_ENDED: Final = named(
    _PLACES.where(DELIVERY.c.ended_as == bindparam("ended_as"), DELIVERY.c.ended_at < bindparam("before"))
    .order_by(DELIVERY.c.ended_at)
    .limit(bindparam("limit"))
)
_EVENT = tuple_(OUTBOX.c.tenant_id, OUTBOX.c.run_id, OUTBOX.c.rev, OUTBOX.c.n)
_UNWANTED = (
    select(OUTBOX.c.tenant_id, OUTBOX.c.run_id, OUTBOX.c.rev, OUTBOX.c.n)
    .where(~OUTBOX.c.wanted, OUTBOX.c.at < bindparam("before"))
    .order_by(OUTBOX.c.at)
    .limit(bindparam("limit"))
)
PRUNE_UNWANTED: Final = named(OUTBOX.delete().where(_EVENT.in_(_UNWANTED)))
RAISE_FORGOTTEN: Final = named(
    insert(META)
    .inline()
    .values(name=literal_column("'forgotten'"), value=bindparam("before"))
    .on_conflict_do_update(index_elements=["name"], set_={"value": func.max(META.c.value, insert(META).excluded.value)})
)
