"""The log: one JSON line a turn, with ids and nothing that anybody said."""

import io
import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from api import logs
from api.settings import Settings
from engine.errors import Unavailable
from tests.api.world import CHAT, World, opened_world


class Captured(io.TextIOWrapper):
    """A standard error that is kept."""

    def lines(self) -> list[dict[str, object]]:
        self.flush()
        raw = self.buffer
        assert isinstance(raw, io.BytesIO)
        return [json.loads(line) for line in raw.getvalue().splitlines()]

    def text(self) -> str:
        raw = self.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.getvalue().decode()


@pytest.fixture
def written() -> Iterator[Captured]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    captured = Captured(io.BytesIO(), write_through=True)
    logs.configure(Settings(), captured)
    yield captured
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_a_turn_is_one_line_with_its_ids(written: Captured) -> None:
    async with opened_world() as world:
        token = await world.token()
        reply = await world.trigger(token)
    (line,) = [line for line in written.lines() if line["event"] == "turn_taken"]
    assert line["execution"] == reply["executionId"]
    assert line["conversation"] == reply["conversationId"]
    assert line["turn"] == reply["turnId"]
    assert set(line) == {
        "event",
        "level",
        "timestamp",
        "surface",
        "request",
        "tenant",
        "conversation",
        "execution",
        "turn",
        "status",
        "latency_ms",
        "replayed",
    }


async def test_no_text_token_or_secret_is_ever_written(written: Captured) -> None:
    async with opened_world() as world:
        token = await converse(world)
    text = written.text()
    assert "turn_taken" in text
    for canary in ("canary", token, token[3:], "wt_", "sk_acme", "identity-a"):
        assert canary not in text


async def converse(world: World) -> str:
    token = await world.token(variables={"note": "canary-1"})
    reply = await world.trigger(token, text="canary-2", context={"page": "canary-3", "more": "canary-4"})
    await world.answer(token, reply, text="canary-5")
    await world.answer(token, reply, values={"number": "A-1"}, variables={"x": "canary-6"})
    await world.send("POST", f"{CHAT}/messages", token=token, body=b'{"canary-7": ')
    await world.send("GET", f"{CHAT}/messages?conversationId=canary-8", token=token, x_request_id="request-1")
    await world.send("GET", "/api/v1/engine/intents", token="sk_acme")
    return token


def test_an_error_is_told_by_type_and_place_without_its_message(written: Captured) -> None:
    with pytest.raises(ValueError, match="canary") as failure:
        int("canary")
    logs.log_failure("it_failed", failure.value, request="r")
    (line,) = written.lines()
    assert (line["event"], line["error"], line["request"]) == ("it_failed", "ValueError", "r")
    assert "test_logs.py" in str(line["at"])
    assert "canary" not in written.text()


def test_what_the_database_has_against_a_request_is_told_by_its_name_alone(written: Captured, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as trouble:
        sqlite3.connect(f"file:{tmp_path}/canary.db?mode=ro", uri=True)
    refusal = Unavailable(retry_after=1)
    refusal.__cause__ = trouble.value
    logs.log_failure("request_unavailable", refusal)
    (line,) = written.lines()
    assert (line["error"], line["cause"]) == ("Unavailable", "SQLITE_CANTOPEN")
    assert "canary" not in written.text()


def test_what_libraries_log_is_forwarded_without_its_text(written: Captured) -> None:
    logging.getLogger("some.library").error("could not parse %s", "canary")
    logging.getLogger("some.library").info("not worth a line")
    (line,) = written.lines()
    assert (line["event"], line["logger"], line["level"]) == ("library_spoke", "some.library", "error")
    assert "canary" not in written.text()


def test_the_level_is_a_setting(written: Captured) -> None:
    logs.configure(Settings(log_level="error"), written)
    logs.log.info("quiet")
    logs.log.error("loud")
    assert [line["event"] for line in written.lines()] == ["loud"]


def test_people_may_have_it_in_words(written: Captured) -> None:
    logs.configure(Settings(log_format="console"), written)
    logs.log.info("hello_there", answer=42)
    assert "hello_there" in written.text()
    assert "answer=42" in written.text()
