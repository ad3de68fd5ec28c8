"""What must be true of any database at any moment, asked of the database itself: used by tests and proofs.

Each question finds the rows that break one of the invariants I1 to I9 and I11, as far as stored rows can show it. That the same key gets
the same bytes (I5), that nothing secret is told (I10) and how a process ends (I12) cannot be seen in rows: tests of their own show it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from engine.model.values import Limits, Millis
from engine.runtime.replies import decode_reply
from engine.runtime.turns.bounds import json_size
from engine.runtime.turns.leases import ATTEMPTS

_LIMITS: Final = Limits()
_SHOWN = 20
"""Rows told of each question; more of the same would help nobody."""


class _Question(Struct, frozen=True):
    sentence: str
    """What is wrong with a row that is found; its columns fill the gaps."""
    sql: str


_TURNS_OF_RUNS: Final = (
    """CREATE TEMP TABLE turn_of_run (tenant_id, run_id, rev, id, event, at, done,
       PRIMARY KEY (tenant_id, run_id, rev, id)) WITHOUT ROWID""",
    "INSERT INTO turn_of_run SELECT tenant_id, run_id, rev, id, event, at, done FROM turn ORDER BY tenant_id, run_id, rev, id",
)
"""The turns in the order of their runs, for the questions below: the table itself has no index by run, which each turn would pay for."""

_QUESTIONS: Final = (
    _Question(
        "I1: wait {0} of run {1} has half an end: moment {2}, cause {3}",
        "SELECT id, run_id, ended_at, ended_by FROM wait WHERE (ended_at IS NULL) != (ended_by IS NULL)",
    ),
    _Question(
        "I1: wait {0} ended by {1}, which is no way to end",
        "SELECT id, ended_by FROM wait WHERE ended_by NOT IN ('answered', 'signalled', 'expired', 'cancelled')",
    ),
    _Question(
        "I1: wait {0} ended by {1} at {2}, but the run went on with a turn {3} at {4}",
        # The turn that ends a wait is the first behind the one that opened it; reminders leave it as it is.
        """SELECT wait.id, wait.ended_by, wait.ended_at, next.event, next.at FROM wait LEFT JOIN turn_of_run AS next
           ON next.tenant_id = wait.tenant_id AND next.run_id = wait.run_id AND next.rev = (
               SELECT min(rev) FROM turn_of_run AS turn WHERE turn.tenant_id = wait.tenant_id AND turn.run_id = wait.run_id
               AND turn.rev > wait.rev AND turn.event != 'reminded')
           WHERE next.at IS NOT wait.ended_at OR (wait.ended_by IS NOT NULL AND NOT CASE wait.ended_by
               WHEN 'answered' THEN next.event IN ('answered', 'delivered') WHEN 'expired' THEN next.event = 'timed_out'
               WHEN 'cancelled' THEN next.event IN ('cancelled', 'given_up') ELSE next.event = wait.ended_by END)""",
    ),
    _Question(
        "I2: message {0} belongs to turn {1}, which is not there",
        """SELECT message.id, message.turn_id FROM message LEFT JOIN turn
           ON turn.tenant_id = message.tenant_id AND turn.id = message.turn_id AND turn.run_id = message.run_id
           WHERE turn.id IS NULL""",
    ),
    _Question(
        "I2: usage {0} belongs to turn {1}, which is not there",
        """SELECT usage.id, usage.turn_id FROM usage LEFT JOIN turn
           ON turn.tenant_id = usage.tenant_id AND turn.id = usage.turn_id AND turn.run_id = usage.run_id WHERE turn.id IS NULL""",
    ),
    _Question(
        "I2: usage {0} counts less than nothing",
        """SELECT id FROM usage WHERE min(prompt_tokens, completion_tokens,
           coalesce(cached_prompt_tokens, 0), coalesce(cost_micros, 0)) < 0""",
    ),
    _Question(
        "I2: wait {0} was opened by rev {1} of run {2}, which has no such turn",
        """SELECT wait.id, wait.rev, wait.run_id FROM wait LEFT JOIN turn_of_run AS turn
           ON turn.tenant_id = wait.tenant_id AND turn.run_id = wait.run_id AND turn.rev = wait.rev WHERE turn.id IS NULL""",
    ),
    _Question(
        "I2: outbox row {0} tells of rev {1} of run {2}, which has no such turn",
        """SELECT outbox.id, outbox.rev, outbox.run_id FROM outbox LEFT JOIN turn_of_run AS turn
           ON turn.tenant_id = outbox.tenant_id AND turn.run_id = outbox.run_id AND turn.rev = outbox.rev
           WHERE turn.id IS NULL AND NOT (outbox.rev = 0 AND outbox.run_id = outbox.id)""",
    ),
    _Question(
        "I2: run {0} belongs to conversation {1}, which is not there",
        """SELECT run.id, run.conversation_id FROM run LEFT JOIN conversation
           ON conversation.tenant_id = run.tenant_id AND conversation.id = run.conversation_id WHERE conversation.id IS NULL""",
    ),
    _Question(
        "I2: conversation {0} gives the sequence {1} to {2} messages",
        """SELECT conversation_id, sequence, count(*) FROM message GROUP BY tenant_id, conversation_id, sequence HAVING count(*) > 1""",
    ),
    _Question(
        "I2: conversation {0} goes on at sequence {1}, but has a message {2}",
        """SELECT id, next_sequence, last FROM conversation
           JOIN (SELECT tenant_id, conversation_id, max(sequence) AS last FROM message GROUP BY tenant_id, conversation_id) AS said
           ON said.tenant_id = conversation.tenant_id AND said.conversation_id = conversation.id WHERE last >= next_sequence""",
    ),
    _Question(
        "I2: conversation {0} goes on at sequence {1}, but has {2} messages",
        """SELECT id, next_sequence, coalesce(messages, 0) FROM conversation
           LEFT JOIN (SELECT tenant_id, conversation_id, count(*) AS messages FROM message GROUP BY tenant_id, conversation_id) AS said
           ON said.tenant_id = conversation.tenant_id AND said.conversation_id = conversation.id
           WHERE coalesce(messages, 0) != next_sequence""",
    ),
    _Question(
        "I2: turn {0} answers with wait {1}, which is not there",
        """SELECT turn.id, reply_wait(turn.reply) AS told FROM turn LEFT JOIN wait
           ON wait.tenant_id = turn.tenant_id AND wait.run_id = turn.run_id AND wait.id = reply_wait(turn.reply)
           WHERE told IS NOT NULL AND wait.id IS NULL""",
    ),
    _Question(
        "I2: task {0} is for wait {1} of run {2}, which is not there",
        """SELECT task.id, task.wait_id, task.run_id FROM task LEFT JOIN wait
           ON wait.tenant_id = task.tenant_id AND wait.id = task.wait_id AND wait.run_id = task.run_id WHERE wait.id IS NULL""",
    ),
    _Question(
        "I3: run {0} is at rev {1}, but its turns are {2} from {3} to {4}",
        """SELECT run.id, run.rev, count(turn.id), min(turn.rev), max(turn.rev) FROM run
           LEFT JOIN turn_of_run AS turn ON turn.tenant_id = run.tenant_id AND turn.run_id = run.id
           GROUP BY run.tenant_id, run.id
           HAVING count(turn.id) != run.rev OR min(turn.rev) IS NOT 1 OR max(turn.rev) IS NOT run.rev""",
    ),
    _Question(
        "I3: run {0} has its last input at rev {1} of {2}",
        "SELECT id, input_rev, rev FROM run WHERE input_rev < 1 OR input_rev > rev",
    ),
    _Question(
        "I3: run {0} ends its turns with {1}, which is not its turn {2}",
        """SELECT run.id, run.turn_id, run.rev FROM run LEFT JOIN turn
           ON turn.tenant_id = run.tenant_id AND turn.id = run.turn_id AND turn.run_id = run.id AND turn.rev = run.rev
           WHERE turn.id IS NULL""",
    ),
    _Question(
        "I3: turn {0} follows {1}, which is not turn {2} of run {3}",
        """SELECT turn.id, turn.previous_id, turn.rev - 1, turn.run_id FROM turn LEFT JOIN turn AS before
           ON before.tenant_id = turn.tenant_id AND before.id = turn.previous_id
           AND before.run_id = turn.run_id AND before.rev = turn.rev - 1
           WHERE before.id IS NULL AND (turn.rev != 1 OR turn.previous_id IS NOT NULL)""",
    ),
    _Question(
        "I3: turn {0} belongs to run {1}, which is not there",
        """SELECT turn.id, turn.run_id FROM turn LEFT JOIN run ON run.tenant_id = turn.tenant_id AND run.id = turn.run_id
           WHERE run.id IS NULL""",
    ),
    _Question(
        "I4: run {0} is {1} and has {2} open waits",
        """SELECT run.id, run.status, count(wait.id) FROM run
           LEFT JOIN wait ON wait.tenant_id = run.tenant_id AND wait.run_id = run.id AND wait.ended_at IS NULL
           GROUP BY run.tenant_id, run.id HAVING count(wait.id) != (run.status IN ('waiting_input', 'waiting_time'))""",
    ),
    _Question(
        "I4: run {0} is running and nobody holds a lease on it",
        "SELECT id FROM run WHERE status = 'running' AND lease_until IS NULL",
    ),
    _Question(
        "I4: run {0} is {1} and somebody holds a lease on it",
        "SELECT id, status FROM run WHERE status != 'running' AND lease_until IS NOT NULL",
    ),
    _Question(
        "I4: run {0} is {1}, and its turn {2} is {3}",
        """SELECT run.id, run.status, turn.rev, iif(turn.done, 'done', 'not done') FROM run
           JOIN turn_of_run AS turn ON turn.tenant_id = run.tenant_id AND turn.run_id = run.id
           LEFT JOIN turn_of_run AS next ON next.tenant_id = turn.tenant_id AND next.run_id = turn.run_id AND next.rev = turn.rev + 1
           WHERE turn.done = (run.status = 'running' AND turn.rev = run.rev) AND NOT (next.event IS 'cancelled' AND NOT turn.done)""",
    ),
    _Question(
        "I4: run {0} is {1}, ended at {2}, because of {3}",
        """SELECT id, status, ended_at, end_reason FROM run WHERE (status IN ('completed', 'failed', 'aborted')) != (ended_at IS NOT NULL)
           OR (ended_at IS NULL) != (end_reason IS NULL)""",
    ),
    _Question(
        "I4: wait {0} belongs to run {1}, which is not there",
        """SELECT wait.id, wait.run_id FROM wait LEFT JOIN run ON run.tenant_id = wait.tenant_id AND run.id = wait.run_id
           WHERE run.id IS NULL""",
    ),
    _Question(
        "I4: signal {0} is listened to by wait {1}, which is not open",
        """SELECT listening.name, listening.wait_id FROM listening LEFT JOIN wait
           ON wait.tenant_id = listening.tenant_id AND wait.id = listening.wait_id AND wait.ended_at IS NULL WHERE wait.id IS NULL""",
    ),
    _Question(
        "I4: task {0} is {1}, and its wait ended by {2}",
        """SELECT task.id, task.status, wait.ended_by FROM task JOIN wait ON wait.tenant_id = task.tenant_id AND wait.id = task.wait_id
           WHERE (task.status = 'open') != (wait.ended_at IS NULL)""",
    ),
    _Question(
        "I5: idempotency key {0} of {1} points to turn {2}, which is not there",
        """SELECT idempotency.key, idempotency.scope, idempotency.turn_id FROM idempotency
           LEFT JOIN turn ON turn.tenant_id = idempotency.tenant_id AND turn.id = idempotency.turn_id
           WHERE idempotency.turn_id IS NOT NULL AND turn.id IS NULL""",
    ),
    _Question(
        "I5: idempotency key {0} of {1} has neither a turn nor a reply",
        "SELECT key, scope FROM idempotency WHERE turn_id IS NULL AND reply IS NULL",
    ),
    _Question(
        "I6: run {0} tells {1} things in rev {2}, numbered {3} to {4}",
        """SELECT outbox.run_id, count(*), outbox.rev, min(n), max(n) FROM outbox
           LEFT JOIN turn_of_run AS turn ON turn.tenant_id = outbox.tenant_id AND turn.run_id = outbox.run_id AND turn.rev = outbox.rev
           WHERE turn.at >= coalesce((SELECT value FROM meta WHERE name = 'forgotten'), 0)
           GROUP BY outbox.tenant_id, outbox.run_id, outbox.rev HAVING min(n) != 0 OR max(n) != count(*) - 1""",
    ),
    _Question(
        "I6: the outbox has the id {0} {1} times",
        "SELECT id, count(*) FROM outbox GROUP BY tenant_id, id HAVING count(*) > 1",
    ),
    _Question(
        "I6: endpoint {0} is told of rev {1}, {2} of run {3}, of which the outbox knows nothing",
        """SELECT endpoint_id, delivery.rev, delivery.n, delivery.run_id FROM delivery
           LEFT JOIN outbox ON outbox.tenant_id = delivery.tenant_id AND outbox.run_id = delivery.run_id
           AND outbox.rev = delivery.rev AND outbox.n = delivery.n AND outbox.wanted WHERE outbox.id IS NULL""",
    ),
    _Question(
        "I6: rev {0}, {1} of run {2} is wanted by endpoints, and none is told of it",
        """SELECT outbox.rev, outbox.n, outbox.run_id FROM outbox
           LEFT JOIN delivery ON outbox.tenant_id = delivery.tenant_id AND outbox.run_id = delivery.run_id
           AND outbox.rev = delivery.rev AND outbox.n = delivery.n WHERE outbox.wanted AND delivery.tenant_id IS NULL""",
    ),
    _Question(
        "I6: the delivery of rev {0} of run {1} has half an end: moment {2}, cause {3}, due at {4}",
        """SELECT rev, run_id, ended_at, ended_as, due_at FROM delivery
           WHERE (ended_at IS NULL) != (ended_as IS NULL) OR (ended_at IS NOT NULL AND due_at IS NOT NULL)""",
    ),
    _Question(
        "I6: the earliest delivery of run {0} that is left for endpoint {1} is not due",
        """SELECT run_id, endpoint_id FROM delivery WHERE ended_at IS NULL AND due_at IS NULL AND NOT EXISTS (
           SELECT 1 FROM delivery AS earlier WHERE earlier.tenant_id = delivery.tenant_id AND earlier.endpoint_id = delivery.endpoint_id
           AND earlier.run_id = delivery.run_id AND earlier.ended_at IS NULL AND (earlier.rev, earlier.n) < (delivery.rev, delivery.n))""",
    ),
    _Question(
        "I6: run {0} tells a thing at {1}, behind one at {2}",
        """SELECT run_id, at, before FROM (
               SELECT run_id, at, lag(at) OVER (PARTITION BY tenant_id, run_id ORDER BY rev, n) AS before FROM outbox)
           WHERE at < before""",
    ),
    _Question(
        "I7: run {0} has a turn at {1}, behind one at {2}",
        """SELECT run_id, at, before FROM (
               SELECT run_id, at, lag(at) OVER (PARTITION BY tenant_id, run_id ORDER BY rev) AS before FROM turn_of_run)
           WHERE at < before""",
    ),
    _Question(
        "I7: wait {0} expired at {1}, before its deadline {2}",
        "SELECT id, ended_at, deadline FROM wait WHERE ended_by = 'expired' AND ended_at < deadline",
    ),
    _Question(
        "I7: wait {0} was answered at {1}, when its deadline {2} had passed",
        "SELECT id, ended_at, deadline FROM wait WHERE ended_by = 'answered' AND ended_at >= deadline",
    ),
    _Question(
        "I7: wait {0} was opened at {1} and ended at {2}",
        "SELECT id, opened_at, ended_at FROM wait WHERE ended_at < opened_at",
    ),
    _Question(
        "I8: run {0} holds a state of {1} bytes",
        f"SELECT id, length(state) FROM run WHERE length(state) > {_LIMITS.state_bytes}",  # noqa: S608 - a number of ours
    ),
    _Question(
        "I8: conversation {0} holds variables of {1} bytes",
        # As JSON, which no character makes more than six times as long as it is stored.
        f"""SELECT id, json_size(variables) FROM conversation
            WHERE length(variables) > {_LIMITS.conversation_bytes // 8} AND json_size(variables) > {_LIMITS.conversation_bytes}""",  # noqa: S608
    ),
    _Question(
        "I8: run {0} was claimed {1} times in one turn",
        f"SELECT id, attempts FROM run WHERE attempts > {ATTEMPTS}",  # noqa: S608
    ),
    _Question(
        "I8: run {0} has taken {1} turns",
        # The turn that is one too many fails the run and is stored; reminders are turns that do not count.
        f"""SELECT run.id, run.rev FROM run LEFT JOIN turn_of_run AS turn
            ON turn.tenant_id = run.tenant_id AND turn.run_id = run.id AND turn.event = 'reminded'
            WHERE run.rev > {_LIMITS.turns + 1} GROUP BY run.tenant_id, run.id HAVING run.rev - count(turn.id) > {_LIMITS.turns + 1}""",  # noqa: S608
    ),
    *(
        _Question(
            f"I9: {table} {{0}} of tenant {{1}} belongs to run {{2}} of tenant {{3}}",
            f"""SELECT one.{key}, one.tenant_id, run.id, run.tenant_id FROM "{table}" AS one JOIN run ON run.id = one.run_id
                WHERE run.tenant_id != one.tenant_id""",  # noqa: S608 - names of ours
        )
        for table, key in (
            ("wait", "id"),
            ("task", "id"),
            ("turn", "id"),
            ("message", "id"),
            ("usage", "id"),
            ("outbox", "id"),
            ("effect_result", "step"),
        )
    ),
    _Question(
        "I9: run {0} of tenant {1} belongs to conversation {2} of tenant {3}",
        """SELECT run.id, run.tenant_id, conversation.id, conversation.tenant_id FROM run
           JOIN conversation ON conversation.id = run.conversation_id WHERE conversation.tenant_id != run.tenant_id""",
    ),
)

