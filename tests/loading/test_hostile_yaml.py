"""No text, however hostile, crashes or hangs the reader: it answers with diagnostics, soon and in little memory."""

import copy
import gc
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loading import CODES, Loaded, Source, load_flow, read_yaml
from engine.loading.tree import plain
from tests.loading.hostile import SOUND, WRITTEN
from tests.support.pace import pace

LONGEST = 0.25
MOST = 64 * 1024 * 1024
VALID = (Path(__file__).parent / "valid" / "everything.yaml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True, scope="module")
def only_our_own_garbage() -> Iterator[None]:
    """What the test runner holds in memory is not looked through while we are timed."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def load(text: str | bytes) -> Loaded:
    return load_flow(Source("hostile.yaml", text))


def seconds(work: Callable[[], object]) -> float:
    """Process time of the work: what others do on the machine does not count."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def is_soon(taken: float) -> bool:
    return taken < LONGEST or taken < LONGEST * pace()


def check_judged(loaded: Loaded) -> None:
    """What every answer must be, whatever was asked."""
    assert {one.code for one in loaded.diagnostics} <= CODES.keys()
    assert all(one.line >= 1 and one.column >= 1 for one in loaded.diagnostics)
    assert (loaded.flow is None) == any(one.severity == "error" for one in loaded.diagnostics)
    assert len(loaded.digest) == 64


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(WRITTEN) == len({str(text) for text in WRITTEN})
    assert len(WRITTEN) > 200


@pytest.mark.parametrize("number", range(len(WRITTEN)))
def test_a_hostile_text_is_answered_with_diagnostics_within_a_quarter_of_a_second(number: int) -> None:
    text = WRITTEN[number]
    judged: list[Loaded] = []
    assert any(is_soon(seconds(lambda: judged.append(load(text)))) for _ in range(3))
    check_judged(judged[0])


def test_a_hostile_text_takes_less_than_64_mib() -> None:
    peaks = []
    for text in sorted(WRITTEN, key=len, reverse=True)[:60:4]:
        tracemalloc.start()
        load(text)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < MOST


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(VALID)))
def test_a_flow_cut_off_anywhere_is_read_without_a_crash(length: int) -> None:
    check_judged(load(VALID[:length]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(VALID.encode()) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_flow_with_flipped_bytes_is_read_without_a_crash(flips: list[tuple[int, int]]) -> None:
    text = bytearray(VALID.encode())
    for place, byte in flips:
        text[place] = byte
    check_judged(load(bytes(text)))


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(VALID)),
    st.sampled_from(
        [
            "{{",
            "}}",
            "[",
            "]",
            "{",
            "}",
            ":",
            ": ",
            "- ",
            "&a ",
            "*a",
            "!!int ",
            "'",
            '"',
            "|\n",
            "\n",
            "\t",
            "<<: ",
            "null",
            "#",
            "\ud800",
            "%}",
            "end",
            "5",
        ]
    ),
)
def test_a_flow_with_something_put_in_anywhere_is_read_without_a_crash(place: int, piece: str) -> None:
    check_judged(load(VALID[:place] + piece + VALID[place:]))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab:-?[]{}&*!|>'\"%@` \n#,~<", max_size=60))
def test_any_heap_of_punctuation_is_read_without_a_crash(text: str) -> None:
    check_judged(load(text))
    check_judged(load(SOUND + text))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_without_a_crash(data: bytes) -> None:
    check_judged(load(data))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every key and position inside the value, with what it stands in."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield value, key
        yield from places(inner)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_part_of_a_flow_may_stand_under_any_key_without_a_crash(data: st.DataObject) -> None:
    flow = plain(read_yaml(Source("valid.yaml", VALID)).root)  # type: ignore[arg-type]
    parts = [holder[key] for holder, key in places(flow)]
    for _ in range(3):
        holder, key = data.draw(st.sampled_from(list(places(flow))))
        holder[key] = copy.deepcopy(data.draw(st.sampled_from([*parts, None, 5, [], {}, "end"])))
    loaded = load_flow(Source("mixed.yaml", json.dumps(flow, ensure_ascii=False)), {})
    assert not any(one.code == "yaml.syntax" for one in loaded.diagnostics)
    check_judged(loaded)
