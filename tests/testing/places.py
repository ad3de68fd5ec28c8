"""The test files beside this one, and the flow that they are about."""

from pathlib import Path

from engine.loading import Source, load_flow
from engine.model.flow import Flow
from engine.testing.conversations import TestFile, load_tests

FOLDER = Path(__file__).parent / "conversations"


def read_flow(text: str) -> Flow:
    loaded = load_flow(Source("flow.yaml", text))
    assert loaded.flow is not None, "\n".join(map(str, loaded.diagnostics))
    return loaded.flow


def read_tests(text: str, *, name: str = "a.test.yaml") -> TestFile:
    read, problems = load_tests(Source(name, text))
    assert read is not None, "\n".join(map(str, problems))
    return read


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


PARCEL = read_flow(text_of("parcel.yaml"))
FLOWS = {"parcel": PARCEL}
GOOD = read_tests(text_of("good.test.yaml"), name="good.test.yaml")
BAD = read_tests(text_of("bad.test.yaml"), name="bad.test.yaml")