_PUNCTUAL: Final = (
    _Question(
        "I4: the lease on run {0} ran out {1} ms ago, and nobody has taken it over",
        """SELECT run.id, meta.value - lease_until FROM run JOIN meta ON meta.name = 'high_water'
           WHERE run.status = 'running' AND lease_until < meta.value - :bound""",
    ),
    _Question(
        "I7: wait {0} is open, though it was due {1} ms ago",
        """SELECT wait.id, meta.value - due_at FROM wait JOIN meta ON meta.name = 'high_water'
           WHERE ended_at IS NULL AND due_at < meta.value - :bound""",
    ),
)
"""Asked only where somebody was there to sweep; the latest moment that is known is that of the last commit."""


def check_invariants(database: Path | sqlite3.Connection, *, bound: Millis | None = None) -> list[str]:
    """A sentence for every row that breaks an invariant, at most 20 of each kind; an empty list when all is well.

    With a bound, in milliseconds, it also tells of deadlines and leases that passed longer than that before the last commit and have not
    acted: not to be asked of a database that nobody has served meanwhile.
    """
    if isinstance(database, sqlite3.Connection):
        return _check(database, bound)
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection:
        return _check(connection, bound)


def _check(connection: sqlite3.Connection, bound: Millis | None) -> list[str]:
    connection.create_function("json_size", 1, _json_size, deterministic=True)
    connection.create_function("reply_wait", 1, _reply_wait, deterministic=True)
    connection.execute("BEGIN")  # all questions are about one moment
    try:
        broken = [f"I11: {told}" for (told,) in connection.execute("PRAGMA integrity_check(20)") if told != "ok"]
        for statement in _TURNS_OF_RUNS:
            connection.execute(statement)
        for question in (*_QUESTIONS, *(() if bound is None else _PUNCTUAL)):
            found = connection.execute(question.sql, {"bound": bound}).fetchmany(_SHOWN)
            broken.extend(question.sentence.format(*row) for row in found)
    finally:
        connection.execute("ROLLBACK")
    return broken


def _json_size(packed: bytes) -> int:
    return json_size(msgspec.msgpack.decode(packed))


def _reply_wait(reply: bytes) -> str | None:
    """The wait that a stored reply names; None for one that names none, or that only a test can have written."""
    try:
        return decode_reply(reply).wait_id
    except msgspec.DecodeError:
        return None
